/**
 * What a node of a step is at a point of a row. A step is a graph of its own, so its nodes have their own numbers: what it captures is a
 * node of the graph around it, and is what that is at the point; what it carries and keeps is in the memory of the row; all else is
 * computed here.
 */
import { at } from '../../../dsl/diagnostics/invariants.ts';
import { CompilerBug } from '../../../dsl/diagnostics/bug.ts';
import { operandsOfDraft } from '../../graph/draft.ts';
import type { AxisId, Fold, Graph, Node, NodeId } from '../../graph/graph-ir.ts';
import { nodeOf } from '../../graph/node-uses.ts';
import type { KernelExpr } from '../../kernel/kernel-ir.ts';
import { bitcast, convert } from '../../kernel/make-expressions.ts';
import type { RowCell } from '../../kernels/row.ts';
import { reduced } from '../../kernels/reduce-kernel.ts';
import { Sums } from '../../kernels/sums.ts';
import { ExprEmitter, kernelType } from './expression-emitter.ts';
import type { PointAccess } from './point-emitter.ts';
import { inner, knownValue, scopeAt, type PointScope } from './point-scope.ts';
import { RowPoints } from './row-points.ts';
import { termsAlong } from './spaces.ts';

export class FoldEmitter extends ExprEmitter {
  readonly #around: ExprEmitter;
  readonly #fold: Fold;
  readonly #operands: readonly NodeId[];
  readonly #cellOf: (id: NodeId) => RowCell | undefined;
  readonly points: RowPoints;
  readonly #outside = new WeakMap<PointScope, PointScope>();
  #step: KernelExpr | null = null;

  constructor(
    around: ExprEmitter,
    fold: Fold,
    operands: readonly NodeId[],
    cellOf: (id: NodeId) => RowCell | undefined,
    rows: readonly AxisId[],
  ) {
    super(around.launch, accessTo(fold.body, around.placement));
    this.#around = around;
    this.#fold = fold;
    this.#operands = operands;
    this.#cellOf = cellOf;
    this.points = new RowPoints(this, rows);
  }

  /** From here on the step has this number, u32. */
  enterStep(row: PointScope, step: KernelExpr): PointScope {
    this.#step = step;
    return inner(row);
  }

  /** A point along the axis of the steps: that of this step. */
  ofStep(env: PointScope): PointScope {
    if (this.#step === null) throw new CompilerBug('schedule', 'a step has no number here');
    return inner(env, [[this.#fold.axis, this.#step]]);
  }

  /** An operand of the fold, by its place, at a point. */
  operand(i: number, env: PointScope): KernelExpr {
    const input = at(this.#fold.body.inputs, i + 1, 'schedule: operand of a fold');
    return convert(kernelType(input.element), this.#around.value(at(this.#operands, i, 'schedule: operand'), this.#asOutside(env)));
  } // prettier-ignore

  override value(id: NodeId, env: PointScope): KernelExpr {
    const node = nodeOf(this.#fold.body, id);
    const cell = this.#cellOf(id);
    if (node.kind !== 'input' && cell === undefined) return super.value(id, env);
    const known = knownValue(env, id);
    if (known !== undefined) return known;
    const value = this.launch.k.let(cell === undefined ? this.#input(node, env) : cell.load(this.points.placeOf(node.axes, env)));
    env.values.set(id, value);
    return value;
  } // prettier-ignore

  override compute(node: Node, env: PointScope): KernelExpr {
    const { k } = this.launch;
    switch (node.kind) {
      case 'contract': {
        const type = kernelType(node.element);
        const terms = termsAlong(this, node.over);
        const sums = new Sums(k, type, 1, terms.maxTerms);
        const side = (id: NodeId, p: PointScope): KernelExpr => convert(type, this.value(id, p));
        terms.visit(env, (p) => sums.addProduct(0, side(node.left, p), side(node.right, p)), sums.close);
        return sums.total(0);
      }
      case 'reduce': {
        const type = node.op === 'any' ? 'bool' : kernelType(node.element);
        const value = (p: PointScope): KernelExpr => convert(type, this.value(node.operand, p));
        return reduced(k, { op: node.op, type, terms: termsAlong(this, node.over), value }, env);
      }
      case 'gather':
        return this.#lookedUp(node, env);
      default:
        return super.compute(node, env);
    }
  }

  #lookedUp(node: Extract<Node, { kind: 'gather' }>, env: PointScope): KernelExpr {
    const indices = nodeOf(this.#fold.body, node.indices);
    // The number of a step is a point of its axis.
    if (indices.kind === 'input' && indices.input === 0 && node.axis === this.#fold.axis && this.#step !== null)
      return this.value(node.table, inner(env, [[node.axis, this.#step]]));
    return this.gathered(node, env);
  }

  #input(node: Node, env: PointScope): KernelExpr {
    if (node.kind !== 'input') throw new CompilerBug('schedule', `a ${node.kind} is kept nowhere`);
    if (node.input > 0) return this.operand(node.input - 1, env);
    if (this.#step === null) throw new CompilerBug('schedule', 'a step has no number here');
    return bitcast('i32', this.#step);
  }

  /** The same point for nodes of the graph around, whose numbers are others. */
  #asOutside(env: PointScope): PointScope {
    const known = this.#outside.get(env);
    if (known !== undefined) return known;
    const outside = scopeAt(env.axes, env.rows);
    this.#outside.set(env, outside);
    return outside;
  }
}

/** The body of a fold as a plan: nothing of it has a buffer. */
function accessTo(body: Graph, around: PointAccess): PointAccess {
  const uses = new Map<NodeId, number>();
  for (const id of body.nodes.flatMap((node) => operandsOfDraft(node))) uses.set(id, 1 + (uses.get(id) ?? 0));
  return {
    node: (id) => nodeOf(body, id),
    sizeOf: (axis) => around.sizeOf(axis),
    memoryOf: () => null,
    listOf: () => null,
    queueOf: () => null,
    lacks: (node) => {
      throw new CompilerBug('schedule', `a step computes no ${node.kind}`);
    },
    assignmentListBuffers: (list) => around.assignmentListBuffers(list),
    holdsUnder: () => false,
    usesOf: (id) => uses.get(id) ?? 0,
  };
}
