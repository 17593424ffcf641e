/**
 * What a launch of a recurrence should have written. Its steps leave nothing in memory but what is collected, so it is evaluated from
 * its operands as a whole, once for all its results. Where what it carries is collected too, each step is evaluated from what the run
 * carried into it, and its bound is that of a step; else the bound is carried from step to step (graph/fold-bound.ts).
 */
import { at, noNumber } from '../../dsl/diagnostics/invariants.ts';
import { boundStep } from '../graph/error-bound.ts';
import { boundFold, type CarriedOn } from '../graph/fold-bound.ts';
import type { AxisId, Graph, Node, NodeId } from '../graph/graph-ir.ts';
import { LARGEST } from '../graph/infinity.ts';
import type { NumbersWithBounds, RowMajorOffsets } from '../graph/row-major-offsets.ts';
import { counted, indexAt, points, type BoundedColumn, type Points } from './point-blocks.ts';

type FoldNode = Extract<Node, { readonly kind: 'fold' }>;

export class FoldEvaluation {
  readonly #graph: Graph;
  readonly #sizes: ReadonlyMap<string, number>;
  readonly #offsets: RowMajorOffsets;
  readonly #value: (id: NodeId, p: Points) => BoundedColumn;
  readonly #isStored: (id: NodeId) => boolean;
  readonly #done = new Map<string, readonly NumbersWithBounds[]>();

  constructor(
    graph: Graph,
    sizes: ReadonlyMap<string, number>,
    offsets: RowMajorOffsets,
    value: (id: NodeId, p: Points) => BoundedColumn,
    isStored: (id: NodeId) => boolean,
  ) {
    this.#graph = graph;
    this.#sizes = sizes;
    this.#offsets = offsets;
    this.#value = value;
    this.#isStored = isStored;
  }

  /** A result of a fold at the points of a block. */
  column(node: FoldNode, p: Points): BoundedColumn {
    const { axes, value, delta } = at(this.#results(node), node.result, 'verify: result of a fold');
    const from = new Int32Array(p.count);
    for (const axis of axes) {
      const [index, length] = [indexAt(p, axis), this.#offsets.length(axis)];
      for (let i = 0; i < from.length; i++) from[i] = (from[i] ?? noNumber()) * length + (index[i] ?? noNumber());
    }
    const v = Float64Array.from(from, (i) => value[i] ?? noNumber());
    const d = Float64Array.from(from, (i) => delta[i] ?? noNumber());
    // From what is beyond f32 on, a device may carry an infinity or what is not a number.
    const gone = v.some((each) => !(Math.abs(each) <= LARGEST));
    return { v, d, left: gone ? Uint8Array.from(v, (each) => (Math.abs(each) <= LARGEST ? 0 : 1)) : null };
  }

  #results(node: FoldNode): readonly NumbersWithBounds[] {
    const key = `${node.fold} ${node.operands.join(' ')}`;
    const known = this.#done.get(key);
    if (known !== undefined) return known;
    const fold = at(this.#graph.folds, node.fold, 'verify: fold');
    const operands = node.operands.map((id, i) => this.#whole(id, at(fold.body.inputs, i + 1, 'verify: input').axes));
    const results = boundFold(fold, operands, this.#sizes, boundStep(this.#sizes), this.#carriedOn(node));
    this.#done.set(key, results);
    return results;
  }

  /** What is carried on is in memory where a result collects it. */
  #carriedOn(node: FoldNode): CarriedOn {
    const { carried, body } = at(this.#graph.folds, node.fold, 'verify: fold');
    const values = body.outputs.map((output, k) => {
      if (k >= carried || output.kind !== 'tensor') return null;
      const result = body.outputs.findIndex((o, i) => i >= carried && o.kind === 'tensor' && o.node === output.node);
      const found = this.#graph.nodes.find(
        (n) => n.kind === 'fold' && n.fold === node.fold && n.result === result && n.operands.join() === node.operands.join(),
      );
      if (found === undefined || !this.#isStored(found.id)) return null;
      return this.#whole(found.id, [at(found.axes, 0, 'verify: axis of steps'), ...output.axes]).value;
    }); // prettier-ignore
    return (k, step) => {
      const value = values[k];
      if (value === undefined || value === null) return null;
      const { axes } = at(body.inputs, k + 1, 'verify: input');
      const length = this.#offsets.count(axes);
      return value.slice(step * length, (step + 1) * length);
    };
  }

  /** A value at all its points. */
  #whole(id: NodeId, axes: readonly AxisId[]): NumbersWithBounds {
    const total = this.#offsets.count(axes);
    const lengths = axes.map((axis) => ({ axis, length: this.#offsets.length(axis) }));
    const { v, d } = this.#value(id, points(total, counted(0, total, lengths)));
    return { axes, value: v, delta: d };
  }
}
