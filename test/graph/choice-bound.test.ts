/** Bounds of orders and greatest points: a choice is decided only where no error of its keys reaches across. */
import { idOf } from '../../dsl/types/ids.ts';
import { expect, it } from 'vitest';
import { at } from '../../dsl/diagnostics/invariants.ts';
import { exact } from '../../dsl/types/size.ts';
import { boundArgmax, boundChoice, boundOrder } from '../../compiler/graph/choice-bound.ts';
import { LARGEST } from '../../compiler/graph/infinity.ts';
import type { AxisId, NodeId } from '../../compiler/graph/graph-ir.ts';
import { RowMajorOffsets, type NumbersWithBounds } from '../../compiler/graph/row-major-offsets.ts';
import { N, line, lineGraph } from './line.ts';

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
      over: [N],
      keys: [{ node: idOf(0), descending }],
      candidates: null,
    },
    () => along(keys),
    out,
    line(n),
  );
  return Array.from({ length: n }, (_, i) => [out.value[i] ?? NaN, out.delta[i] ?? NaN] as const);
}

/** The positions of the best two of a line that has three slots, each with its bound. */
function best(
  keys: Keys,
  candidates: Keys = { value: keys.value.map(() => 1) },
): readonly (readonly [number, number])[] {
  const n = keys.value.length;
  const S = idOf<AxisId>(1);
  const out = { axes: [S], value: new Float64Array(3), delta: new Float64Array(3) };
  const { axes, ...graph } = lineGraph(n);
  const places = new RowMajorOffsets(
    { ...graph, axes: new Map([...axes, [S, { id: S, name: 'S', size: exact(3) }]]) },
    new Map(),
  );
  const count = { axes: [], value: Float64Array.of(2), delta: new Float64Array(1) };
  const node = { key: idOf<NodeId>(0), candidates: idOf<NodeId>(2), count: idOf<NodeId>(1), over: [N], along: S };
  const operands = [along(keys), count, along(candidates)];
  boundChoice(node, (id) => at(operands, id, 'graph: operand'), out, places);
  return Array.from({ length: 3 }, (_, i) => [out.value[i] ?? NaN, out.delta[i] ?? NaN] as const);
}

it('a choice is decided up to the first point that may be in it or not', () => {
  expect(best({ value: [1, 3, 2, 3] })).toEqual([[1, 0], [3, 0], [-1, 0]]); // prettier-ignore
  // The order of two that are both in, or both out, decides nothing.
  expect(best({ value: [3, 3, 1, 1], delta: [0.1, 0.1, 0.1, 0.1] })).toEqual([[0, 0], [1, 0], [-1, 0]]); // prettier-ignore
  expect(best({ value: [5, 0, 2, 2], delta: [0, 0, 0.1, 0.1] })).toEqual([[0, 0], [2, 4], [-1, 4]]); // prettier-ignore
});

it('who may be a candidate or not decides whether others are chosen, wherever they stand', () => {
  // The third may take the place of the first, which then is not chosen.
  expect(best({ value: [1, 3, 2] }, { value: [1, 1, 0], delta: [0, 0, 1] })).toEqual([[0, 3], [1, 3], [-1, 3]]); // prettier-ignore
  // The third may leave its place to the first.
  expect(best({ value: [1, 3, 2] }, { value: [1, 1, 1], delta: [0, 0, 1] })).toEqual([[1, 3], [2, 3], [-1, 3]]); // prettier-ignore
  // It would not be chosen if it were a candidate.
  expect(best({ value: [2, 3, 1] }, { value: [1, 1, 0], delta: [0, 0, 1] })).toEqual([[0, 0], [1, 0], [-1, 0]]); // prettier-ignore
  expect(best({ value: [3, 2, 1] }, { value: [1, 1, 1], delta: [0, 1, 0] })).toEqual([[0, 0], [1, 3], [-1, 3]]); // prettier-ignore
});

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
