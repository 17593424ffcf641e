/**
 * A graph as readable text: one line a node, axes by name, sizes in the head, places of the source if asked for.
 *
 *   graph forward
 *     axes T = T, D = 64, E = 8
 *     %0 = input x : f32[T, D]
 *     %2 = contract %1 %0 over D : f32[T, E]
 *     result y = %9 [T, D]
 *
 * parse-graph.ts reads it back.
 */
import { at } from '../../dsl/diagnostics/invariants.ts';
import { formatSize } from '../../dsl/types/size.ts';
import { unreachable } from '../../dsl/diagnostics/bug.ts';
import type { Domain } from './domains.ts';
import type { AxisId, Bound, Check, ExternCall, Fold, Graph, Node, NodeId, GraphOutput, Span } from './graph-ir.ts';

export interface PrintOptions {
  /** Adds `@ file:start-end`. */
  readonly spans?: boolean;
  /** Adds `on {%5, %7}` and why a value is dense. */
  readonly domains?: ReadonlyMap<NodeId, Domain>;
  /** Marks what gets memory with `*`. */
  readonly materialised?: ReadonlySet<NodeId>;
}

export function printGraph(graph: Graph, options: PrintOptions = {}): string {
  return printNamed(graph, options, axisNames(graph));
}

function printNamed(graph: Graph, options: PrintOptions, name: (axis: AxisId) => string): string {
  const list = (axes: readonly AxisId[]): string => axes.map(name).join(', ');
  const used = usedAxes(graph);
  const axes = [...graph.axes.values()]
    .filter((a) => used.has(a.id))
    .map((a) => `${name(a.id)} = ${formatSize(a.size)}`);
  const nodes = graph.nodes.map((node) => {
    const mark = options.materialised?.has(node.id) === true ? '*' : '';
    const domain = options.domains?.get(node.id);
    return (
      `  %${node.id}${mark} = ${operation(graph, node, name)} : ${node.element}[${list(node.axes)}]` +
      (domain === undefined ? '' : printDomain(domain)) +
      (options.spans === true ? `  @ ${span(node.span)}` : '')
    );
  });
  const defaults = graph.inputs.flatMap((l) => (l.default === null ? [] : [`  default ${l.name} = %${l.default}`]));
  const calls = graph.externs.map((call, i) => `  ${printCall(call, i, list)}`);
  const folds = graph.folds.flatMap((fold, i) => printFold(fold, i, options.spans === true, name));
  const outputs = graph.outputs.map((output) => `  ${printOutput(output, list)}`);
  const checks = graph.checks.map((check) => `  ${printCheck(check, list)}${options.spans === true ? `  @ ${span(check.span)}` : ''}`); // prettier-ignore
  const head = axes.length === 0 ? [] : [`  axes ${axes.join(', ')}`];
  return [`graph ${graph.name}`, ...head, ...nodes, ...calls, ...folds, ...defaults, ...outputs, ...checks, ''].join(
    '\n',
  );
}

/** The axes that a text speaks of. */
const usedAxes = (graph: Graph): ReadonlySet<AxisId> =>
  new Set([
    ...graph.nodes.flatMap((n) => [...n.axes]),
    // Of a graph input that no node reads the text says nothing.
    ...graph.nodes.flatMap((n) => (n.kind === 'input' ? (graph.inputs[n.input]?.within ?? []) : [])),
    ...graph.externs.flatMap((e) => e.mentions),
    ...graph.folds.flatMap((f) => [f.axis, ...usedAxes(f.body)]),
  ]);

/** Names of axes; those that share a name are told apart by number. */
export function axisNames(graph: Graph): (axis: AxisId) => string {
  const count = new Map<string, number>();
  const used = usedAxes(graph);
  for (const { id, name } of graph.axes.values()) if (used.has(id)) count.set(name, (count.get(name) ?? 0) + 1);
  return (axis) => {
    const name = graph.axes.get(axis)?.name ?? '?';
    return (count.get(name) ?? 0) > 1 ? `${name}#${axis}` : name;
  };
}

const span = (s: Span): string => `${s.source}:${s.start}-${s.end}`;

function printDomain({ presences, dense }: Domain): string {
  const on = presences.length === 0 ? '' : `  on {${presences.map((s) => `%${s}`).join(', ')}}`;
  return dense === null ? on : `${on}  dense (${dense.reason}: ${dense.text} @ ${span(dense.span)})`;
}

/** The body of a recurrence, each line behind a bar; the axes are named as around it. */
function printFold(
  { axis, carried, body }: Fold,
  index: number,
  spans: boolean,
  name: (axis: AxisId) => string,
): readonly string[] {
  const [, ...lines] = printNamed({ ...body, axes: new Map() }, { spans }, name)
    .trimEnd()
    .split('\n');
  return [`  fold ${index} along ${name(axis)} carries ${carried}`, ...lines.map((line) => `  |${line}`)];
}

function printCall(call: ExternCall, index: number, list: (axes: readonly AxisId[]) => string): string {
  const within = (axis: AxisId | null): string => (axis === null ? '' : ` in ${list([axis])}`);
  const operands = call.operands
    .map((o) => ` takes ${o.name} %${o.node} (${list(o.axes)})${within(o.within)}`)
    .join('');
  const results = call.results.map((r) => ` gives ${r.element} (${list(r.axes)})${within(r.within)}`).join('');
  const around = `family (${list(call.family)}) carried (${list(call.carried)}) mentions (${list(call.mentions)})`;
  return `call ${index} = ${call.role} ${call.name} ${around}${operands}${results}`;
}

function printOutput(output: GraphOutput, list: (axes: readonly AxisId[]) => string): string {
  if (output.kind === 'tensor') return `${output.role} ${output.name} = %${output.node} [${list(output.axes)}]`;
  const of = output.payload.length === 0 ? '' : ` of [${list(output.payload)}]`;
  const type = `route[${list(output.sources)} -> ${list(output.targets)}]${of}`;
  const parts = `present %${output.present} weight %${output.weight} rank %${output.rank}`;
  return `${output.role} ${output.name} = ${type} ${parts} most ${formatSize(output.maxPresent)}`;
}

/** `check holds %7 "an index is no point of E" MOE0721 at [T] where %3, %4 for loss skip if noise given` */
function printCheck(check: Check, list: (axes: readonly AxisId[]) => string): string {
  const where = check.where.length === 0 ? '' : ` where ${check.where.map((id) => `%${id}`).join(' ')}`;
  const skipIfGiven = check.skipIfGiven.map((name) => ` skip if ${name} given`).join('');
  const what = `${check.kind} %${check.node} ${JSON.stringify(check.message)} ${check.code} at [${list(check.axes)}]`;
  const shown = check.shown.map((s) => ` shows ${'node' in s ? `%${s.node}` : formatSize(s.size)}`).join('');
  return `check ${what}${where} for ${check.role}${skipIfGiven}${shown}`;
}

function operation(graph: Graph, node: Node, name: (axis: AxisId) => string): string {
  const list = (axes: readonly AxisId[]): string =>
    axes.length === 1 ? axes.map(name).join() : `(${axes.map(name).join(', ')})`;
  const bound = (b: Bound): string => `per ${list(b.per)} <= ${formatSize(b.atMost)}`;
  switch (node.kind) {
    case 'constant':
      return `constant ${node.element === 'bool' ? String(node.value !== 0) : node.value}`;
    case 'size':
      return `size ${formatSize(node.size)}`;
    case 'iota':
      return `iota ${name(node.axis)}`;
    case 'input': {
      const input = graph.inputs[node.input];
      const within = input === undefined || input.within === null ? '' : ` in ${name(input.within)}`;
      return `${input?.role ?? 'input'} ${input?.name ?? node.input}${within}`;
    }
    case 'map':
      return `${node.op} ${node.operands.map((id) => `%${id}`).join(' ')}`;
    case 'predicated':
      return `predicated %${node.presence} %${node.value} else ${node.otherwise}`;
    case 'presence': {
      const facts = node.bounds.length === 0 ? '' : ` {${node.bounds.map(bound).join('; ')}}`;
      return `presence %${node.mask} ${list(node.sources)} -> ${list(node.targets)}${facts}`;
    }
    case 'contract':
      return `contract %${node.left} %${node.right} over ${list(node.over)}`;
    case 'reduce':
      return `${node.op} %${node.operand} over ${list(node.over)}`;
    case 'scan':
      return `scan %${node.operand} along ${name(node.axis)}${node.exclusive ? ' exclusive' : ''}`;
    case 'sort_rank': {
      const keys = node.keys.map((k) => `%${k.node}${k.descending ? ' desc' : ' asc'}`).join(', ');
      const among = node.candidates === null ? '' : ` among %${node.candidates}`;
      return `sort_rank${keys === '' ? '' : ` by ${keys}`}${among} over ${list(node.over)}${node.report ? ' report' : ''}`;
    }
    case 'choose': {
      const by = node.key === null ? '' : ` by %${node.key}`;
      const among = node.candidates === null ? '' : ` among %${node.candidates}`;
      const count = node.count === null ? '' : ` count %${node.count}`;
      return `choose${by}${among}${count} over ${list(node.over)} along ${name(node.along)}${node.report ? ' report' : ''}`;
    }
    case 'argmax':
      return `argmax %${node.operand} over ${name(node.axis)}`;
    case 'gather':
      return `gather %${node.table}[${name(node.axis)}: %${node.indices}]`;
    case 'draw': {
      const roots = node.roots.map((r) => `${name(r.axis)} "${r.name}" at ${formatSize(r.offset)}`).join(', ');
      return `draw ${node.distribution} "${node.seedKey}"${roots === '' ? '' : ` from ${roots}`}`;
    }
    case 'rename':
      return `rename %${node.operand} ${node.from.map((f, i) => `${name(f)}: ${name(at(node.to, i, 'graph: axis of a rename'))}`).join(', ')}`;
    case 'slice': {
      const at = formatSize(node.at);
      return `slice %${node.operand}[${name(node.axis)}: ${at}${node.as === null ? '' : ` .. as ${name(node.as)}`}]`;
    }
    case 'split':
      return `split %${node.operand} ${name(node.axis)}: ${list(node.into)}`;
    case 'merge':
      return `merge %${node.operand} ${list(node.from)}: ${name(node.into)}`;
    case 'broadcast':
      return `broadcast %${node.operand}`;
    case 'concat':
      return `concat ${node.parts.map((p) => (p.axis === null ? `%${p.node}` : `%${p.node}[${name(p.axis)}]`)).join(' ')} along ${name(node.axis)}`;
    case 'fold':
      return `fold ${node.fold} result ${node.result}${node.operands.map((id) => ` %${id}`).join('')}`;
    case 'extern':
      return `extern ${graph.externs[node.call]?.name ?? '?'} call ${node.call} result ${node.result}`;
    default:
      return unreachable(node, 'graph');
  }
}
