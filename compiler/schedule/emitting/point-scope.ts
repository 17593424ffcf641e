/**
 * Where a computation of a kernel stands: an index for each axis, a row for each assignment list in scope, and what has been computed there.
 *
 * A scope belongs to the block of statements it was made in. `inner` starts a block or binds more; `rebound` is another point.
 */
import { CompilerBug } from '../../../dsl/diagnostics/bug.ts';
import { at } from '../../../dsl/diagnostics/invariants.ts';
import type { AxisId, NodeId } from '../../graph/graph-ir.ts';
import type { Slots } from '../../graph/slots.ts';
import type { KernelExpr } from '../../kernel/kernel-ir.ts';
import type { AssignmentList, AssignmentListId } from '../memory/memory.ts';

export type Indices = readonly (readonly [AxisId, KernelExpr])[];

/** A point that some slots name: their numbers in their lists, and the axes it is a point of. */
export interface NamedPoint {
  readonly slots: Slots;
  readonly numbers: Indices;
  readonly axes: ReadonlySet<AxisId>;
}

/** Where a computation stands. Bindings of `parent` are among these, with the same expressions. */
export interface PointScope {
  readonly axes: ReadonlyMap<AxisId, KernelExpr>;
  /** u32. */
  readonly rows: ReadonlyMap<AssignmentListId, { readonly assignmentList: AssignmentList; readonly row: KernelExpr }>;
  /** By which slots we came here: the row of a list that has these is known. */
  readonly named: readonly NamedPoint[];
  readonly parent: PointScope | null;
  readonly values: Map<NodeId, KernelExpr>;
  /** Rows that were looked up here, i32: -1 where the point is absent. */
  readonly foundRows: Map<AssignmentListId, KernelExpr>;
  readonly views: Map<NodeId, PointScope>;
}

/** A scope in which nothing is computed yet. */
export function scopeAt(
  axes: PointScope['axes'],
  rows: PointScope['rows'] = new Map(),
  parent: PointScope | null = null,
  named: PointScope['named'] = parent?.named ?? [],
): PointScope {
  return { axes, rows, named, parent, values: new Map(), foundRows: new Map(), views: new Map() };
}

/** The scope of a launch before its points are decoded. */
export function emptyPointScope(): PointScope {
  return scopeAt(new Map());
}

/** What a node is known to be at a place: here, or in a block around it. */
export function knownValue(env: PointScope, id: NodeId): KernelExpr | undefined {
  for (let e: PointScope | null = env; e !== null; e = e.parent) {
    const known = e.values.get(id);
    if (known !== undefined) return known;
  }
  return undefined;
}

/** The same place in a block of its own, or with more axes bound. */
export function inner(env: PointScope, axes: readonly (readonly [AxisId, KernelExpr])[] = []): PointScope {
  if (axes.some(([axis]) => env.axes.has(axis))) return rebound(env, axes);
  const bound = axes.length === 0 ? env.axes : new Map([...env.axes, ...axes]);
  return scopeAt(bound, env.rows, env);
}

/** Another point, where some axes have other indices, or the same in a block that shares nothing: nothing computed so far holds there. */
export function rebound(env: PointScope, axes: readonly (readonly [AxisId, KernelExpr])[]): PointScope {
  const changed = new Set(axes.map(([axis]) => axis));
  const rows = [...env.rows].filter(([, { assignmentList }]) => !assignmentList.axes.some((a) => changed.has(a)));
  const named = env.named.filter((point) => axes.every(([axis]) => !point.axes.has(axis)));
  return scopeAt(new Map([...env.axes, ...axes]), new Map(rows), null, named);
}

/** Each axis with its index: one for one. */
export function paired(axes: readonly AxisId[], indices: readonly KernelExpr[]): Indices {
  if (axes.length !== indices.length)
    throw new CompilerBug('schedule', `${indices.length} indices for ${axes.length} axes`);
  return axes.map((axis, i) => [axis, at(indices, i, 'schedule: index')]);
}
