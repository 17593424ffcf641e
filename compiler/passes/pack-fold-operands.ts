/**
 * pack-fold-operands
 *
 * What: lays operands of a fold end to end where it has more than a launch can bind. A step reads each of them as a part of the whole.
 * Why: a recurrence is one launch, and whatever its steps read has to be bound at once; a gated cell alone has six weights and six
 * biases. Small operands are packed first, and matrices last: they are copied once a run, which costs what one step costs that reads them.
 * Before: `%9 = fold 0 result 0 %1 … %8`   After: `%7 = concat %10 %11 … along P`, `%9 = fold 0 result 0 %1 … %7`.
 */
import { at, get } from '../../dsl/diagnostics/invariants.ts';
import { apply, asInteger, multiply, one, zero, type Size } from '../../dsl/types/size.ts';
import { GraphBuilder } from '../graph/graph-builder.ts';
import type { AxisId, Fold, FoldId, Graph, GraphInputId, Node, NodeId } from '../graph/graph-ir.ts';
import { copyNode, moveOutput, nodeOf, rewriteGraph } from '../graph/node-uses.ts';
import { inputsOf } from '../graph/outside-tables.ts';
import { webgpuCore } from '../target.ts';
import { dropDeadValues } from './drop-dead-values.ts';
import { definePass } from './pass.ts';

/** Storage buffers that every device binds at once. */
const BOUND = webgpuCore.limits.maxStorageBuffersPerShaderStage;

type FoldNode = Extract<Node, { readonly kind: 'fold' }>;

/** What becomes of the operands of a fold: those that stay, then the packed ones as one. */
interface Packing {
  readonly kept: readonly number[];
  readonly packed: readonly number[];
}

export const packFoldOperands = definePass({
  name: 'pack-fold-operands',
  summary: 'lays operands of a recurrence end to end that a launch could not bind',
  run: (graph) => {
    const packings = packingsOf(graph);
    if (packings.size === 0) return graph;
    const made = new Map<string, { readonly fold: FoldId; readonly whole: NodeId }>();
    const packed = rewriteGraph(graph, (node, b, to) => {
      const packing = node.kind === 'fold' ? packings.get(keyOf(node)) : undefined;
      if (node.kind !== 'fold' || packing === undefined) return null;
      const fold = at(graph.folds, node.fold, 'passes: fold');
      const operand = (i: number): NodeId => to(at(node.operands, i, 'passes: operand of a fold'));
      let there = made.get(keyOf(node));
      if (there === undefined) {
        const parts = packing.packed.map((i) => partOf(b, fold, i));
        const whole = b.axis(
          'Packed',
          parts.map((p) => p.size).reduce((sum, n) => apply('add', sum, n), zero),
        );
        const laid = parts.map(({ axis, axes }, k) => {
          const id = operand(at(packing.packed, k, 'passes: packed operand'));
          return { node: axis === null ? id : b.merge(id, axes, axis), axis };
        });
        there = { fold: b.addFold(withPacked(fold, packing, parts, whole, b)), whole: b.concat(laid, whole) };
        made.set(keyOf(node), there);
      }
      return b.fold(there.fold, [...packing.kept.map(operand), there.whole], node.result);
    });
    // The bodies as they were are nobody's any more.
    return dropDeadValues.run(packed);
  },
});

const keyOf = (node: FoldNode): string => `${node.fold} ${node.operands.join(' ')}`;

function packingsOf(graph: Graph): ReadonlyMap<string, Packing> {
  const found = new Map<string, FoldNode[]>();
  for (const node of graph.nodes)
    if (node.kind === 'fold') found.set(keyOf(node), [...(found.get(keyOf(node)) ?? []), node]);
  const packings = new Map<string, Packing>();
  for (const [key, nodes] of found) {
    const [node] = nodes;
    const packing = node === undefined ? null : packingOf(graph, node, nodes.length);
    if (packing !== null) packings.set(key, packing);
  }
  return packings;
}

function packingOf(graph: Graph, node: FoldNode, results: number): Packing | null {
  const { carried } = at(graph.folds, node.fold, 'passes: fold');
  const bound = node.operands.filter((id) => isBound(graph, id)).length;
  const tooMany = bound + results - BOUND;
  if (tooMany <= 0) return null;
  const weight = (i: number): number => {
    const { axes } = nodeOf(graph, at(node.operands, i, 'passes: operand of a fold'));
    const matrix = axes.length > 1 && axes.every((a) => asInteger(get(graph.axes, a, 'passes: axis').size) !== null);
    return axes.length + (matrix ? graph.axes.size : 0);
  };
  const candidates = node.operands.flatMap((id, i) =>
    i >= carried && isBound(graph, id) && nodeOf(graph, id).element === 'f32' ? [i] : [],
  );
  const order = [...candidates].sort((a, b) => weight(a) - weight(b) || a - b);
  const packed = order.slice(0, tooMany + 1).sort((a, b) => a - b);
  if (packed.length < 2) return null;
  return { packed, kept: node.operands.flatMap((_, i) => (packed.includes(i) ? [] : [i])) };
}

/** Whether a value is in memory, or made of what is: numbers are part of a kernel. */
function isBound(graph: Graph, id: NodeId): boolean {
  const node = nodeOf(graph, id);
  if (node.kind === 'broadcast') return isBound(graph, node.operand);
  return node.kind !== 'constant' && node.kind !== 'size' && node.kind !== 'iota';
}

/** An operand in the whole: its axes, and one axis for all its points; a number has none. */
interface Part {
  readonly axes: readonly AxisId[];
  readonly axis: AxisId | null;
  readonly size: Size;
}

function partOf(b: GraphBuilder, { body }: Fold, i: number): Part {
  const { axes } = at(body.inputs, i + 1, 'passes: operand of a fold');
  if (axes.length === 0) return { axes, axis: null, size: one };
  const size = multiply(axes.map(b.sizeOf));
  return { axes, axis: b.axis('Part', size), size };
}

/** The body with the packed operands as parts of its last input. */
function withPacked(fold: Fold, packing: Packing, parts: readonly Part[], whole: AxisId, b: GraphBuilder): Fold {
  const { body } = fold;
  const inputs = inputsOf(body);
  const nothing = { inputs: [], externs: [], folds: [], nodes: [], outputs: [], checks: [] };
  const made = GraphBuilder.like({ name: body.name, axes: b.finish([]).axes, ...nothing });
  const there = new Map<GraphInputId, NodeId>();
  for (const [id, input] of inputs)
    if (!packing.packed.includes(id - 1)) there.set(id, made.input(made.addInput(input)));
  const all = made.input(made.addInput({ role: 'input', name: 'packed', element: 'f32', axes: [whole], within: null, default: null })); // prettier-ignore
  let from: Size = zero;
  parts.forEach(({ axes, axis, size }, k) => {
    const [id] = at(inputs, at(packing.packed, k, 'passes: packed operand') + 1, 'passes: input of a step');
    const part = made.slice(all, whole, from, axis);
    there.set(id, axis === null ? part : made.split(part, axis, axes));
    from = apply('add', from, size);
  });
  const moved: NodeId[] = [];
  const to = (id: NodeId): NodeId => at(moved, id, 'passes: node of a step');
  for (const node of body.nodes) {
    made.at(node.span);
    moved.push(node.kind === 'input' ? get(there, node.input, 'passes: input of a step') : copyNode(made, node, to));
  }
  return { ...fold, body: made.finish(body.outputs.map((output) => moveOutput(output, to))) };
}
