/**
 * What a node is at a point of a row: what the row holds is in the memory of the row, what it does not hold of its own values is computed
 * again, and all else is what it is anywhere.
 */
import type { AxisId, NodeId } from '../../graph/graph-ir.ts';
import type { KernelExpr } from '../../kernel/kernel-ir.ts';
import { bool } from '../../kernel/make-expressions.ts';
import type { RowCell } from '../../kernels/row.ts';
import { ExprEmitter } from './expression-emitter.ts';
import { isKnownTrue } from './known-true.ts';
import { knownValue, type PointScope } from './point-scope.ts';
import { RowPoints } from './row-points.ts';

export class RowEmitter extends ExprEmitter {
  readonly points: RowPoints;
  readonly #cells: ReadonlyMap<NodeId, RowCell>;
  /** What was read of what the row holds. */
  readonly loaded = new Set<NodeId>();

  /** `own`: what the row computes, which has no memory as far as the row can see. */
  constructor(
    around: ExprEmitter,
    rows: readonly AxisId[],
    own: ReadonlySet<NodeId>,
    cells: ReadonlyMap<NodeId, RowCell>,
  ) {
    const { placement } = around;
    super(around.launch, {
      node: (id) => placement.node(id),
      sizeOf: (axis) => placement.sizeOf(axis),
      memoryOf: (id) => (own.has(id) ? null : placement.memoryOf(id)),
      listOf: (presence) => placement.listOf(presence),
      queueOf: (place) => placement.queueOf(place),
      assignmentListBuffers: (list) => placement.assignmentListBuffers(list),
      holdsUnder: (presences, presence) => placement.holdsUnder(presences, presence),
      usesOf: (id) => placement.usesOf(id),
      lacks: (id) => placement.lacks(id),
    });
    this.points = new RowPoints(this, rows);
    this.#cells = cells;
  }

  override value(id: NodeId, env: PointScope): KernelExpr {
    const cell = this.#cells.get(id);
    if (cell === undefined) return super.value(id, env);
    const known = knownValue(env, id);
    if (known !== undefined) return known;
    const node = this.placement.node(id);
    if (node.element === 'bool' && isKnownTrue(this.placement, id, env)) return bool(true);
    this.loaded.add(id);
    const value = this.launch.k.let(cell.load(this.points.placeOf(node.axes, env)));
    env.values.set(id, value);
    return value;
  }
}
