/**
 * sparsify: at which points is each value read? (SEMANTICS 8.2 and 8.4)
 *
 * What: one backward pass. An output is read everywhere. An operation that is read at some points reads its operands at
 * the points the table below says. A value read under a route, `predicated(presence, value)`, is read where the presence
 * holds. So an expert's values, over tokens × experts, come out with the route's assignments as their domain, whatever
 * the expert's body is.
 *
 *   operation read on D         reads
 *   map                         operands on D, restricted to their axes
 *   predicated by s                 s on D, the value on D ∧ s
 *   contract, reduce over Z     operands on D, full along Z
 *   scan, order, choose, argmax along Z operands on D widened along Z (keys of an order only at its candidates)
 *   gather                      indices on D; the table full along the looked-up axis
 *   views, concat               the operand on D, re-indexed
 *
 * Why: this is what makes a mixture of experts cost what it costs.
 * Before: a graph. After: the same graph, with the presence nodes that domains need, every node with its domain; a value
 * over tokens × experts that is dense all the same says why.
 *
 * Every presence in a domain is itself known everywhere: a presence that is computed on a domain only (the router inside
 * an expert) is joined with that domain first.
 *
 * Source: SEMANTICS 8.3; compare demand regions in Halide (bounds inference).
 */
import { at } from '../../dsl/diagnostics/invariants.ts';
import { CompilerBug } from '../../dsl/diagnostics/bug.ts';
import { apply, one, zero, type Size } from '../../dsl/types/size.ts';
import { GraphBuilder } from '../graph/graph-builder.ts';
import { everywhere, type DenseFallback, type Domain, type SparseGraph } from '../graph/domains.ts';
import { guardsOf } from '../graph/implies.ts';
import type { AxisId, Check, Graph, Node, NodeId, GraphOutput, Span } from '../graph/graph-ir.ts';
import { liveNodes, nodesOfOutput, operandsOf, shownNodes } from '../graph/node-uses.ts';
import { inDependencyOrder } from './dependency-order.ts';
import { Presences } from '../graph/presences.ts';

export function sparsify(graph: Graph): SparseGraph {
  const pass = new Demand(graph);
  pass.run();
  return inDependencyOrder(pass.result());
}

class Demand {
  readonly #graph: Graph;
  readonly #b: GraphBuilder;
  readonly #presences: Presences;
  /** Final for nodes that were passed, else the union of what users wanted so far. */
  readonly #wants = new Map<NodeId, Domain>();
  /** What an order or argmax asks for where a NaN in it counts: it is known before. */
  readonly #asked = new Map<NodeId, readonly NodeId[]>();
  /** Pairs of a source and a target of one route. */
  readonly #pairs: readonly (readonly [AxisId, AxisId])[];

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#b = GraphBuilder.extending(graph);
    this.#presences = new Presences(this.#b);
    const pairs = new Map<string, readonly [AxisId, AxisId]>();
    for (const node of graph.nodes) {
      if (node.kind !== 'presence') continue;
      for (const s of node.sources) for (const t of node.targets) pairs.set(`${s},${t}`, [s, t]);
    }
    this.#pairs = [...pairs.values()];
    for (const { kind, node, where } of graph.checks)
      if (kind === 'numbers' && where.length > 0) this.#asked.set(node, [...(this.#asked.get(node) ?? []), ...where]);
  }

  run(): void {
    const graph = this.#graph;
    for (const output of graph.outputs) this.#wantOutput(output);
    for (const input of graph.inputs) if (input.default !== null) this.#want(input.default, everywhere);
    for (const check of graph.checks) this.#wantCheck(check);
    const live = liveNodes(graph);
    for (const node of graph.nodes.toReversed()) {
      if (live[node.id] !== true) continue;
      this.#settle(node);
      this.#pass(node, this.#wants.get(node.id) ?? everywhere);
    }
  }

  result(): SparseGraph {
    const graph = { ...this.#b.finish(this.#graph.outputs, this.#graph.checks), externs: this.#graph.externs };
    const domains = new Map(graph.nodes.map((n): [NodeId, Domain] => [n.id, this.#wants.get(n.id) ?? everywhere]));
    return { graph, domains };
  }

  // --- what is wanted ---

  #wantOutput(output: GraphOutput): void {
    const { span } = at(this.#graph.nodes, at(nodesOfOutput(output), 0, 'passes: node of an output'), 'passes: node');
    const what = { result: 'result', output: 'output', loss: 'loss', update: 'update' }[output.role];
    const why: DenseFallback = { reason: 'a', text: `the ${what} ${output.name} is all of it`, span };
    if (output.kind === 'tensor') return this.#want(output.node, this.#on(output.node, [], why));
    this.#want(output.present, this.#on(output.present, [], why));
    const under = this.#graph.nodes[output.present]?.kind === 'presence' ? [output.present] : [];
    for (const id of [output.weight, output.rank]) this.#want(id, this.#on(id, under, why));
  }

  /** A check looks at its node where the routes among its presences are, and at each presence where those before it are. */
  #wantCheck(check: Check): void {
    const why: DenseFallback = { reason: 'a', text: 'it is checked everywhere', span: check.span };
    const routes: NodeId[] = [];
    for (const id of check.where) {
      this.#want(id, this.#on(id, routes, why));
      if (this.#presences.get(id).targets.length > 0) routes.push(id);
    }
    if (check.kind === 'holds') this.#want(check.node, this.#on(check.node, routes, why));
    for (const id of shownNodes(check)) this.#want(id, everywhere);
  }

  /** Adds what one use wants of a node. */
  #want(id: NodeId, want: Domain): void {
    const known = this.#wants.get(id);
    this.#wants.set(id, known === undefined ? want : this.#merge(id, known, want));
  }

  #mixed(axes: readonly AxisId[]): boolean {
    return this.#pairs.some(([s, t]) => axes.includes(s) && axes.includes(t));
  }

  #axesOf(id: NodeId): readonly AxisId[] {
    return this.#b.axesOf(id);
  }

  /** A want of an operand on these presences, restricted to its axes; `why` tells why it is dense if nothing is left. */
  #on(id: NodeId, presences: readonly NodeId[], why: DenseFallback | null): Domain {
    const kept = this.#restrict(presences, this.#axesOf(id));
    if (kept.length > 0) return { presences: kept, dense: null };
    return { presences: [], dense: this.#mixed(this.#axesOf(id)) ? why : null };
  }

  /** Presences projected to some axes; what says nothing there is dropped. */
  #restrict(presences: readonly NodeId[], axes: readonly AxisId[]): readonly NodeId[] {
    const kept: NodeId[] = [];
    for (const s of presences) {
      const projected = this.#presences.project(s, axes);
      if (projected !== null) this.#add(kept, projected);
    }
    return kept;
  }

  /** Adds a presence to a conjunction, which stays free of what others imply. */
  #add(list: NodeId[], presence: NodeId): void {
    if (list.some((s) => this.#presences.implies(s, presence))) return;
    const rest = list.filter((s) => !this.#presences.implies(presence, s));
    list.splice(0, list.length, ...rest, presence);
  }

  /** The conjunction with one more presence, which is itself known only where the conjunction holds. */
  #under(presences: readonly NodeId[], presence: NodeId): readonly NodeId[] {
    const around = this.#around(presences, presence);
    const guarded = around.reduceRight((inner, s) => this.#presences.join(s, inner), presence);
    const list = [...presences];
    this.#add(list, guarded);
    return list;
  }

  /** Where a presence has to be known if it is asked on a conjunction: what it does not imply anyway. */
  #around(presences: readonly NodeId[], presence: NodeId): readonly NodeId[] {
    return this.#restrict(presences, this.#axesOf(presence)).filter((s) => !this.#presences.implies(presence, s));
  }

  // --- several uses ---

  #merge(id: NodeId, a: Domain, b: Domain): Domain {
    if (a.presences.length === 0) return a;
    if (b.presences.length === 0) return b;
    const weaker = (x: Domain, y: Domain): boolean =>
      y.presences.every((t) => x.presences.some((s) => this.#presences.implies(s, t)));
    if (weaker(a, b)) return b;
    if (weaker(b, a)) return a;
    const common = a.presences.filter((s) => b.presences.includes(s));
    const [left, right] = [a, b].map((w) =>
      this.#presences.conjunction(w.presences.filter((s) => !common.includes(s))),
    );
    if (
      left !== undefined &&
      right !== undefined &&
      left !== null &&
      right !== null &&
      sameAxes(this.#axesOf(left), this.#axesOf(right))
    ) {
      const either = this.#presences.union(left, right);
      if (!this.#dependsOn(either, id)) return { presences: [...common, either], dense: null };
    }
    if (common.length > 0) return { presences: common, dense: null };
    const span = this.#graph.nodes[id]?.span ?? this.#b.span;
    const text = 'its uses want different points';
    return { presences: [], dense: this.#mixed(this.#axesOf(id)) ? { reason: 'c', text, span } : null };
  }

  /** A presence that is made from the value cannot say where to compute it. */
  #settle(node: Node): void {
    const want = this.#wants.get(node.id);
    if (want === undefined || want.presences.length === 0) return;
    const presences = want.presences.filter((s) => !this.#dependsOn(s, node.id)).sort((x, y) => x - y);
    const text = 'where it is wanted depends on it';
    const dense: DenseFallback | null = presences.length > 0 ? null : { reason: 'c', text, span: node.span };
    this.#wants.set(node.id, { presences, dense: presences.length === 0 && this.#mixed(node.axes) ? dense : null });
  }

  #dependsOn(from: NodeId, on: NodeId): boolean {
    const seen = new Set<NodeId>();
    const stack = [from];
    const old = this.#graph.nodes.length;
    for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
      if (id === on) return true;
      // Old nodes before `on` read only what is before them, and their domains are not settled yet; but they may ask for more.
      const isBefore = id < old && id < on;
      if (seen.has(id) || (isBefore && this.#asked.size === 0)) continue;
      seen.add(id);
      stack.push(...operandsOf(this.#graph, this.#b.node(id)));
      if (!isBefore) stack.push(...(this.#wants.get(id)?.presences ?? []));
      stack.push(...(this.#asked.get(id) ?? []));
    }
    return false;
  }

  // --- the table ---

  #pass(node: Node, { presences, dense }: Domain): void {
    const to = (id: NodeId, s: readonly NodeId[] = presences, why: DenseFallback | null = dense): void =>
      this.#want(id, this.#on(id, s, why ?? this.#because(node, 'a', 'reads it everywhere')));
    switch (node.kind) {
      case 'constant':
      case 'size':
      case 'iota':
      case 'input':
      case 'draw':
        return;
      case 'map':
        for (const id of node.operands) to(id);
        return;
      case 'predicated': {
        const around = this.#around(presences, node.presence);
        to(node.presence, around, this.#because(node, 'a', 'a route is made from it'));
        return to(node.value, this.#under(presences, node.presence));
      }
      case 'presence':
        return to(node.mask, presences, this.#because(node, 'a', 'a route is made from it'));
      case 'contract':
        for (const id of [node.left, node.right])
          to(id, presences, this.#reading(node, id, presences, dense, node.over));
        return;
      case 'reduce':
        return to(node.operand, presences, this.#reading(node, node.operand, presences, dense, node.over));
      case 'scan':
        return this.#along(node, [node.operand], [node.axis], presences, dense);
      case 'argmax':
        return this.#along(node, [node.operand], [node.axis], presences, dense);
      case 'sort_rank': {
        const { candidates } = node;
        if (candidates !== null) this.#along(node, [candidates], node.over, presences, dense);
        const wide = this.#restrict(presences, node.axes.filter((a) => !node.over.includes(a))); // prettier-ignore
        const guards = candidates === null ? [] : guardsOf(candidates, (id) => this.#b.node(id));
        const among = guards.reduce((list, guard) => this.#under(list, guard), wide);
        const keys = node.keys.map((k) => k.node);
        if (among.length > 0)
          for (const id of keys) to(id, among, this.#because(node, 'b', this.#readsAlong(node, node.over)));
        else this.#along(node, keys, node.over, presences, dense);
        return;
      }
      case 'choose': {
        const { key, candidates, count, over, along } = node;
        if (count !== null) to(count);
        const gone = [...over, along];
        if (candidates !== null) this.#along(node, [candidates], gone, presences, dense);
        if (key === null) return;
        const wide = this.#restrict(presences, node.axes.filter((a) => a !== along)); // prettier-ignore
        const guards = candidates === null ? [] : guardsOf(candidates, (id) => this.#b.node(id));
        const among = guards.reduce((list, guard) => this.#under(list, guard), wide);
        if (among.length > 0) return to(key, among, this.#because(node, 'b', this.#readsAlong(node, over)));
        return this.#along(node, [key], gone, presences, dense);
      }
      case 'gather': {
        to(node.indices);
        return this.#along(node, [node.table], [node.axis], presences, dense);
      }
      case 'rename':
        return to(node.operand, presences.map((s) => this.#presences.rename(s, node.to, node.from))); // prettier-ignore
      case 'slice': {
        const { axis, at, as } = node;
        // One point of an axis: wanting all of them is as good as it gets.
        return to(
          node.operand,
          as === null ? presences : presences.map((s) => this.#presences.unslice(s, axis, at, as)),
        );
      }
      case 'split':
        return to(node.operand, presences.map((s) => this.#presences.unsplit(s, node.axis, node.into))); // prettier-ignore
      case 'merge':
        return to(node.operand, presences.map((s) => this.#presences.unmerge(s, node.from, node.into))); // prettier-ignore
      case 'broadcast':
        return to(node.operand);
      case 'concat': {
        let at: Size = zero;
        for (const part of node.parts) {
          const start = at;
          to(part.node, presences.map((s) => this.#presences.slice(s, node.axis, start, part.axis))); // prettier-ignore
          at = apply('add', at, part.axis === null ? one : this.#b.sizeOf(part.axis));
        }
        return;
      }
      case 'fold':
        for (const id of node.operands)
          this.#want(id, this.#on(id, [], this.#because(node, 'b', 'the steps of a chain read all of it')));
        return;
      case 'extern': {
        const call = this.#graph.externs[node.call];
        if (call === undefined) throw new CompilerBug('pass sparsify', `no extern call ${node.call}`);
        const around = this.#restrict(presences, [...call.family, ...call.carried]);
        for (const { node: id } of call.operands) to(id, around);
        return;
      }
    }
  }

  /** Operands that are read all along axes that the result has too. */
  #along(
    node: Node,
    ids: readonly NodeId[],
    over: readonly AxisId[],
    presences: readonly NodeId[],
    dense: DenseFallback | null,
  ): void {
    const wide = this.#restrict(presences, node.axes.filter((a) => !over.includes(a))); // prettier-ignore
    const concerned = this.#mixed(node.axes) ? over.some((a) => this.#pairs.some((p) => p.includes(a))) : true;
    const why = concerned || dense === null ? this.#because(node, 'b', this.#readsAlong(node, over)) : dense;
    for (const id of ids) this.#want(id, this.#on(id, wide, why));
  }

  /** Why an operand that is summed over axes is dense: because of the sum, unless the sum itself was dense already. */
  #reading(
    node: Node,
    id: NodeId,
    presences: readonly NodeId[],
    dense: DenseFallback | null,
    over: readonly AxisId[],
  ): DenseFallback | null {
    if (dense !== null && this.#mixed(node.axes)) return dense;
    if (presences.length > 0 && this.#restrict(presences, this.#axesOf(id)).length > 0) return null;
    return this.#because(node, 'a', this.#readsAlong(node, over));
  }

  #readsAlong(node: Node, over: readonly AxisId[]): string {
    const read = node.kind === 'choose' ? node.over : over;
    const names = read.map((a) => this.#b.axisOf(a).name).join(', ');
    const what = node.kind === 'reduce' ? node.op : node.kind;
    return `${what} reads all of it along ${names}`;
  }

  #because(node: { readonly span: Span }, reason: DenseFallback['reason'], text: string): DenseFallback {
    return { reason, text, span: node.span };
  }
}

const sameAxes = (a: readonly AxisId[], b: readonly AxisId[]): boolean =>
  a.length === b.length && a.every((x) => b.includes(x));
