/**
 * What every kernel family is written against: the points a launch computes, and the loops inside one thread.
 *
 * A family is handed *callbacks* that emit code, never a graph: how thread numbers become indices, and what a value is at a
 * point, is the caller's knowledge (schedule/emitting/expression-emitter.ts). `P` is the caller's notion of a point; a family only
 * passes it on. That is the whole interface between the shape of the work (here) and its meaning (there).
 *
 * Invariants:
 * - Point number `id` of a space is element `id` of a buffer stored over that space: output index = thread number.
 * - Thread numbers are linear over a grid folded into two dimensions, and guarded: surplus threads do nothing.
 * - Loop limits are runtime values (uniforms or loads), so that no driver unrolls a kernel into oblivion.
 */
import { CompilerBug } from '../../dsl/diagnostics/bug.ts';
import {
  add,
  div,
  loadArray,
  min,
  convert,
  f32,
  i32,
  localIdX,
  lt,
  mul,
  u32,
  workgroupNumber,
} from '../kernel/make-expressions.ts';
import type { KernelExpr, ScalarType, ArrayDecl } from '../kernel/kernel-ir.ts';
import type { KernelBuilder } from '../kernel/kernel-builder.ts';

/** The points of a launch, one for each thread. */
export interface Space<P> {
  /** Number of points, u32. */
  readonly total: KernelExpr;
  /** Emits how point number `id` is decoded and, where that point exists, what `inside` emits. */
  enter(id: KernelExpr, inside: (point: P) => void): void;
}

/** Emits a loop nest inside one thread: `body` is emitted once, for a point that extends `point`. */
export type Loop<P> = (point: P, body: (inner: P) => void) => void;

/** Emits the computation of a value at a point and returns it. */
export type PointValue<P> = (point: P) => KernelExpr;

/** The number of the thread in such a grid. */
export function threadNumber(k: KernelBuilder): KernelExpr {
  if (!k.isLinear)
    throw new CompilerBug('kernels', `${k.name} has workgroups of three dimensions, which no number counts`);
  return k.let(add(mul(workgroupNumber, k.workgroupSize), localIdX), 'id');
}

/**
 * A thread's share of a line that all threads of a workgroup cover together: neighbours, `first .. end`, in the order of the threads.
 * Nothing is shared beyond `limit`.
 */
export function shareOf(
  k: KernelBuilder,
  length: KernelExpr,
  limit = length,
): readonly [first: KernelExpr, end: KernelExpr] {
  const run = k.let(div(add(length, k.workgroupSize - 1), k.workgroupSize), 'run');
  const first = k.let(min(mul(localIdX, run), limit), 'first');
  return [first, k.let(min(add(first, run), limit), 'end')];
}

/** What the threads before this one have in a workgroup array, one number each, put together from 0 on. */
export function beforeThis(
  k: KernelBuilder,
  array: ArrayDecl,
  combine: (left: KernelExpr, right: KernelExpr) => KernelExpr,
): KernelExpr {
  const before = k.var(u32(0), 'before');
  k.forRange(u32(0), localIdX, 1, (i) => k.assign(before, combine(before, loadArray(array, i))));
  return before;
}

/** Emits `body` for every thread whose number is below `total`. */
export function forEachThread(k: KernelBuilder, total: KernelExpr, body: (id: KernelExpr) => void): void {
  const id = threadNumber(k);
  k.when(lt(id, total), () => body(id));
}

/** Emits `body` once for each point of a space, one thread each. */
export function forEachPoint<P>(k: KernelBuilder, space: Space<P>, body: (point: P, id: KernelExpr) => void): void {
  forEachThread(k, space.total, (id) => space.enter(id, (point) => body(point, id)));
}

/** How a value is stored: bool as 0 or 1. */
export function stored(value: KernelExpr): KernelExpr {
  return value.type === 'bool' ? convert('u32', value) : value;
}

/** The ends of a type, infinite in f32: what a maximum or minimum over nothing is. */
export function extreme(type: ScalarType, side: 'lowest' | 'highest'): KernelExpr {
  switch (type) {
    case 'f32':
      return f32(side === 'lowest' ? -Infinity : Infinity);
    case 'i32':
      return i32(side === 'lowest' ? -2147483648 : 2147483647);
    case 'u32':
      return u32(side === 'lowest' ? 0 : 4294967295);
    case 'bool':
      throw new CompilerBug('kernels', 'a bool has no extreme');
  }
}

/** A counter with several digits: index = ((i0 * n1 + i1) * n2 + i2) … for indices below the sizes, outermost first. */
export function rowMajor(indices: readonly KernelExpr[], sizes: readonly KernelExpr[]): KernelExpr {
  let linear: KernelExpr | null = null;
  for (const [i, index] of indices.entries()) {
    const size = sizes[i];
    if (size === undefined) throw new CompilerBug('kernels', 'an index has no size');
    linear = linear === null ? index : add(mul(linear, size), index);
  }
  return linear ?? u32(0);
}
