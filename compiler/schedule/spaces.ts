/**
 * Iteration spaces and loops of a lowering: how thread numbers and counters become an Env. These are the callbacks the kernel
 * families are given (kernels/space.ts).
 */
import { multiply } from '../../dsl/meaning/size.ts';
import type { AxisId } from '../graph/ir.ts';
import { add, load, lt, u32 } from '../kernel/build.ts';
import type { Expr } from '../kernel/ir.ts';
import { rowMajor } from '../kernels/space.ts';
import type { Loop, Space } from '../kernels/space.ts';
import type { IndexShape } from './choose-kernels.ts';
import { emptyEnv, inner, rebound } from './env.ts';
import type { Env } from './env.ts';
import type { Lowering } from './expression-lowering.ts';
import { elementsOf } from './memory.ts';
import type { StoredSpace } from './memory.ts';

/** One thread for each element of a value stored over `space`; threads of rows that are not there do nothing. */
export function pointsOf(lowering: Lowering, space: StoredSpace): Space<Env> {
  const { launch, placement } = lowering;
  const { relation, axes } = space;
  return {
    total: launch.size(elementsOf(space, placement.sizeOf)),
    enter(id, inside) {
      const sizes = axes.map((a) => lowering.size(a));
      if (relation === null) {
        const digits = lowering.decode(id, sizes);
        inside(inner(emptyEnv(), zip(axes, digits)));
        return;
      }
      const [row, ...digits] = lowering.decode(id, [launch.size(relation.capacity), ...sizes]);
      if (row === undefined) return;
      launch.k.when(lt(row, lowering.count(relation)), () => {
        inside(inner(lowering.enterRow(emptyEnv(), relation, row), zip(axes, digits)));
      });
    },
  };
}

function zip(axes: readonly AxisId[], indices: readonly Expr[]): readonly (readonly [AxisId, Expr])[] {
  return axes.flatMap((axis, i) => {
    const index = indices[i];
    return index === undefined ? [] : [[axis, index] as const];
  });
}

/** A loop nest over axes, the first outermost. Axes that already have an index get another: all points along them. */
export function alongAxes(lowering: Lowering, axes: readonly AxisId[]): Loop<Env> {
  return (point, body) => {
    const nest = (at: number, indices: readonly (readonly [AxisId, Expr])[]): void => {
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

/** The loop nest of contracted axes by itself, giving the indices. */
export function indicesAlong(lowering: Lowering, axes: readonly AxisId[]) {
  return (body: (indices: readonly (readonly [AxisId, Expr])[]) => void): void => {
    const nest = (at: number, indices: readonly (readonly [AxisId, Expr])[]): void => {
      const axis = axes[at];
      if (axis === undefined) body(indices);
      else lowering.launch.k.forRange(u32(0), lowering.size(axis), 1, (i) => nest(at + 1, [...indices, [axis, i]]));
    };
    nest(0, []);
  };
}

/** The rows listed for the point's key, in order; then the nest over `dense` at each. */
export function alongList(
  lowering: Lowering,
  shape: IndexShape,
  buffers: { readonly list: number; readonly offsets: number },
  dense: readonly AxisId[],
): Loop<Env> {
  const { k } = lowering.launch;
  return (point, body) => {
    const key = k.let(keyOf(lowering, point, shape), 'key');
    const offsets = lowering.launch.read(buffers.offsets);
    const list = lowering.launch.read(buffers.list);
    k.forRange(k.let(load(offsets, key)), load(offsets, add(key, 1)), 1, (j) => {
      const row = k.let(load(list, j), 'row');
      alongAxes(lowering, dense)(lowering.enterRow(point, shape.relation, row), body);
    });
  };
}

/** The number of a list's key at a point. */
function keyOf(lowering: Lowering, point: Env, shape: IndexShape): Expr {
  const { ancestor, keys } = shape;
  const row = ancestor === null ? undefined : point.rows.get(ancestor.id)?.row;
  const indices = keys.map((a) => lowering.index(point, a));
  const sizes = keys.map((a) => lowering.size(a));
  return row === undefined ? rowMajor(indices, sizes) : rowMajor([row, ...indices], [u32(0), ...sizes]);
}

/** Number of keys of a list. */
export function keyCount(lowering: Pick<Lowering, 'placement'>, shape: IndexShape) {
  const sizes = shape.keys.map(lowering.placement.sizeOf);
  return multiply(shape.ancestor === null ? sizes : [shape.ancestor.capacity, ...sizes]);
}
