/** Bounds of orders and greatest points: a choice is decided only where no error of its keys reaches across. */
import { idOf } from '../../dsl/types/ids.ts';
import { expect, it } from 'vitest';
import { boundArgmax, boundOrder } from '../../compiler/graph/choice-bound.ts';
import { LARGEST } from '../../compiler/graph/infinity.ts';
import type { NumbersWithBounds } from '../../compiler/graph/row-major-offsets.ts';
import { N, line } from './line.ts';

interface Keys {
  readonly value: readonly number[];
  readonly delta?: readonly number[];
}

const along = ({ value, delta = [] }: Keys): NumbersWithBounds => ({
  axes: [N],
  value: Float64Array.from(value),
  delta: Float64Array.from(value, (_, i) => delta[i] ?? 0),
});

function order(keys: Keys, descending: boolean): readonly (readonly [number, number])[] {
  const n = keys.value.length;
  const out = along({ value: keys.value.map(() => 0) });
  boundOrder(
    {
      kind: 'sort_rank',
      id: idOf(1),
      element: 'i32',
      axes: [N],
      over: [N],
      keys: [{ node: idOf(0), descending }],
      candidates: null,
      report: false,
      span: { source: '', start: 0, end: 0 },
    },
    () => along(keys),
    out,
    line(n),
  );
  return Array.from({ length: n }, (_, i) => [out.value[i] ?? NaN, out.delta[i] ?? NaN] as const);
}

function greatest(keys: Keys): readonly [number, number] {
  const out = { axes: [], value: new Float64Array(1), delta: new Float64Array(1) };
  boundArgmax(along(keys), N, out, line(keys.value.length));
  return [out.value[0] ?? NaN, out.delta[0] ?? NaN];
}

it('NaN stands below -inf, and ties with NaN', () => {
  const value = [1, NaN, -Infinity, NaN, Infinity];
  expect(order({ value }, false)).toEqual([[3, 0], [0, 0], [2, 0], [1, 0], [4, 0]]); // prettier-ignore
  expect(order({ value }, true)).toEqual([[1, 0], [3, 0], [2, 0], [4, 0], [0, 0]]); // prettier-ignore
  expect(greatest({ value })).toEqual([4, 0]);
  expect(greatest({ value: [NaN, -Infinity] })).toEqual([1, 0]);
});

it('equal infinities are a tie that nothing turns, and a finite number is not infinite', () => {
  expect(order({ value: [-LARGEST, -Infinity, -Infinity] }, true)).toEqual([[0, 0], [1, 0], [2, 0]]); // prettier-ignore
  expect(greatest({ value: [-Infinity, -LARGEST] })).toEqual([1, 0]);
});

it('a number that may have rounded to an infinity may stand on either side of it', () => {
  const keys = { value: [Infinity, LARGEST, 0], delta: [0, 2 ** 104, 0] };
  expect(order(keys, true)).toEqual([[0, 1], [1, 1], [2, 0]]); // prettier-ignore
  expect(greatest({ value: [LARGEST, Infinity], delta: [2 ** 104, 0] })).toEqual([1, 2]);
});

it('what may be NaN may stand anywhere', () => {
  const keys = { value: [NaN, 1, 2], delta: [Infinity, 0, 0] };
  expect(order(keys, false)).toEqual([[0, 2], [1, 1], [2, 1]]); // prettier-ignore
  expect(greatest(keys)).toEqual([2, 3]);
});
