/**
 * Puts a graph with domains into an order in which the presences of a node's domain come before the node, drops what
 * neither an output nor a domain needs, and renumbers.
 */
import { at, get } from '../../dsl/diagnostics/invariants.ts';
import { idOf } from '../../dsl/types/ids.ts';
import { CompilerBug } from '../../dsl/diagnostics/bug.ts';
import type { Domain, SparseGraph } from '../graph/domains.ts';
import type { Graph, Node, NodeId } from '../graph/graph-ir.ts';
import { callsOf } from '../graph/outside-tables.ts';
import { moveCheck, moveOutput, operandsOf, outputNodes, whereNumbersCount } from '../graph/node-uses.ts';

export function inDependencyOrder({ graph, domains }: SparseGraph): SparseGraph {
  const presences = (id: NodeId): readonly NodeId[] => get(domains, id, 'passes: domain of node').presences;
  const state = new Map<NodeId, 'open' | 'done'>();
  const order: Node[] = [];
  for (const output of [...new Set(outputNodes(graph))].sort((a, b) => a - b)) visit(output);
  const newIds = new Map(order.map((node, index) => [node.id, idOf<NodeId>(index)]));
  const to = (id: NodeId): NodeId => {
    const there = newIds.get(id);
    if (there === undefined) throw new CompilerBug('pass sparsify', `%${id} is gone`);
    return there;
  };
  const nodes = order.map((node) => withOperands(node, to));
  const inputs = graph.inputs.map((l) => (l.default === null ? l : { ...l, default: to(l.default) }));
  const live = new Set(order.flatMap((n) => (n.kind === 'extern' ? [n.call] : [])));
  const externs = callsOf(graph).map(([id, e]) =>
    live.has(id) ? { ...e, operands: e.operands.map((o) => ({ ...o, node: to(o.node) })) } : { ...e, operands: [] },
  );
  const renumbered: Graph = {
    ...graph,
    inputs,
    externs,
    nodes,
    outputs: graph.outputs.map((r) => moveOutput(r, to)),
    checks: graph.checks.map((c) => moveCheck(c, to)),
  };
  const moved = order.map((node): [NodeId, Domain] => {
    const domain = get(domains, node.id, 'passes: domain of node');
    return [to(node.id), { ...domain, presences: domain.presences.map(to).sort((a, b) => a - b) }];
  });
  return { graph: renumbered, domains: new Map(moved) };

  /** Depth first, without recursion: a chain of layers is deeper than a stack of calls may be. */
  function visit(root: NodeId): void {
    const stack: { readonly node: Node; readonly needs: readonly NodeId[]; next: number }[] = [];
    const enter = (id: NodeId): void => {
      const node = graph.nodes[id];
      if (node === undefined) throw new CompilerBug('pass sparsify', `no node ${id}`);
      state.set(id, 'open');
      // A control's default is computed before anybody reads the control.
      const defaultNode = node.kind === 'input' ? at(graph.inputs, node.input, 'passes: input').default : null;
      const needs = [
        ...operandsOf(graph, node),
        ...presences(id),
        ...(defaultNode === null ? [] : [defaultNode]),
        ...whereNumbersCount(graph, node),
      ];
      stack.push({ node, needs: needs.sort((a, b) => a - b), next: 0 });
    };
    if (state.has(root)) return;
    enter(root);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const need = top.needs[top.next++];
      if (need === undefined) {
        state.set(top.node.id, 'done');
        order.push(top.node);
        stack.pop();
      } else if (state.get(need) === 'open') {
        throw new CompilerBug('pass sparsify', `where %${need} is computed depends on itself`);
      } else if (!state.has(need)) enter(need);
    }
  }
}

/** The node under its new number, reading its operands under theirs. */
function withOperands(node: Node, to: (id: NodeId) => NodeId): Node {
  const id = to(node.id);
  switch (node.kind) {
    case 'constant':
    case 'size':
    case 'iota':
    case 'input':
    case 'draw':
    case 'extern':
      return { ...node, id };
    case 'map':
    case 'fold':
      return { ...node, id, operands: node.operands.map(to) };
    case 'predicated':
      return { ...node, id, presence: to(node.presence), value: to(node.value) };
    case 'presence':
      return { ...node, id, mask: to(node.mask) };
    case 'contract':
      return { ...node, id, left: to(node.left), right: to(node.right) };
    case 'sort_rank': {
      const keys = node.keys.map((k) => ({ ...k, node: to(k.node) }));
      return { ...node, id, keys, candidates: node.candidates === null ? null : to(node.candidates) };
    }
    case 'choose': {
      const moved = (part: NodeId | null): NodeId | null => (part === null ? null : to(part));
      return { ...node, id, key: moved(node.key), candidates: moved(node.candidates), count: moved(node.count) };
    }
    case 'gather':
      return { ...node, id, table: to(node.table), indices: to(node.indices) };
    case 'concat':
      return { ...node, id, parts: node.parts.map((p) => ({ ...p, node: to(p.node) })) };
    case 'reduce':
    case 'scan':
    case 'argmax':
    case 'rename':
    case 'slice':
    case 'split':
    case 'merge':
    case 'broadcast':
      return { ...node, id, operand: to(node.operand) };
  }
}
