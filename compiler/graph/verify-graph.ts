/**
 * The invariants of a graph (graph-ir.ts) and of its domains (domains.ts). A violation is a bug of ours: `verifyGraph` throws,
 * naming the stage that made the graph, and every violation it found.
 */
import { type Stage, verified } from '../../dsl/diagnostics/bug.ts';
import { noNumber } from '../../dsl/diagnostics/invariants.ts';
import { asInteger } from '../../dsl/types/size.ts';
import type { FusedGraph, SparseGraph } from './domains.ts';
import type { AxisId, Fold, Graph, Node, NodeId } from './graph-ir.ts';
import { nodesOfOutput, operandsOf } from './node-uses.ts';
import { typeOfFold } from './result-types.ts';

export function verifyGraph(graph: Graph, stage: Stage): void {
  verified(stage, 'the graph', graphProblems(graph));
}

export function verifySparse(sparse: SparseGraph, stage: Stage): void {
  verified(stage, 'the graph', [...graphProblems(sparse.graph), ...domainProblems(sparse)]);
}

/** Of what fusion adds to a sparse graph that is verified already. */
export function verifyFused(fused: FusedGraph, stage: Stage): void {
  verified(stage, 'the graph', memoryProblems(fused));
}

const subset = (a: readonly AxisId[], b: readonly AxisId[]): boolean => a.every((x) => b.includes(x));
const sameSet = (a: readonly AxisId[], b: readonly AxisId[]): boolean => a.length === b.length && subset(a, b);

/** All violations, as sentences. */
export function graphProblems(graph: Graph): readonly string[] {
  const problems: string[] = [];
  graph.nodes.forEach((node, index) => {
    const say = (text: string): void => void problems.push(`%${index} ${node.kind}: ${text}`);
    if (node.id !== index) say(`has the id ${node.id}`);
    if (new Set(node.axes).size !== node.axes.length) say('has an axis twice');
    for (const axis of node.axes) if (!graph.axes.has(axis)) say(`has an unknown axis ${axis}`);
    const early = operandsOf(graph, node).every((id) => id >= 0 && id < index);
    if (!early) say('reads a node that does not come before it');
    else if (node.id === index) nodeProblems(graph, node, say);
  });
  const known = (id: NodeId): boolean => id >= 0 && id < graph.nodes.length;
  for (const output of graph.outputs) {
    if (!nodesOfOutput(output).every(known)) problems.push(`output ${output.name}: names no node`);
    else if (output.kind === 'tensor' && !sameSet(output.axes, graph.nodes[output.node]?.axes ?? []))
      problems.push(`output ${output.name}: its axes are not those of %${output.node}`);
    else if (output.kind === 'route') {
      const support = [...output.sources, ...output.targets];
      for (const [name, id, axes] of [
        ['present', output.present, support],
        ['weight', output.weight, [...support, ...output.payload]],
        ['rank', output.rank, support],
      ] as const)
        if (!sameSet(axes, graph.nodes[id]?.axes ?? [])) problems.push(`output ${output.name}: wrong axes of ${name}`);
    }
  }
  for (const fold of graph.folds) problems.push(...bodyProblems(graph, fold));
  for (const input of graph.inputs) {
    if (input.default !== null && !known(input.default))
      problems.push(`graph input ${input.name}: its default names no node`);
  }
  return problems;
}

/** What a fold promises of its body (graph-ir.ts). */
function bodyProblems(graph: Graph, { axis, carried, body }: Fold): readonly string[] {
  const problems = [...graphProblems(body)];
  const impure = new Set<Node['kind']>(['draw', 'extern', 'sort_rank', 'choose', 'argmax', 'scan', 'fold']);
  for (const node of body.nodes) if (impure.has(node.kind)) problems.push(`%${node.id} ${node.kind} in a step`);
  if (body.checks.length > 0) problems.push('a step has checks');
  if (!graph.axes.has(axis)) problems.push(`an unknown axis ${axis} of steps`);
  if (body.inputs[0]?.element !== 'i32' || body.inputs[0].axes.length > 0) problems.push('no number of the step');
  if (body.outputs.length < carried) problems.push(`${carried} values are carried, a step gives fewer`);
  body.outputs.forEach((output, i) => {
    const entering = body.inputs[i + 1];
    if (output.kind !== 'tensor') problems.push(`result ${i} is a route`);
    else if (i >= carried) problems.push(...(output.axes.includes(axis) ? [`collected ${i} has the axis of the steps`] : []));
    else if (entering?.axes.join() !== output.axes.join() || entering.element !== body.nodes[output.node]?.element)
      problems.push(`carried ${i} leaves a step as another type than it enters`);
  }); // prettier-ignore
  return problems.map((problem) => `a step of a fold: ${problem}`);
}

function nodeProblems(graph: Graph, node: Node, say: (text: string) => void): void {
  const of = (id: NodeId): readonly AxisId[] => graph.nodes[id]?.axes ?? [];
  const sizeOf = (axis: AxisId): number | null => {
    const known = graph.axes.get(axis);
    return known === undefined ? null : asInteger(known.size);
  };
  const wants = (axes: readonly AxisId[]): void => {
    if (!sameSet(axes, node.axes)) say(`has the axes [${node.axes.join()}], its operands give [${axes.join()}]`);
  };
  const replace = (axes: readonly AxisId[], from: readonly AxisId[], to: readonly AxisId[]): AxisId[] => [
    ...axes.filter((a) => !from.includes(a)),
    ...to,
  ];
  const isBool = (id: NodeId): void => {
    if (graph.nodes[id]?.element !== 'bool') say(`%${id} is not bool`);
  };
  const equalSizes = (a: AxisId, b: AxisId): void => {
    const [x, y] = [sizeOf(a), sizeOf(b)];
    if (x !== null && y !== null && x !== y) say(`axes ${a} and ${b} differ in size`);
  };
  switch (node.kind) {
    case 'constant':
    case 'size':
      if (Number.isNaN(node.kind === 'constant' ? node.value : 0)) say('is not a number');
      return wants([]);
    case 'iota':
      return wants([node.axis]);
    case 'input':
      return wants(graph.inputs[node.input]?.axes ?? []);
    case 'draw':
      return wants(node.roots.map((r) => r.axis));
    case 'fold': {
      const fold = graph.folds[node.fold];
      if (fold === undefined || fold.body.outputs[node.result] === undefined) return say('is a result of no fold');
      if (node.operands.length !== fold.body.inputs.length - 1) say('has another number of operands than its fold');
      node.operands.forEach((id, i) => {
        const wanted = fold.body.inputs[i + 1];
        if (!sameSet(of(id), wanted?.axes ?? [])) say(`%${id} has other axes than a step reads`);
        if (graph.nodes[id]?.element !== wanted?.element) say(`%${id} has another element type than a step reads`);
      });
      return wants(typeOfFold(fold, node.result).axes);
    }
    case 'extern':
      return wants(graph.externs[node.call]?.results[node.result]?.axes ?? []);
    case 'map':
      return wants([...new Set(node.operands.flatMap((id) => [...of(id)]))]);
    case 'predicated':
      if (graph.nodes[node.presence]?.kind !== 'presence') say(`%${node.presence} is no presence`);
      return wants([...new Set([...of(node.presence), ...of(node.value)])]);
    case 'presence': {
      isBool(node.mask);
      const all = [...node.sources, ...node.targets];
      if (new Set(all).size !== all.length) say('has an axis among sources and targets twice');
      if (!sameSet(all, node.axes)) say('its sources and targets are not its axes');
      for (const bound of node.bounds) if (!subset(bound.per, node.axes)) say('a bound is about other axes');
      return wants(of(node.mask));
    }
    case 'contract':
      if (!subset(node.over, of(node.left)) || !subset(node.over, of(node.right)))
        say('an operand lacks an axis of over');
      return wants([...new Set([...of(node.left), ...of(node.right)])].filter((a) => !node.over.includes(a)));
    case 'reduce':
      if (!subset(node.over, of(node.operand))) say('the operand lacks an axis of over');
      if (node.op === 'any') isBool(node.operand);
      return wants(of(node.operand).filter((a) => !node.over.includes(a)));
    case 'scan':
      if (!of(node.operand).includes(node.axis)) say('the operand lacks the axis');
      return wants(of(node.operand));
    case 'sort_rank':
      if (node.candidates !== null) isBool(node.candidates);
      if (!subset(node.over, node.axes)) say('lacks an axis of over');
      return;
    case 'choose': {
      if (node.candidates !== null) isBool(node.candidates);
      const { key, candidates, count, over, along } = node;
      const operands = [key, candidates, count].flatMap((id) => (id === null ? [] : of(id)));
      if (count !== null && graph.nodes[count]?.element !== 'i32') say(`%${count} is no count`);
      if (count !== null && over.some((a) => of(count).includes(a))) say('its count has an axis of over');
      if (operands.includes(along) || over.includes(along)) say('its operands have the axis of the result');
      if (over.length === 0) say('chooses along no axis');
      return wants([...new Set(operands.filter((a) => !over.includes(a))), along]);
    }
    case 'argmax':
      if (!of(node.operand).includes(node.axis)) say('the operand lacks the axis');
      return wants(of(node.operand).filter((a) => a !== node.axis));
    case 'gather':
      if (!of(node.table).includes(node.axis)) say('the table lacks the axis');
      if (graph.nodes[node.indices]?.element !== 'i32') say('indices are not i32');
      return wants([...new Set([...of(node.table).filter((a) => a !== node.axis), ...of(node.indices)])]);
    case 'rename':
      if (!subset(node.from, of(node.operand))) say('the operand lacks an axis');
      node.from.forEach((from, i) => equalSizes(from, node.to[i] ?? from));
      return wants(replace(of(node.operand), node.from, node.to));
    case 'slice': {
      if (!of(node.operand).includes(node.axis)) say('the operand lacks the axis');
      const [at, whole, part] = [asInteger(node.at), sizeOf(node.axis), node.as === null ? 1 : sizeOf(node.as)];
      if (at !== null && at < 0) say('begins before the axis');
      if (at !== null && whole !== null && part !== null && at + part > whole) say('ends after the axis');
      return wants(replace(of(node.operand), [node.axis], node.as === null ? [] : [node.as]));
    }
    case 'split':
      if (!of(node.operand).includes(node.axis)) say('the operand lacks the axis');
      return wants(replace(of(node.operand), [node.axis], node.into));
    case 'merge':
      if (!subset(node.from, of(node.operand))) say('the operand lacks an axis');
      return wants(replace(of(node.operand), node.from, [node.into]));
    case 'broadcast':
      if (!subset(of(node.operand), node.axes)) say('loses an axis');
      return;
    case 'concat': {
      for (const part of node.parts) {
        if (part.axis !== null && !of(part.node).includes(part.axis)) say(`part %${part.node} lacks its axis`);
      }
      const rest = node.parts.flatMap((p) => of(p.node).filter((a) => a !== p.axis));
      if (rest.includes(node.axis)) say('a part has the new axis already');
      return wants([...new Set([node.axis, ...rest])]);
    }
  }
}

/** Violations of what domains.ts promises. */
export function domainProblems({ graph, domains }: SparseGraph): readonly string[] {
  const problems: string[] = [];
  for (const node of graph.nodes) {
    const domain = domains.get(node.id);
    if (domain === undefined) {
      problems.push(`%${node.id} has no domain`);
      continue;
    }
    domain.presences.forEach((id, i) => {
      const presence = graph.nodes[id];
      if (presence?.kind !== 'presence') problems.push(`%${node.id}: %${id} of its domain is no presence`);
      else if (!subset(presence.axes, node.axes)) problems.push(`%${node.id}: %${id} of its domain has other axes`);
      if (id >= node.id) problems.push(`%${node.id}: %${id} of its domain comes later`);
      if (i > 0 && id <= (domain.presences[i - 1] ?? noNumber()))
        problems.push(`%${node.id}: its presences are not in order`);
    });
  }
  return problems;
}

/** What no thread can compute where it is read, and what is given back, has memory; what is given from outside has its own. */
function memoryProblems({ graph, materialised }: FusedGraph): readonly string[] {
  const unknown = [...materialised].filter((id) => graph.nodes[id] === undefined);
  const returned = new Set(graph.outputs.flatMap(nodesOfOutput));
  const problems = graph.nodes.flatMap((node) => {
    const stored = materialised.has(node.id);
    switch (node.kind) {
      case 'input':
        return stored ? [`%${node.id} is an input, and has memory of its own`] : [];
      case 'constant':
      case 'size':
      case 'iota':
        return [];
      case 'contract':
      case 'reduce':
      case 'scan':
      case 'sort_rank':
      case 'choose':
      case 'argmax':
      case 'gather':
      case 'draw':
      case 'extern':
      case 'fold':
        return stored ? [] : [`%${node.id} ${node.kind} has no memory`];
      default:
        return stored || !returned.has(node.id) ? [] : [`%${node.id} ${node.kind} is returned, and has no memory`];
    }
  });
  return [...unknown.map((id) => `%${id} has memory and is not there`), ...problems];
}
