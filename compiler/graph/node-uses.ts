/**
 * Walking and rebuilding graphs: who reads what, what is live, and the one helper every pass is made of.
 */
import { CompilerBug, unreachable } from '../../dsl/diagnostics/bug.ts';
import { GraphBuilder } from './graph-builder.ts';
import { operandsOfDraft } from './draft.ts';
import { inputsOf } from './outside-tables.ts';
import type { Check, ExternCallId, Graph, Node, NodeId, GraphOutput } from './graph-ir.ts';

/** The nodes that must be computed before this one. */
export function operandsOf(graph: Graph, node: Node): readonly NodeId[] {
  if (node.kind !== 'extern') return operandsOfDraft(node);
  return graph.externs[node.call]?.operands.map((o) => o.node) ?? [];
}

export function nodeOf(graph: Graph, id: NodeId): Node {
  const node = graph.nodes[id];
  if (node === undefined) throw new CompilerBug('graph', `no node ${id}`);
  return node;
}

export function nodesOfOutput(output: GraphOutput): readonly NodeId[] {
  return output.kind === 'tensor' ? [output.node] : [output.present, output.weight, output.rank];
}

/** The scalars that a check shows. */
export function shownNodes({ shown }: Check): readonly NodeId[] {
  return shown.flatMap((each) => ('node' in each ? [each.node] : []));
}

/** What a check looks at: what must hold, where, and what is shown. */
export function nodesOfCheck(check: Check): readonly NodeId[] {
  return [check.node, ...check.where, ...shownNodes(check)];
}

/** The presences by which an order or argmax decides whether to report a NaN. */
export function whereNumbersCount(graph: Graph, node: Node): readonly NodeId[] {
  if (node.kind !== 'sort_rank' && node.kind !== 'choose' && node.kind !== 'argmax') return [];
  return graph.checks.flatMap((c) => (c.kind === 'numbers' && c.node === node.id ? c.where : []));
}

/** What a run writes in any case: outputs, and the defaults of controls. */
export function writtenNodes(graph: Graph): readonly NodeId[] {
  const defaults = graph.inputs.flatMap((input) => (input.default === null ? [] : [input.default]));
  return [...graph.outputs.flatMap(nodesOfOutput), ...defaults];
}

/** What a run needs in any case: what it writes, and what is checked. */
export function outputNodes(graph: Graph): readonly NodeId[] {
  return [...writtenNodes(graph), ...graph.checks.flatMap(nodesOfCheck)];
}

/** For each node, the nodes that read it, in order and once each. */
export function usesOf(graph: Graph): readonly (readonly NodeId[])[] {
  const uses: NodeId[][] = graph.nodes.map(() => []);
  for (const node of graph.nodes) for (const id of new Set(operandsOf(graph, node))) uses[id]?.push(node.id);
  return uses;
}

/** Whether each node is needed by an output. */
export function liveNodes(graph: Graph): readonly boolean[] {
  const live = graph.nodes.map(() => false);
  for (const id of outputNodes(graph)) live[id] = true;
  for (let id = graph.nodes.length - 1; id >= 0; id--) {
    const node = graph.nodes[id];
    if (node !== undefined && live[id] === true) for (const operand of operandsOf(graph, node)) live[operand] = true;
  }
  return live;
}

/** Makes a node again in a builder, its operands mapped. Shares and simplifies as the builder does. */
export function copyNode(builder: GraphBuilder, node: Node, to: (id: NodeId) => NodeId): NodeId {
  switch (node.kind) {
    case 'constant':
      return builder.constant(node.value, node.element);
    case 'size':
      return builder.size(node.size, node.element);
    case 'iota':
      return builder.iota(node.axis, node.element);
    case 'input':
      return builder.input(node.input);
    case 'draw':
      return builder.draw(node.distribution, node.seedKey, node.roots);
    case 'extern':
      return builder.extern(node.call, node.result);
    case 'fold':
      return builder.fold(node.fold, node.operands.map(to), node.result);
    case 'map':
      return builder.map(node.op, node.operands.map(to), node.element);
    case 'predicated':
      return builder.predicated(to(node.presence), to(node.value), node.otherwise);
    case 'presence':
      return builder.presence(to(node.mask), node.sources, node.targets, node.bounds);
    case 'contract':
      return builder.contract(to(node.left), to(node.right), node.over);
    case 'reduce':
      return builder.reduce(node.op, to(node.operand), node.over);
    case 'scan':
      return builder.scan(to(node.operand), node.axis, node.exclusive);
    case 'sort_rank': {
      const keys = node.keys.map((k) => ({ node: to(k.node), descending: k.descending }));
      return builder.sortRank(keys, node.candidates === null ? null : to(node.candidates), node.over, node.report);
    }
    case 'choose': {
      const { over, along, report } = node;
      const moved = (id: NodeId | null): NodeId | null => (id === null ? null : to(id));
      const [key, candidates, count] = [moved(node.key), moved(node.candidates), moved(node.count)];
      return builder.choose({ key, candidates, count, over, along, report });
    }
    case 'argmax':
      return builder.argmax(to(node.operand), node.axis);
    case 'gather':
      return builder.gather(to(node.table), node.axis, to(node.indices));
    case 'rename':
      return builder.rename(to(node.operand), node.from, node.to);
    case 'slice':
      return builder.slice(to(node.operand), node.axis, node.at, node.as);
    case 'split':
      return builder.split(to(node.operand), node.axis, node.into);
    case 'merge':
      return builder.merge(to(node.operand), node.from, node.into);
    case 'broadcast':
      return builder.broadcast(to(node.operand), node.axes);
    case 'concat': {
      const parts = node.parts.map((p) => ({ node: to(p.node), axis: p.axis }));
      return builder.concat(parts, node.axis);
    }
    default:
      return unreachable(node, 'graph');
  }
}

/**
 * Rebuilds the live part of a graph in order. `rewrite` may give a node something else to become (null: a plain copy);
 * it sees the old node, the builder, and where the old operands went. A node may lose axes along which it is constant
 * only if its users do not mind: elementwise users never do, others get it broadcast back.
 */
export function rewriteGraph(
  graph: Graph,
  rewrite: (node: Node, builder: GraphBuilder, to: (id: NodeId) => NodeId) => NodeId | null,
): Graph {
  const builder = GraphBuilder.like(graph);
  const live = liveNodes(graph);
  const moved: NodeId[] = [];
  const calls = new Map<ExternCallId, ExternCallId>();
  const to = (id: NodeId): NodeId => {
    const there = moved[id];
    if (there === undefined) throw new CompilerBug('graph', `node ${id} is read before it is there`);
    return there;
  };
  for (const node of graph.nodes) {
    if (live[node.id] !== true) continue;
    builder.at(node.span);
    if (node.kind === 'extern') {
      moved[node.id] = builder.extern(moveExtern(graph, builder, calls, node.call, to), node.result);
      continue;
    }
    moved[node.id] = rewrite(node, builder, to) ?? copyNode(builder, node, to);
  }
  for (const [id, input] of inputsOf(graph)) if (input.default !== null) builder.setDefault(id, to(input.default));
  return builder.finish(
    graph.outputs.map((output) => moveOutput(output, to)),
    graph.checks.map((check) => moveCheck(check, to)),
  );
}

function moveExtern(
  graph: Graph,
  builder: GraphBuilder,
  calls: Map<ExternCallId, ExternCallId>,
  call: ExternCallId,
  to: (id: NodeId) => NodeId,
): ExternCallId {
  const known = calls.get(call);
  if (known !== undefined) return known;
  const old = graph.externs[call];
  if (old === undefined) throw new CompilerBug('graph', `no extern call ${call}`);
  const operands = old.operands.map((operand) => ({ ...operand, node: to(operand.node) }));
  const moved = builder.addExtern({ ...old, operands });
  calls.set(call, moved);
  return moved;
}

/** A check of the nodes that these have become. */
export function moveCheck(check: Check, to: (id: NodeId) => NodeId): Check {
  const shown = check.shown.map((each) => ('node' in each ? { node: to(each.node) } : each));
  return { ...check, node: to(check.node), where: check.where.map(to), shown };
}

export function moveOutput(output: GraphOutput, to: (id: NodeId) => NodeId): GraphOutput {
  if (output.kind === 'tensor') return { ...output, node: to(output.node) };
  return { ...output, present: to(output.present), weight: to(output.weight), rank: to(output.rank) };
}
