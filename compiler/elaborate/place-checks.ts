/**
 * What a run must not meet, and where it counts: each check of a graph is put at the points at which something that was asked
 * for needs it (needs.ts). "Errors of a run count only where a result, a loss or an update that was asked for needs the value."
 *
 * Results are asked for in every run; outputs, losses and updates each have a check of their own where they need more than that,
 * and so has the default of a control, which nobody needs where the control is given. So a run looks at the checks of what
 * it was asked for, whatever else it computes.
 */
import { at } from '../../dsl/diagnostics/invariants.ts';
import { CompilerBug } from '../../dsl/diagnostics/bug.ts';
import { compareByText, compareTexts, type Code } from '../../dsl/diagnostics/diagnostic.ts';
import { GraphBuilder } from '../graph/graph-builder.ts';
import { implies } from '../graph/implies.ts';
import type { AxisId, Check, Graph, Node, NodeId, OutputRole, Span } from '../graph/graph-ir.ts';
import { nodeOf, operandsOf } from '../graph/node-uses.ts';
import { Needs, type Need } from './needs.ts';

/** A bool that must be true wherever one of these values is needed. */
export interface Demanded {
  readonly at: readonly NodeId[];
  readonly holds: NodeId;
  readonly code: Code;
  readonly message: string;
  /** What stands in the message as `{0}`, `{1}`, …; none unless said. */
  readonly shown?: Check['shown'];
  readonly span: Span;
}

/** Something to check, before it is known where it counts. */
interface Subject extends Demanded {
  readonly kind: Check['kind'];
  readonly axes: readonly AxisId[];
}

/** Who needs something: what was asked for, and the controls whose defaults it is needed for. */
interface Asker {
  readonly role: OutputRole;
  readonly skipIfGiven: readonly string[];
}

const roles: readonly OutputRole[] = ['result', 'output', 'loss', 'update'];

/** The graph with its checks: those of its own operations, and what was demanded while it was made. */
export function placeChecks(graph: Graph, demanded: readonly Demanded[]): Graph {
  const subjects = subjectsOf(graph, demanded);
  if (subjects.length === 0) return graph;
  const placement = new CheckPlacement(graph, subjects);
  for (const role of roles) placement.ask(role);
  return placement.result();
}

/** In the order of the text: the first of them that fails is told. */
function subjectsOf(graph: Graph, demanded: readonly Demanded[]): readonly Subject[] {
  const own = graph.nodes.flatMap((node): Subject[] => {
    const numbers = (message: string, axes: readonly AxisId[]): Subject[] => [
      { kind: 'numbers', at: [node.id], holds: node.id, code: 'MOE0720', message, span: node.span, axes },
    ];
    if (node.kind === 'sort_rank' && node.report && node.keys.some((key) => isFloat(nodeOf(graph, key.node))))
      return numbers(
        'a score is not a number',
        node.axes.filter((a) => !node.over.includes(a)),
      );
    if (node.kind === 'choose' && node.report && node.key !== null && isFloat(nodeOf(graph, node.key)))
      return numbers(
        'a score is not a number',
        node.axes.filter((a) => a !== node.along),
      );
    if (node.kind === 'argmax' && isFloat(nodeOf(graph, node.operand)))
      return numbers('argmax met a value that is not a number', node.axes);
    return [];
  });
  const more = demanded.map((d): Subject => ({ ...d, kind: 'holds', axes: nodeOf(graph, d.holds).axes }));
  return [...own, ...more].sort(compareByText);
}

const isFloat = ({ element }: Node): boolean => element === 'f32' || element === 'f16';

class CheckPlacement {
  readonly #graph: Graph;
  readonly #b: GraphBuilder;
  /** Which nodes are made of something that is checked. */
  readonly #concerns: readonly boolean[];
  /** What is asked while a node is computed, for where a NaN in it counts. */
  readonly #asked = new Map<NodeId, readonly NodeId[]>();
  readonly #found: readonly { readonly subject: Subject; readonly needs: { asker: Asker; need: Need }[] }[];

  constructor(graph: Graph, subjects: readonly Subject[]) {
    this.#graph = graph;
    this.#b = GraphBuilder.extending(graph);
    this.#concerns = madeOf(graph, new Set(subjects.flatMap((s) => s.at)));
    this.#found = subjects.map((subject) => ({ subject, needs: [] }));
  }

  /** Finds what the outputs of a role need. */
  ask(role: OutputRole): void {
    const needs = new Needs(this.#graph, this.#b, this.#concerns);
    for (const output of this.#graph.outputs) {
      if (output.role !== role) continue;
      if (output.kind === 'tensor') {
        needs.want(output.node, [], output.axes);
        continue;
      }
      const support = [...output.sources, ...output.targets];
      needs.want(output.present, [], support);
      const under = nodeOf(this.#graph, output.present).kind === 'presence' ? [output.present] : [];
      needs.want(output.weight, under, [...support, ...output.payload]);
      needs.want(output.rank, under, support);
    }
    this.#follow(needs, { role, skipIfGiven: [] });
  }

  #follow(needs: Needs, asker: Asker): void {
    needs.spread();
    for (const { subject, needs: known } of this.#found) {
      const here = needs.ofAny(subject.at, subject.axes);
      if (here === null) continue;
      // What counts anyway need not be counted again for somebody who needs it where others do.
      const counted = known.some(
        (other) =>
          (other.asker.role === 'result' || other.asker.role === asker.role) &&
          other.asker.skipIfGiven.every((name) => asker.skipIfGiven.includes(name)) &&
          needs.within(here, other.need),
      );
      if (!counted) known.push({ asker, need: here });
    }
    for (const node of this.#graph.nodes) {
      const input = node.kind === 'input' ? this.#graph.inputs[node.input] : undefined;
      const need = input?.default == null ? null : needs.of(node.id);
      if (input?.default == null || need === null || asker.skipIfGiven.includes(input.name)) continue;
      const inside = new Needs(this.#graph, this.#b, this.#concerns);
      inside.want(input.default, need, input.axes);
      this.#follow(inside, { role: asker.role, skipIfGiven: [...asker.skipIfGiven, input.name] });
    }
  }

  /** What does not hold anyway where an order meets a NaN: a NaN counts only of a candidate. */
  #beyondCandidates(id: NodeId, need: Need): Need {
    const node = this.#b.node(id);
    if ((node.kind !== 'sort_rank' && node.kind !== 'choose') || node.candidates === null) return need;
    const { candidates } = node;
    return need.filter((s) => !implies(candidates, s, (n) => this.#b.node(n)));
  }

  /** Whether a node is known only after another: it reads it, however far below, or asks where a NaN of something counts that does. */
  #isAfter(id: NodeId, other: NodeId): boolean {
    const seen = new Set<NodeId>([id]);
    for (const next of seen) {
      if (next === other) return true;
      for (const before of operandsOf(this.#graph, this.#b.node(next))) seen.add(before);
      for (const before of this.#asked.get(next) ?? []) seen.add(before);
    }
    return false;
  }

  /** Whether an order or argmax meets no NaN, as a value: where it counts is known only after the node itself. */
  #allNumbers(id: NodeId): NodeId {
    const b = this.#b;
    const node = b.node(id);
    if (node.kind !== 'sort_rank' && node.kind !== 'choose' && node.kind !== 'argmax')
      throw new CompilerBug('elaborate', `%${id} sorts nothing`);
    const { keys, over } = keysOf(node);
    const wrong = keys.map((key) => b.map('ne', [key, key])).reduce((all, one) => b.map('or', [all, one]));
    const among = node.kind !== 'argmax' && node.candidates !== null ? b.map('and', [node.candidates, wrong]) : wrong;
    return b.map('not', [b.reduce('any', b.broadcast(among, over), over)]);
  }

  result(): Graph {
    const checks = this.#found.flatMap(({ subject, needs }) =>
      needs.map(({ asker, need }): Check => {
        const { kind, code, message, span, holds, shown = [] } = subject;
        // Points are told, and compared, by the names of their axes: in what order axes are stored nobody wrote.
        const axes = [...subject.axes].sort((a, c) => compareTexts(this.#b.axisOf(a).name, this.#b.axisOf(c).name));
        const open = kind === 'numbers' ? this.#beyondCandidates(holds, need) : need;
        const explicit = kind === 'numbers' && open.some((s) => this.#isAfter(s, holds));
        if (kind === 'numbers' && !explicit) this.#asked.set(holds, [...(this.#asked.get(holds) ?? []), ...open]);
        const node = explicit ? this.#allNumbers(holds) : holds;
        return { kind: explicit ? 'holds' : kind, node, where: open, axes, ...asker, code, message, shown, span };
      }),
    );
    return { ...this.#b.finish(this.#graph.outputs, checks), externs: this.#graph.externs };
  }
}

/** What an order compares, and along which axes. */
function keysOf(node: Extract<Node, { readonly kind: 'sort_rank' | 'choose' | 'argmax' }>): {
  readonly keys: readonly NodeId[];
  readonly over: readonly AxisId[];
} {
  switch (node.kind) {
    case 'sort_rank':
      return { keys: node.keys.map((key) => key.node), over: node.over };
    case 'choose':
      return { keys: node.key === null ? [] : [node.key], over: node.over };
    case 'argmax':
      return { keys: [node.operand], over: [node.axis] };
  }
}

/** Whether each node is one of these or made of one, a control's default included. */
function madeOf(graph: Graph, of: ReadonlySet<NodeId>): readonly boolean[] {
  const made = graph.nodes.map((node) => of.has(node.id));
  // A default may stand behind the control that has it, so once more for every control in a row of defaults.
  for (let changed = true; changed;) {
    changed = false;
    for (const node of graph.nodes) {
      if (made[node.id] === true) continue;
      const defaultNode = node.kind === 'input' ? at(graph.inputs, node.input, 'elaborate: input').default : null;
      const below = defaultNode === null ? operandsOf(graph, node) : [defaultNode];
      if (!below.some((id) => made[id] === true)) continue;
      made[node.id] = true;
      changed ||= defaultNode !== null;
    }
  }
  return made;
}
