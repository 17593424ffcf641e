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
  const most = evaluateCount(spec.most, sizes, `the most present points of ${spec.name}`);
  const sourceCount = elementCount(sources);
  const targetCount = elementCount(targets);
  const payloadCount = elementCount(payload);
  const ranks = new Int32Array(words.rank.buffer, words.rank.byteOffset, words.rank.length);
  const indices = new Int32Array(sourceCount * most).fill(-1);
  const weights = new Uint32Array(sourceCount * most * payloadCount);
  const order: number[] = [];
  for (let source = 0; source < sourceCount; source++) {
    const first = source * targetCount;
    order.length = 0;
    for (let target = 0; target < targetCount; target++) if (words.present[first + target] !== 0) order.push(target);
    order.sort((a, b) => (ranks[first + a] ?? missing('rank')) - (ranks[first + b] ?? missing('rank')) || a - b);
    if (order.length > most) {
      const told = `the route ${spec.name} has ${order.length} present points where ${most} are the most`;
      throw new RunError('MOE0700', told, spec.name, new Map());
    }
    for (const [k, target] of order.entries()) {
      const place = source * most + k;
      indices[place] = target;
      const from = (first + target) * payloadCount;
      weights.set(words.weight.subarray(from, from + payloadCount), place * payloadCount);
    }
  }
  const along: AxisSpec = { name: 'rank', size: most };
  const indexAxes = [...spec.sources, along];
  const denseAxes = [...spec.sources, ...spec.targets];
  const denseShape = [...sources, ...targets];
  const indexWords = new Uint32Array(indices.buffer);
  return {
    kind: 'route',
    indices: fromWords('i32', indexAxes, [...sources, most], indexWords),
    weights: fromWords(spec.element, [...indexAxes, ...spec.payload], [...sources, most, ...payload], weights),
    present: fromWords('bool', denseAxes, denseShape, words.present),
    rank: fromWords('i32', denseAxes, denseShape, words.rank),
    weight: fromWords(spec.element, [...denseAxes, ...spec.payload], [...denseShape, ...payload], words.weight),
  };
}
