/** Results of a plan, made of the words of its buffers: the same for every executor. */
import type { ResultSpec } from './manifest.ts';
import { type Route, readRoute } from './routes.ts';
import { type Sizes, evaluateShape } from './sizes.ts';
import { type Tensor, fromWords } from './tensors.ts';

export type ResultValue = (Tensor & { readonly kind: 'tensor' }) | Route;

/** The plan buffers a result is read from. */
export function buffersOfResult(result: ResultSpec): readonly number[] {
  return result.kind === 'tensor' ? [result.buffer] : [result.present, result.weight, result.rank];
}

/** A result of the words of its buffers, by number. Throws RunError MOE0700 for a route with more points than its bound. */
export function readResult(
  result: ResultSpec,
  sizes: Sizes,
  words: (buffer: number) => Uint32Array<ArrayBuffer>,
): ResultValue {
  if (result.kind === 'tensor') {
    const shape = evaluateShape(result.axes, sizes);
    return { kind: 'tensor', ...fromWords(result.element, result.axes, shape, words(result.buffer)) };
  }
  return readRoute(result, sizes, {
    present: words(result.present),
    weight: words(result.weight),
    rank: words(result.rank),
  });
}
