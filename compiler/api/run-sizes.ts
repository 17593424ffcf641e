/**
 * What a run is given, compared with what its entry takes, before anything is computed: the sizes that follow, the conditions that
 * they have to keep, shapes and indices. The same for every executor on the CPU.
 *
 * Everything here throws `InputError`, for the first thing that does not fit.
 */
import { at } from '../../dsl/diagnostics/invariants.ts';
import type { CallableDeclaration, Program } from '../../dsl/types/program.ts';
import type { Diagnostic } from '../../dsl/diagnostics/diagnostic.ts';
import { bindSizes } from '../../dsl/meaning/bind-sizes.ts';
import { InputError } from '../../runtime/contract/errors.ts';
import { checkSizeConstraints } from '../../runtime/running/feeds.ts';
import type { AxisSpec, EntrySpec, VariableSpec } from '../../runtime/contract/manifest.ts';
import { evaluateShape } from '../../runtime/contract/sizes.ts';

/** What an entry takes. */
export interface RunSpec {
  readonly program: Program;
  readonly entry: CallableDeclaration;
  /** The axes whose size a run decides. */
  readonly dynamic: readonly string[];
  readonly inputs: EntrySpec['inputs'];
  readonly conditions: EntrySpec['conditions'];
  readonly controls: readonly Pick<VariableSpec, 'path' | 'axes' | 'element'>[];
}

/** Numbers of a tensor, row-major. */
export interface GivenNumbers {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/** Inputs by parameter, controls by path. */
export type GivenTensors = ReadonlyMap<string, GivenNumbers>;

/** The entry of a program that is meant: the named one, `forward`, or the only one there is. */
export function entryNameOf(program: Program, wanted: string | undefined): string {
  const [first, ...others] = program.entries.map((e) => e.name);
  if (wanted !== undefined) return wanted;
  return first !== undefined && others.length === 0 ? first : 'forward';
}

/** What was given beside the entry's parameters: controls by path. MOE0706 for a name that is neither. */
export function controlsAmong<T extends GivenNumbers>(
  spec: RunSpec,
  given: ReadonlyMap<string, T>,
): ReadonlyMap<string, T> {
  const inputs = spec.inputs.map((i) => i.name);
  const controls = spec.controls.map((c) => c.path);
  const unknown = [...given.keys()].find((name) => !inputs.includes(name) && !controls.includes(name));
  if (unknown !== undefined) {
    throw new InputError(
      'MOE0706',
      `${spec.entry.name} has no input ${unknown}: it takes ${[...inputs, ...controls].join(', ')}`,
      unknown,
    );
  }
  return new Map([...given].filter(([name]) => !inputs.includes(name)));
}

/**
 * The sizes of a run: those that were said, and those that inputs and controls show. For a run of the full plan (losses, outputs or
 * new states are asked for) its conditions count too.
 */
export function sizesOfRun(
  spec: RunSpec,
  given: GivenTensors,
  said: ReadonlyMap<string, number>,
  withAux: boolean,
): ReadonlyMap<string, number> {
  const problems: Diagnostic[] = [];
  const shapes = new Map([...given].map(([name, t]) => [name, t.shape]));
  const sizes = bindSizes(spec.program, spec.entry, shapes, (p) => problems.push(p), knownSizes(spec, given, said));
  const [first] = problems;
  if (first !== undefined) throw new InputError(codeOf(first.code), first.message, '');
  checkSizeConstraints(spec.conditions, sizes, withAux);
  return sizes;
}

/** Whether inputs have the shapes that their axes have in this run, and hold points of the axes that they index. */
export function checkInputs(spec: RunSpec, given: GivenTensors, sizes: ReadonlyMap<string, number>): void {
  for (const { name, axes, within } of spec.inputs) {
    const tensor = given.get(name);
    if (tensor === undefined) continue;
    const shape = evaluateShape(axes, sizes);
    if (shape.join() !== tensor.shape.join()) {
      throw new InputError(
        'MOE0708',
        `${name}: [${axes.map((a) => a.name).join(', ')}] has the shape [${shape.join(', ')}], [${tensor.shape.join(', ')}] was given`,
        name,
      );
    }
    if (within !== null) checkIndices(name, tensor.data, within, sizes);
  }
}

/** Sizes that were said, and those that the shapes of controls show beside them. */
function knownSizes(
  spec: RunSpec,
  given: GivenTensors,
  said: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>();
  for (const [axis, size] of said) {
    if (!spec.dynamic.includes(axis))
      throw new InputError('MOE0706', `there is no axis ${axis} whose size a run decides`);
    sizes.set(axis, size);
  }
  for (const { path, axes } of spec.controls) {
    const tensor = given.get(path);
    if (tensor === undefined || tensor.shape.length !== axes.length) continue;
    axes.forEach(({ size: axis }, i) => {
      const size = tensor.shape[i];
      if (typeof axis !== 'string' || size === undefined) return;
      const known = sizes.get(axis) ?? size;
      if (known !== size)
        throw new InputError('MOE0709', `${path} gives the axis ${axis} the size ${size}, it is ${known}`, path);
      sizes.set(axis, size);
    });
  }
  return sizes;
}

function checkIndices(
  name: string,
  data: ArrayLike<number>,
  within: AxisSpec,
  sizes: ReadonlyMap<string, number>,
): void {
  const [limit = 0] = evaluateShape([within], sizes);
  for (let i = 0; i < data.length; i++) {
    const v = at(data, i, 'api: index');
    if (!Number.isInteger(v) || v < -1 || v >= limit) {
      throw new InputError('MOE0710', `${name} has ${v} at ${i}, ${within.name} has ${limit} points`, name);
    }
  }
}

function codeOf(code: string): 'MOE0706' | 'MOE0708' | 'MOE0709' {
  return code === 'MOE0706' || code === 'MOE0709' ? code : 'MOE0708';
}
