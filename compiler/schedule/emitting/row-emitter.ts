/**
 * What a node is at a point of a row: what the row holds is in the memory of the row, what it does not hold of its own values is computed
 * again, and all else is what it is anywhere.
 */
import type { AxisId, NodeId } from '../../graph/graph-ir.ts';
import type { KernelExpr } from '../../kernel/kernel-ir.ts';
import { bool } from '../../kernel/make-expressions.ts';
import type { RowCell } from '../../kernels/row.ts';
import { rowMajor } from '../../kernels/space.ts';
import { ExprEmitter } from './expression-emitter.ts';
import { isKnownTrue } from './known-true.ts';
import type { PointScope } from './point-scope.ts';

export class RowEmitter extends ExprEmitter {
  readonly #rows: ReadonlySet<AxisId>;
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
      assignmentListBuffers: (list) => placement.assignmentListBuffers(list),
      holdsUnder: (presences, presence) => placement.holdsUnder(presences, presence),
      usesOf: (id) => placement.usesOf(id),
      lacks: (id) => placement.lacks(id),
    });
    this.#rows = new Set(rows);
    this.#cells = cells;
  }

  /** The place of a point in what the row holds of a value over these axes. */
  placeOf(axes: readonly AxisId[], env: PointScope): KernelExpr {
    const local = axes.filter((a) => !this.#rows.has(a));
    return rowMajor(
      local.map((a) => this.index(env, a)),
      local.map((a) => this.size(a)),
    );
  }

  override value(id: NodeId, env: PointScope): KernelExpr {
    const cell = this.#cells.get(id);
    if (cell === undefined) return super.value(id, env);
    for (let e: PointScope | null = env; e !== null; e = e.parent) {
      const known = e.values.get(id);
      if (known !== undefined) return known;
    }
    const node = this.placement.node(id);
    if (node.element === 'bool' && isKnownTrue(this.placement, id, env)) return bool(true);
    this.loaded.add(id);
    const value = this.launch.k.let(cell.load(this.placeOf(node.axes, env)));
    env.values.set(id, value);
    return value;
  }
}
