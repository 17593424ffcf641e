/**
 * Routes as callers see them: for each source, which targets are present, in order of rank, and with which weights.
 *
 * Shapes: with sources S, targets X (one linear index, row-major), payload Y and at most K present for a source,
 * `indices` is [S…, K], −1 where there is none, and `weights` [S…, K, Y…], 0 there.
 */
import { missing } from './bug.ts';
import { RunError } from './errors.ts';
import type { AxisSpec, ResultSpec } from './manifest.ts';
import { type Sizes, elementCount, evaluateCount, evaluateShape } from './sizes.ts';
import { type Tensor, fromWords } from './tensors.ts';

export interface Route {
  readonly kind: 'route';
  readonly indices: Tensor;
  readonly weights: Tensor;
  /** The same, dense: over sources and targets, `weight` also over the payload. Absent points mean nothing there. */
  readonly present: Tensor;
  readonly rank: Tensor;
  readonly weight: Tensor;
}

type RouteSpec = Extract<ResultSpec, { readonly kind: 'route' }>;

/** How many points a route has: of its sources and targets, and of one source present at most. */
export interface RouteCounts {
  readonly sources: number;
  readonly targets: number;
  readonly maxPresent: number;
}

/**
 * The targets of each source in order of rank (of equal ranks the smaller target first): [sources, most], −1 behind the last one.
 * Throws RunError MOE0700 for a source that has more than `most`.
 */
export function rankedTargets(
  name: string,
  present: ArrayLike<number>,
  ranks: ArrayLike<number>,
  { sources, targets, maxPresent }: RouteCounts,
): Int32Array<ArrayBuffer> {
  const indices = new Int32Array(sources * maxPresent).fill(-1);
  const order: number[] = [];
  const rankOf = (point: number): number => ranks[point] ?? missing('rank');
  for (let source = 0; source < sources; source++) {
    const first = source * targets;
    order.length = 0;
    for (let target = 0; target < targets; target++) if (present[first + target] !== 0) order.push(target);
    order.sort((a, b) => rankOf(first + a) - rankOf(first + b) || a - b);
    if (order.length > maxPresent) {
      const told = `the route ${name} has ${order.length} present points where ${maxPresent} are the most`;
      throw new RunError('MOE0700', told, name, new Map());
    }
    indices.set(order, source * maxPresent);
  }
  return indices;
}

/** Goes over the ranked points: `point` counts points of the support, `position` entries of `indices`. */
export function forEachRanked(
  indices: Int32Array,
  { targets, maxPresent }: Pick<RouteCounts, 'targets' | 'maxPresent'>,
  visit: (point: number, position: number) => void,
): void {
  indices.forEach((target, position) => {
    if (target >= 0) visit(Math.floor(position / maxPresent) * targets + target, position);
  });
}

/** A route from the words of its three buffers. */
export function readRoute(
  spec: RouteSpec,
  sizes: Sizes,
  words: {
    readonly present: Uint32Array<ArrayBuffer>;
    readonly weight: Uint32Array<ArrayBuffer>;
    readonly rank: Uint32Array<ArrayBuffer>;
  },
): Route {
  const sources = evaluateShape(spec.sources, sizes);
  const targets = evaluateShape(spec.targets, sizes);
  const payload = evaluateShape(spec.payload, sizes);
  const maxPresent = evaluateCount(spec.most, sizes, `the most present points of ${spec.name}`);
  const counts = { sources: elementCount(sources), targets: elementCount(targets), maxPresent };
  const width = elementCount(payload);
  const ranks = new Int32Array(words.rank.buffer, words.rank.byteOffset, words.rank.length);
  const indices = rankedTargets(spec.name, words.present, ranks, counts);
  const weights = new Uint32Array(indices.length * width);
  forEachRanked(indices, counts, (point, position) =>
    weights.set(words.weight.subarray(point * width, (point + 1) * width), position * width),
  );
  const along: AxisSpec = { name: 'rank', size: maxPresent };
  const indexAxes = [...spec.sources, along];
  const denseAxes = [...spec.sources, ...spec.targets];
  const denseShape = [...sources, ...targets];
  const indexWords = new Uint32Array(indices.buffer);
  return {
    kind: 'route',
    indices: fromWords('i32', indexAxes, [...sources, maxPresent], indexWords),
    weights: fromWords(spec.element, [...indexAxes, ...spec.payload], [...sources, maxPresent, ...payload], weights),
    present: fromWords('bool', denseAxes, denseShape, words.present),
    rank: fromWords('i32', denseAxes, denseShape, words.rank),
    weight: fromWords(spec.element, [...denseAxes, ...spec.payload], [...denseShape, ...payload], words.weight),
  };
}
