/**
 * Values that the command line makes where nobody gave any: inputs and weights for a first try (`--random`), and initial
 * values as numbers, which `moec verify` gives to both sides.
 *
 * All are a function of a seed and a name (dsl/primitives/draw-hash.ts), rounded to f32 where they are made, so that every
 * executor starts from the same numbers.
 */
import { at, noNumber } from '../../../dsl/diagnostics/invariants.ts';
import { drawAt, drawKey, mix } from '../../../dsl/primitives/draw-hash.ts';
import { InputError } from '../../../runtime/contract/errors.ts';
import type { WeightSliceSpec, VariableSpec } from '../../../runtime/contract/manifest.ts';
import type { WritableTensor } from '../../../runtime/weights/safetensors.ts';
import { elementCount, evaluateShape } from '../../../runtime/contract/sizes.ts';
import { fromTensors, type WeightSource } from '../../../runtime/weights/weight-source.ts';
import { interpretGraph, inOrder } from '../../graph/interpret-graph.ts';
import type { NamedTensor, Prepared } from './execution.ts';
import { usageError } from '../terminal/cli-error.ts';
import { usualSize } from '../verbs.ts';

/** Numbers of one value that is made up: 2 GiB in float64. */
const maxDrawn = 2 ** 28;

const noSizes: ReadonlyMap<string, number> = new Map();

/** Normal numbers for an f32, points of its axis for an index, both kinds for a bool. */
function drawn(
  name: string,
  seed: number,
  wanted: {
    readonly element: NamedTensor['element'];
    readonly shape: readonly number[];
    /** Names of the axes, for a message. */
    readonly axes: readonly string[];
    readonly within: number | null;
  },
  scale: number,
): NamedTensor {
  const { element, shape, within } = wanted;
  const key = drawKey(seed, name);
  const count = elementCount(shape);
  if (count > maxDrawn)
    throw new InputError(
      'MOE0715',
      `${name}: [${wanted.axes.join(', ')}] would have ${count} numbers, ${maxDrawn} are drawn`,
    );
  const normal = (i: number): number => scale * drawAt('normal', mix(key + i));
  const uniform = (i: number): number => drawAt('uniform', mix(key + i));
  switch (element) {
    case 'f32':
    case 'f16':
      return { element, shape, data: Float32Array.from({ length: count }, (_, i) => normal(i)) };
    case 'i32':
      return {
        element,
        shape,
        data: Int32Array.from({ length: count }, (_, i) => Math.floor(uniform(i) * (within ?? 8))),
      };
    case 'bool':
      return { element, shape, data: Uint8Array.from({ length: count }, (_, i) => (uniform(i) < 0.5 ? 0 : 1)) };
  }
}

/** Sizes for inputs that are drawn: as said, as the inputs and controls that were given show, else the usual one. */
export function randomSizes(
  prepared: Prepared,
  given: ReadonlyMap<string, NamedTensor>,
  said: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  const { dynamic, entries, stores: variables } = prepared.manifest;
  const shown = new Map<string, number>();
  const declared = [
    ...at(entries, 0, 'cli: entry').inputs,
    ...variables.flatMap((s) => (s.kind === 'control' ? [{ name: s.path, axes: s.axes }] : [])),
  ];
  for (const { name, axes } of declared) {
    given.get(name)?.shape.forEach((size, i) => {
      const axis = axes[i]?.size;
      if (typeof axis === 'string') shown.set(axis, size);
    });
  }
  return new Map([...dynamic.map((name) => [name, usualSize] as const), ...shown, ...said]);
}

/** The inputs of the entry, drawn where they were not given. */
export function withRandomInputs(
  prepared: Prepared,
  given: ReadonlyMap<string, NamedTensor>,
  sizes: ReadonlyMap<string, number>,
  seed: number,
): ReadonlyMap<string, NamedTensor> {
  const all = randomSizes(prepared, given, sizes);
  const inputs = new Map(given);
  for (const spec of at(prepared.manifest.entries, 0, 'cli: entry').inputs) {
    if (inputs.has(spec.name)) continue;
    const within = spec.within === null ? null : (evaluateShape([spec.within], all)[0] ?? null);
    inputs.set(
      spec.name,
      drawn(
        spec.name,
        seed,
        { ...spec, shape: evaluateShape(spec.axes, all), axes: spec.axes.map((a) => a.name), within },
        1,
      ),
    );
  }
  return inputs;
}

/**
 * Numbers for the params and states that no checkpoint gave: initial values that are no plain number are computed, and with
 * `random` what has none is drawn, at a scale that keeps a value about as large as what it was made from.
 */
export function madeVariables(
  prepared: Prepared,
  options: { readonly random: boolean; readonly seed: number },
): ReadonlyMap<string, Float64Array> {
  const made = new Map<string, Float64Array>();
  for (const { used, initial } of prepared.compilation.elaboration.variables) {
    const { path } = used.variable;
    const spec = prepared.manifest.stores.find((s) => s.path === path);
    if (spec === undefined || spec.kind === 'control' || prepared.variables.has(path)) continue;
    if (initial?.kind === 'graph') {
      // What an initial value reads stands before it.
      const numbers = new Map([...prepared.variables, ...made]);
      const { values } = interpretGraph(initial.graph, { inputs: numbers, seed: options.seed });
      const output = initial.graph.outputs[0];
      const value = output?.kind === 'tensor' ? values[output.node] : undefined;
      if (output?.kind === 'tensor' && value !== undefined)
        made.set(path, inOrder(value, output.axes).map(Math.fround));
    } else if (initial?.kind === 'fill') {
      // A source that has tensors at all must have every one that a variable is bound to (withVariables).
      made.set(
        path,
        new Float64Array(elementCount(evaluateShape(spec.axes, noSizes))).fill(Math.fround(initial.value)),
      );
    } else if (initial === null && options.random) {
      const shape = evaluateShape(spec.axes, noSizes);
      const within = spec.within === null ? null : (evaluateShape([spec.within], noSizes)[0] ?? null);
      const scale = 1 / Math.sqrt(Math.max(1, shape.at(-1) ?? 1));
      const tensor = drawn(
        path,
        options.seed,
        { element: spec.element, shape, axes: spec.axes.map((a) => a.name), within },
        scale,
      );
      made.set(path, Float64Array.from(tensor.data));
    }
  }
  return made;
}

/** A source with everything that `source` has, and variables in it as their checkpoint would have them. */
export function withVariables(
  source: WeightSource | null,
  specs: readonly VariableSpec[],
  made: ReadonlyMap<string, Float64Array>,
): WeightSource | null {
  const tensors = new Map<
    string,
    { readonly shape: readonly number[]; readonly data: Float32Array; readonly integer: boolean }
  >();
  for (const spec of specs) {
    const numbers = made.get(spec.path);
    if (numbers === undefined) continue;
    const integer = spec.element === 'i32' || spec.element === 'bool';
    if (spec.cells === null) {
      const shape = evaluateShape(spec.axes, noSizes);
      tensors.set(spec.path, { shape, data: Float32Array.from(numbers), integer });
      continue;
    }
    for (const slice of spec.cells) {
      if (slice.decoder !== null) throw usageError(`${spec.path} is stored encoded: give its weights with --weights`);
      const tensor = tensors.get(slice.tensor) ?? {
        shape: slice.shape,
        data: new Float32Array(elementCount(slice.shape)),
        integer,
      };
      tensors.set(slice.tensor, tensor);
      copyOut(slice, numbers, tensor.data);
    }
  }
  if (tensors.size === 0) return source;
  const own = fromTensors(
    [...tensors].map(([name, { shape, data, integer }]): WritableTensor =>
      integer ? { name, dtype: 'I32', shape, data: Int32Array.from(data) } : { name, dtype: 'F32', shape, data },
    ),
  );
  if (source === null) return own;
  return {
    // What is read was opened before (prepare.ts).
    tensors: new Map([...source.tensors, ...own.tensors]),
    read: (name, ...range) => (own.tensors.has(name) ? own : source).read(name, ...range),
    close: () => source.close(),
  };
}

/** The inverse of loading: tensor[from + Σ i·stride] = variable[offset + Σ i·to]. */
function copyOut(slice: WeightSliceSpec, numbers: Float64Array, target: Float32Array): void {
  const visit = (depth: number, from: number, to: number): void => {
    const dim = slice.dims[depth];
    if (dim === undefined) target[from] = numbers[to] ?? noNumber();
    else for (let i = 0; i < dim.size; i++) visit(depth + 1, from + i * dim.stride, to + i * dim.to);
  };
  visit(0, slice.from, slice.offset);
}
