/**
 * Functions of the host in the middle of a run: an `extern fn` gets whole tensors, an `extern expert` is called once for
 * each instance that has work, with the rows of its points gathered.
 *
 * Shapes: an expert works along batch axes B (`points` of the manifest). An operand over (parts of φ, the family's axes; of B; own
 * axes Y) arrives as [points, Y…], the wanted points in row-major order of B; one that has no axis of B arrives once, as [Y…].
 * Results go back as [points, Y…]. To a function an operand comes as [B…, Y…]. Own axes are in declared order.
 */
import { missing } from './bug.ts';
import { type HostCall, type ExternFunction, askHost } from './ask-host.ts';
import type { AxisSpec, ExternSpec } from './manifest.ts';
import { type Sizes, elementCount, evaluateShape } from './sizes.ts';
import { fromWords } from './tensors.ts';

/** Words of every operand in order, and of the mask. */
export interface ExternWords {
  readonly operands: readonly Uint32Array<ArrayBuffer>[];
  readonly mask: Uint32Array<ArrayBuffer> | null;
}

/** Calls the host for all instances with work and returns the words of each result. */
export async function callExtern(
  spec: ExternSpec,
  sizes: Sizes,
  words: ExternWords,
  run: ExternFunction,
  signal: AbortSignal | undefined,
): Promise<readonly Uint32Array<ArrayBuffer>[]> {
  const batch = spec.points ?? [];
  const batchShape = evaluateShape(batch, sizes);
  const family = evaluateShape(spec.family, sizes);
  const mentioned = evaluateShape(spec.sizes, sizes);
  const told = new Map(spec.sizes.map(({ name }, i) => [name, mentioned[i] ?? missing('size')]));
  const outputs = spec.results.map(({ axes }) => new Uint32Array(elementCount(evaluateShape(axes, sizes))));
  for (const instance of points(family)) {
    signal?.throwIfAborted();
    const named = new Map(spec.family.map(({ name }, i) => [name, instance[i] ?? missing('index')]));
    const masked = spec.mask === null ? spec.family : spec.mask.axes;
    const chosen = spec.points === null ? null : wantedPoints(words.mask, sizes, masked, named, batchShape);
    if (chosen !== null && chosen.length === 0) continue;
    const operands = new Map(
      spec.operands.map((operand, i) => {
        const varies = operand.axes.some(({ name }) => batch.some((axis) => axis.name === name));
        const view = new View(operand.axes, sizes, named, batch, varies ? chosen : null);
        const gathered = view.gather(words.operands[i] ?? missing('operand'));
        const tensor = fromWords(operand.element, view.axes, view.shape, gathered);
        return [operand.name, { ...tensor, within: operand.within?.name ?? null }];
      }),
    );
    const views = spec.results.map(({ axes }) => new View(axes, sizes, named, batch, chosen));
    const results = spec.results.map(({ element, within }, i) => ({
      element,
      axes: (views[i]?.axes ?? []).map(({ name }) => name),
      shape: views[i]?.shape ?? [],
      within: within?.name ?? null,
    }));
    const call: HostCall = {
      name: spec.name,
      instance: named,
      sizes: told,
      carried: spec.carried,
      points: chosen?.length ?? null,
      operands,
      results,
      signal,
    };
    const answers = await askHost(call, run, spec.place);
    answers.forEach(({ words: { buffer, byteOffset, length } }, i) =>
      views[i]?.scatter(new Uint32Array(buffer, byteOffset, length), outputs[i] ?? missing('output')),
    );
  }
  return outputs;
}

/** Every index tuple of a shape, row-major; one empty tuple for no axes. */
function* points(shape: readonly number[]): Generator<readonly number[]> {
  const count = elementCount(shape);
  for (let linear = 0; linear < count; linear++) yield unravel(linear, shape);
}

function unravel(linear: number, shape: readonly number[]): readonly number[] {
  const indices: number[] = [];
  let rest = linear;
  for (let i = shape.length - 1; i >= 0; i--) {
    const size = shape[i] ?? missing('extent');
    indices.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return indices;
}

/** Batch points (index tuples) that an instance has to compute. */
function wantedPoints(
  mask: Uint32Array | null,
  sizes: Sizes,
  axes: readonly AxisSpec[],
  instance: ReadonlyMap<string, number>,
  batchShape: readonly number[],
): readonly (readonly number[])[] {
  const shape = evaluateShape(axes, sizes);
  // Family axes come first, so an instance's part of the mask is one stretch.
  const first = axes.reduce(
    (at, { name }, i) => (instance.has(name) ? at * (shape[i] ?? missing('extent')) + (instance.get(name) ?? 0) : at),
    0,
  );
  const count = elementCount(batchShape);
  const chosen: (readonly number[])[] = [];
  for (let i = 0; i < count; i++) {
    if (mask === null || mask[first * count + i] !== 0) chosen.push(unravel(i, batchShape));
  }
  return chosen;
}

/** A tensor as one call sees it: family axes fixed, batch axes gathered to points if there are such. */
class View {
  readonly axes: readonly AxisSpec[];
  readonly shape: readonly number[];
  readonly #own: readonly { readonly size: number; readonly stride: number }[];
  /** Offset of each point's row; a single one where nothing is gathered. */
  readonly #rows: readonly number[];

  constructor(
    axes: readonly AxisSpec[],
    sizes: Sizes,
    instance: ReadonlyMap<string, number>,
    batch: readonly AxisSpec[],
    chosen: readonly (readonly number[])[] | null,
  ) {
    const shape = evaluateShape(axes, sizes);
    const strides = shape.map((_, i) => elementCount(shape.slice(i + 1)));
    const batchNames = chosen === null ? [] : batch.map(({ name }) => name);
    const own = axes.flatMap((axis, i) => {
      if (instance.has(axis.name) || batchNames.includes(axis.name)) return [];
      return [{ axis, size: shape[i] ?? missing('extent'), stride: strides[i] ?? missing('stride') }];
    });
    const fixed = axes.reduce(
      (offset, { name }, i) => offset + (instance.get(name) ?? 0) * (strides[i] ?? missing('stride')),
      0,
    );
    // An operand that lacks the axis does not move along it.
    const strideOf = (name: string): number => {
      const i = axes.findIndex((axis) => axis.name === name);
      return i < 0 ? 0 : (strides[i] ?? missing('stride'));
    };
    this.#own = own;
    this.#rows =
      chosen === null
        ? [fixed]
        : chosen.map((point) =>
            batchNames.reduce((offset, name, i) => offset + (point[i] ?? missing('index')) * strideOf(name), fixed),
          );
    const ownSizes = own.map(({ size }) => size);
    const ownAxes = own.map(({ axis }) => axis);
    this.axes = chosen === null ? ownAxes : [{ name: 'points', size: chosen.length }, ...ownAxes];
    this.shape = chosen === null ? ownSizes : [chosen.length, ...ownSizes];
  }

  gather(words: Uint32Array): Uint32Array<ArrayBuffer> {
    const gathered = new Uint32Array(elementCount(this.shape));
    let at = 0;
    for (const offset of this.#offsets()) gathered[at++] = words[offset] ?? missing('word');
    return gathered;
  }

  scatter(numbers: Uint32Array, target: Uint32Array): void {
    let at = 0;
    for (const offset of this.#offsets()) target[offset] = numbers[at++] ?? missing('number');
  }

  *#offsets(): Generator<number> {
    const shape = this.#own.map(({ size }) => size);
    for (const row of this.#rows) {
      for (const point of points(shape)) {
        yield point.reduce((offset, index, i) => offset + index * (this.#own[i]?.stride ?? 1), row);
      }
    }
  }
}
