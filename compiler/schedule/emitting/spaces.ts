/**
 * Iteration spaces and loops of a lowering: how thread numbers and counters become a point scope. These are the callbacks the kernel
 * families are given (kernels/space.ts).
 */
import { CompilerBug } from '../../../dsl/diagnostics/bug.ts';
import { at } from '../../../dsl/diagnostics/invariants.ts';
import { apply, asInteger, exact, multiply } from '../../../dsl/types/size.ts';
import type { Size } from '../../../dsl/types/size.ts';
import { boundOf } from '../../graph/presence-bounds.ts';
import type { AxisId } from '../../graph/graph-ir.ts';
import { add, load, lt, u32 } from '../../kernel/make-expressions.ts';
import type { KernelExpr } from '../../kernel/kernel-ir.ts';
import { rowMajor } from '../../kernels/space.ts';
import type { Loop, Space } from '../../kernels/space.ts';
import { nestOfTerms } from '../../kernels/sums.ts';
import type { TermLoop, Terms } from '../../kernels/sums.ts';
import type { VectorTerms } from '../../kernels/subgroup-tile.ts';
import type { IndexShape, Neighbours } from '../deciding/schedule-ir.ts';
import { enterSlotRow } from './named-points.ts';
import { emptyPointScope, inner, paired, rebound } from './point-scope.ts';
import type { Indices, PointScope } from './point-scope.ts';
import type { ExprEmitter } from './expression-emitter.ts';
import { elementsOf } from '../memory/memory.ts';
import type { StoredSpace } from '../memory/memory.ts';
import type { BufferId } from '../memory/plan.ts';

/** How many vectors of so many neighbours along its last axis a value stored over `space` has. */
export function vectorsOf(space: StoredSpace, sizeOf: (axis: AxisId) => Size, neighbours: Neighbours): Size {
  return elementsOf(space, vectorSizes(space, sizeOf, neighbours));
}

/** Sizes, the last axis counted in vectors. */
function vectorSizes({ axes }: StoredSpace, sizeOf: (axis: AxisId) => Size, lanes: Neighbours): typeof sizeOf {
  const last = axes.at(-1);
  return lanes === 1 ? sizeOf : (axis) => (axis === last ? apply('div', sizeOf(axis), exact(lanes)) : sizeOf(axis));
}

/**
 * One thread for each element of a value stored over `space`, or for so many neighbours along its last axis, whose index counts vectors
 * then; threads of rows that are not there do nothing.
 */
export function pointsOf(lowering: ExprEmitter, space: StoredSpace, neighbours: Neighbours = 1): Space<PointScope> {
  const { launch, placement } = lowering;
  const { assignmentList, axes } = space;
  return {
    total: launch.size(vectorsOf(space, placement.sizeOf, neighbours)),
    enter(id, inside) {
      const sizes = axes.map((a) => launch.size(vectorSizes(space, placement.sizeOf, neighbours)(a)));
      if (assignmentList === null) {
        const digits = lowering.decode(id, sizes);
        inside(inner(emptyPointScope(), paired(axes, digits)));
        return;
      }
      const [row, ...digits] = lowering.decode(id, [launch.size(assignmentList.capacity), ...sizes]);
      if (row === undefined)
        throw new CompilerBug('schedule', `no digit for a row of assignment list ${assignmentList.id}`);
      const { form } = assignmentList;
      if (form.kind === 'slots') {
        enterSlotRow(lowering, assignmentList, form, row, (point) => inside(inner(point, paired(axes, digits))));
        return;
      }
      launch.k.when(lt(row, lowering.count(assignmentList)), () => {
        inside(inner(lowering.enterRow(emptyPointScope(), assignmentList, row), paired(axes, digits)));
      });
    },
  };
}

/** A loop nest over axes, the first outermost. Axes that already have an index get another: all points along them. */
export function alongAxes(lowering: ExprEmitter, axes: readonly AxisId[]): Loop<PointScope> {
  return (point, body) => {
    const nest = (at: number, indices: readonly (readonly [AxisId, KernelExpr])[]): void => {
      const axis = axes[at];
      if (axis === undefined) {
        const again = indices.some(([a]) => point.axes.has(a));
        body(again ? rebound(point, indices) : inner(point, indices));
        return;
      }
      lowering.launch.k.forRange(u32(0), lowering.size(axis), 1, (i) => nest(at + 1, [...indices, [axis, i]]));
    };
    nest(0, []);
  };
}

/**
 * The terms at the points of axes, the last innermost, as their indices: for sums at several points side by side. With `lanes` a round
 * is a vector of neighbours along the last axis, whose index is the vector's number.
 */
export function indexTerms(lowering: ExprEmitter, axes: readonly AxisId[], lanes: 1 | 4 = 1): Terms<null, Indices> {
  return {
    maxTerms: asInteger(multiply(axes.map(lowering.placement.sizeOf))),
    visit: (_, body, close) =>
      nestOfTerms<Indices>(lowering.launch.k, loopsAlong(lowering, axes, lanes), [], body, close, lanes),
  };
}

/** Loops along axes, the last innermost and in vectors of `lanes` neighbours; what is known in them are their indices. */
function loopsAlong(lowering: ExprEmitter, axes: readonly AxisId[], lanes: 1 | 4): readonly TermLoop<Indices>[] {
  return axes.map((a, i) =>
    loopAlong(lowering, a, (at: Indices, n) => [...at, [a, n] as const], i === axes.length - 1 ? lanes : 1),
  );
}

/** The same for subgroups: the last axis by vectors of `lanes` elements, in a loop of its own. */
export function vectorTerms(lowering: ExprEmitter, axes: readonly AxisId[], lanes: 4): VectorTerms<Indices> {
  const loops = loopsAlong(lowering, axes, lanes);
  return {
    maxTerms: asInteger(multiply(axes.map(lowering.placement.sizeOf))),
    outer: loops.slice(0, -1),
    vectors: at(loops, loops.length - 1, 'schedule: last axis of a sum'),
    start: [],
  };
}

/** The terms at the points of axes, the last innermost. Axes that already have an index get another: all points along them. */
export function termsAlong(lowering: ExprEmitter, axes: readonly AxisId[]): Terms<PointScope> {
  const { maxTerms, visit } = indexTerms(lowering, axes);
  return { maxTerms, visit: (point, body, close) => visit(null, (indices) => body(inner(point, indices)), close) };
}

/** The terms at the rows listed for a point's key, in order, and at each at the points of the axes `dense`. */
export function termsOfList(
  lowering: ExprEmitter,
  shape: IndexShape,
  buffers: { readonly list: BufferId; readonly offsets: BufferId },
  dense: readonly AxisId[],
): Terms<PointScope> {
  const { launch, placement } = lowering;
  const { k } = launch;
  const { assignmentList, ancestor, keys } = shape;
  const key = [...(ancestor?.axes ?? []), ...keys];
  const rows = boundOf(assignmentList.bounds, key, assignmentList.axes, placement.sizeOf);
  interface ListPoint {
    readonly env: PointScope;
    readonly indices: Indices;
  }
  return {
    maxTerms: asInteger(multiply([rows, ...dense.map(placement.sizeOf)])),
    visit(point, body, close) {
      const number = k.let(keyOf(lowering, point, shape), 'key');
      const offsets = launch.read(buffers.offsets);
      const list = launch.read(buffers.list);
      const from = k.let(load(offsets, number), 'from');
      const to = k.let(load(offsets, add(number, 1)), 'to');
      launch.span(to, rows);
      const listed: TermLoop<ListPoint> = {
        from,
        to,
        size: null,
        enter: ({ env, indices }, j) => ({
          env: lowering.enterRow(env, assignmentList, k.let(load(list, j), 'row')),
          indices,
        }),
      };
      const loops = dense.map((a) =>
        loopAlong(lowering, a, ({ env, indices }: ListPoint, i) => ({ env, indices: [...indices, [a, i] as const] })),
      );
      const start: ListPoint = { env: point, indices: [] };
      nestOfTerms<ListPoint>(k, [listed, ...loops], start, ({ env, indices }) => body(inner(env, indices)), close);
    },
  };
}

/** A loop over an axis, or over its vectors of `lanes` neighbours. */
export function loopAlong<S>(
  lowering: ExprEmitter,
  axis: AxisId,
  enter: (state: S, i: KernelExpr) => S,
  lanes = 1,
): TermLoop<S> {
  const size = lowering.placement.sizeOf(axis);
  const rounds = lanes === 1 ? size : apply('div', size, exact(lanes));
  return { from: u32(0), to: lowering.launch.size(rounds), size: asInteger(rounds), enter };
}

/** The number of a list's key at a point. */
function keyOf(lowering: ExprEmitter, point: PointScope, shape: IndexShape): KernelExpr {
  const { ancestor, keys } = shape;
  const row = ancestor === null ? undefined : point.rows.get(ancestor.id)?.row;
  const indices = keys.map((a) => lowering.index(point, a));
  const sizes = keys.map((a) => lowering.size(a));
  return row === undefined ? rowMajor(indices, sizes) : rowMajor([row, ...indices], [u32(0), ...sizes]);
}
