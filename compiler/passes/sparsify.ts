/**
 * sparsify: at which points is each value read? (SEMANTICS 8.2 and 8.4)
 *
 * What: one backward pass. A root is read everywhere. An operation that is read at some points reads its operands at
 * the points the table below says. A value read under a route, `masked(support, value)`, is read where the support
 * holds. So an expert's values, over tokens × experts, come out with the route's assignments as their domain, whatever
 * the expert's body is.
 *
 *   operation read on D         reads
 *   map                         operands on D, restricted to their axes
 *   masked by s                 s on D, the value on D ∧ s
 *   contract, reduce over Z     operands on D, full along Z
 *   scan, order, argmax along Z operands on D widened along Z (keys of an order only at its candidates)
 *   gather                      indices on D; the table full along the looked-up axis
 *   views, concat               the operand on D, re-indexed
 *
 * Why: this is what makes a mixture of experts cost what it costs.
 * Before: a graph. After: the same graph, with the support nodes that domains need, every node with its domain; a value
 * over tokens × experts that is dense all the same says why.
 *
 * Every support in a domain is itself known everywhere: a support that is computed on a domain only (the router inside
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
  private readonly graph: Graph;
  private readonly b: GraphBuilder;
  private readonly supports: Presences;
  /** Final for nodes that were passed, else the union of what users wanted so far. */
  private readonly wants = new Map<NodeId, Domain>();
  /** What an order or argmax asks for where a NaN in it counts: it is known before. */
  private readonly asked = new Map<NodeId, readonly NodeId[]>();
  /** Pairs of a source and a target of one route. */
  private readonly pairs: readonly (readonly [AxisId, AxisId])[];

  constructor(graph: Graph) {
    this.graph = graph;
    this.b = GraphBuilder.extending(graph);
    this.supports = new Presences(this.b);
    const pairs = new Map<string, readonly [AxisId, AxisId]>();
    for (const node of graph.nodes) {
      if (node.kind !== 'presence') continue;
      for (const s of node.sources) for (const t of node.targets) pairs.set(`${s},${t}`, [s, t]);
    }
    this.pairs = [...pairs.values()];
    for (const { kind, node, where } of graph.checks)
      if (kind === 'numbers' && where.length > 0) this.asked.set(node, [...(this.asked.get(node) ?? []), ...where]);
  }

  run(): void {
    const { graph } = this;
    for (const root of graph.roots) this.wantRoot(root);
    for (const leaf of graph.leaves) if (leaf.fallback !== null) this.want(leaf.fallback, everywhere);
    for (const check of graph.checks) this.wantCheck(check);
    const live = liveNodes(graph);
    for (const node of graph.nodes.toReversed()) {
      if (live[node.id] !== true) continue;
      this.settle(node);
      this.pass(node, this.wants.get(node.id) ?? everywhere);
    }
  }

  result(): SparseGraph {
    const graph = { ...this.b.finish(this.graph.roots, this.graph.checks), externs: this.graph.externs };
    const domains = new Map(graph.nodes.map((n): [NodeId, Domain] => [n.id, this.wants.get(n.id) ?? everywhere]));
    return { graph, domains };
  }

  // --- what is wanted ---

  private wantRoot(root: GraphOutput): void {
    const { span } = at(this.graph.nodes, at(nodesOfOutput(root), 0, 'passes: node of an output'), 'passes: node');
    const what = { result: 'result', output: 'output', loss: 'loss', update: 'update' }[root.group];
    const why: DenseFallback = { reason: 'a', text: `the ${what} ${root.name} is all of it`, span };
    if (root.kind === 'tensor') return this.want(root.node, this.on(root.node, [], why));
    this.want(root.present, this.on(root.present, [], why));
    const under = this.graph.nodes[root.present]?.kind === 'presence' ? [root.present] : [];
    for (const id of [root.weight, root.rank]) this.want(id, this.on(id, under, why));
  }

  /** A check looks at its node where the routes among its supports are, and at each support where those before it are. */
  private wantCheck(check: Check): void {
    const why: DenseFallback = { reason: 'a', text: 'it is checked everywhere', span: check.span };
    const routes: NodeId[] = [];
    for (const id of check.where) {
      this.want(id, this.on(id, routes, why));
      if (this.supports.get(id).targets.length > 0) routes.push(id);
    }
    if (check.kind === 'holds') this.want(check.node, this.on(check.node, routes, why));
    for (const id of shownNodes(check)) this.want(id, everywhere);
  }

  /** Adds what one use wants of a node. */
  private want(id: NodeId, want: Domain): void {
    const known = this.wants.get(id);
    this.wants.set(id, known === undefined ? want : this.merge(id, known, want));
  }

  private mixed(axes: readonly AxisId[]): boolean {
    return this.pairs.some(([s, t]) => axes.includes(s) && axes.includes(t));
  }

  private axesOf(id: NodeId): readonly AxisId[] {
    return this.b.axesOf(id);
  }

  /** A want of an operand on these supports, restricted to its axes; `why` tells why it is dense if nothing is left. */
  private on(id: NodeId, supports: readonly NodeId[], why: DenseFallback | null): Domain {
    const kept = this.restrict(supports, this.axesOf(id));
    if (kept.length > 0) return { supports: kept, dense: null };
    return { supports: [], dense: this.mixed(this.axesOf(id)) ? why : null };
  }

  /** Supports projected to some axes; what says nothing there is dropped. */
  private restrict(supports: readonly NodeId[], axes: readonly AxisId[]): readonly NodeId[] {
    const kept: NodeId[] = [];
    for (const s of supports) {
      const projected = this.supports.project(s, axes);
      if (projected !== null) this.add(kept, projected);
    }
    return kept;
  }

  /** Adds a support to a conjunction, which stays free of what others imply. */
  private add(list: NodeId[], support: NodeId): void {
    if (list.some((s) => this.supports.implies(s, support))) return;
    const rest = list.filter((s) => !this.supports.implies(support, s));
    list.splice(0, list.length, ...rest, support);
  }

  /** The conjunction with one more support, which is itself known only where the conjunction holds. */
  private under(supports: readonly NodeId[], support: NodeId): readonly NodeId[] {
    const around = this.around(supports, support);
    const guarded = around.reduceRight((inner, s) => this.supports.join(s, inner), support);
    const list = [...supports];
    this.add(list, guarded);
    return list;
  }

  /** Where a support has to be known if it is asked on a conjunction: what it does not imply anyway. */
  private around(supports: readonly NodeId[], support: NodeId): readonly NodeId[] {
    return this.restrict(supports, this.axesOf(support)).filter((s) => !this.supports.implies(support, s));
  }

  // --- several uses ---

  private merge(id: NodeId, a: Domain, b: Domain): Domain {
    if (a.supports.length === 0) return a;
    if (b.supports.length === 0) return b;
    const weaker = (x: Domain, y: Domain): boolean =>
      y.supports.every((t) => x.supports.some((s) => this.supports.implies(s, t)));
    if (weaker(a, b)) return b;
    if (weaker(b, a)) return a;
    const common = a.supports.filter((s) => b.supports.includes(s));
    const [left, right] = [a, b].map((w) => this.supports.conjunction(w.supports.filter((s) => !common.includes(s))));
    if (
      left !== undefined &&
      right !== undefined &&
      left !== null &&
      right !== null &&
      sameAxes(this.axesOf(left), this.axesOf(right))
    ) {
      const either = this.supports.union(left, right);
      if (!this.dependsOn(either, id)) return { supports: [...common, either], dense: null };
    }
    if (common.length > 0) return { supports: common, dense: null };
    const span = this.graph.nodes[id]?.span ?? this.b.span;
    const text = 'its uses want different points';
    return { supports: [], dense: this.mixed(this.axesOf(id)) ? { reason: 'c', text, span } : null };
  }

  /** A support that is made from the value cannot say where to compute it. */
  private settle(node: Node): void {
    const want = this.wants.get(node.id);
    if (want === undefined || want.supports.length === 0) return;
    const supports = want.supports.filter((s) => !this.dependsOn(s, node.id)).sort((x, y) => x - y);
    const text = 'where it is wanted depends on it';
    const dense: DenseFallback | null = supports.length > 0 ? null : { reason: 'c', text, span: node.span };
    this.wants.set(node.id, { supports, dense: supports.length === 0 && this.mixed(node.axes) ? dense : null });
  }

  private dependsOn(from: NodeId, on: NodeId): boolean {
    const seen = new Set<NodeId>();
    const stack = [from];
    const old = this.graph.nodes.length;
    for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
      if (id === on) return true;
      // Old nodes before `on` read only what is before them, and their domains are not settled yet; but they may ask for more.
      const isBefore = id < old && id < on;
      if (seen.has(id) || (isBefore && this.asked.size === 0)) continue;
      seen.add(id);
      stack.push(...operandsOf(this.graph, this.b.node(id)));
      if (!isBefore) stack.push(...(this.wants.get(id)?.supports ?? []));
      stack.push(...(this.asked.get(id) ?? []));
    }
    return false;
  }

  // --- the table ---

  private pass(node: Node, { supports, dense }: Domain): void {
    const to = (id: NodeId, s: readonly NodeId[] = supports, why: DenseFallback | null = dense): void =>
      this.want(id, this.on(id, s, why ?? this.because(node, 'a', 'reads it everywhere')));
    switch (node.kind) {
      case 'constant':
      case 'size':
      case 'iota':
      case 'leaf':
      case 'draw':
        return;
      case 'map':
        for (const id of node.operands) to(id);
        return;
      case 'predicated': {
        const around = this.around(supports, node.support);
        to(node.support, around, this.because(node, 'a', 'a route is made from it'));
        return to(node.value, this.under(supports, node.support));
      }
      case 'presence':
        return to(node.mask, supports, this.because(node, 'a', 'a route is made from it'));
      case 'contract':
        for (const id of [node.left, node.right]) to(id, supports, this.reading(node, id, supports, dense, node.over));
        return;
      case 'reduce':
        return to(node.operand, supports, this.reading(node, node.operand, supports, dense, node.over));
      case 'scan':
        return this.along(node, [node.operand], [node.axis], supports, dense);
      case 'argmax':
        return this.along(node, [node.operand], [node.axis], supports, dense);
      case 'sort_rank': {
        const { candidates } = node;
        if (candidates !== null) this.along(node, [candidates], node.over, supports, dense);
        const wide = this.restrict(supports, node.axes.filter((a) => !node.over.includes(a))); // prettier-ignore
        const guards = candidates === null ? [] : guardsOf(candidates, (id) => this.b.node(id));
        const among = guards.reduce((list, guard) => this.under(list, guard), wide);
        const keys = node.keys.map((k) => k.node);
        if (among.length > 0)
          for (const id of keys) to(id, among, this.because(node, 'b', this.readsAlong(node, node.over)));
        else this.along(node, keys, node.over, supports, dense);
        return;
      }
      case 'gather': {
        to(node.indices);
        return this.along(node, [node.table], [node.axis], supports, dense);
      }
      case 'rename':
        return to(node.operand, supports.map((s) => this.supports.rename(s, node.to, node.from))); // prettier-ignore
      case 'slice': {
        const { axis, at, as } = node;
        // One point of an axis: wanting all of them is as good as it gets.
        return to(node.operand, as === null ? supports : supports.map((s) => this.supports.unslice(s, axis, at, as)));
      }
      case 'split':
        return to(node.operand, supports.map((s) => this.supports.unsplit(s, node.axis, node.into))); // prettier-ignore
      case 'merge':
        return to(node.operand, supports.map((s) => this.supports.unmerge(s, node.from, node.into))); // prettier-ignore
      case 'broadcast':
        return to(node.operand);
      case 'concat': {
        let at: Size = zero;
        for (const part of node.parts) {
          const start = at;
          to(part.node, supports.map((s) => this.supports.slice(s, node.axis, start, part.axis))); // prettier-ignore
          at = apply('add', at, part.axis === null ? one : this.b.sizeOf(part.axis));
        }
        return;
      }
      case 'extern': {
        const call = this.graph.externs[node.call];
        if (call === undefined) throw new CompilerBug('sparsify', `no extern call ${node.call}`);
        const around = this.restrict(supports, [...call.family, ...call.carried]);
        for (const { node: id } of call.operands) to(id, around);
        return;
      }
    }
  }

  /** Operands that are read all along axes that the result has too. */
  private along(
    node: Node,
    ids: readonly NodeId[],
    over: readonly AxisId[],
    supports: readonly NodeId[],
    dense: DenseFallback | null,
  ): void {
    const wide = this.restrict(supports, node.axes.filter((a) => !over.includes(a))); // prettier-ignore
    const concerned = this.mixed(node.axes) ? over.some((a) => this.pairs.some((p) => p.includes(a))) : true;
    const why = concerned || dense === null ? this.because(node, 'b', this.readsAlong(node, over)) : dense;
    for (const id of ids) this.want(id, this.on(id, wide, why));
  }

  /** Why an operand that is summed over axes is dense: because of the sum, unless the sum itself was dense already. */
  private reading(
    node: Node,
    id: NodeId,
    supports: readonly NodeId[],
    dense: DenseFallback | null,
    over: readonly AxisId[],
  ): DenseFallback | null {
    if (dense !== null && this.mixed(node.axes)) return dense;
    if (supports.length > 0 && this.restrict(supports, this.axesOf(id)).length > 0) return null;
    return this.because(node, 'a', this.readsAlong(node, over));
  }

  private readsAlong(node: Node, over: readonly AxisId[]): string {
    const names = over.map((a) => this.b.axisOf(a).name).join(', ');
    const what = node.kind === 'reduce' ? node.op : node.kind;
    return `${what} reads all of it along ${names}`;
  }

  private because(node: { readonly span: Span }, reason: DenseFallback['reason'], text: string): DenseFallback {
    return { reason, text, span: node.span };
  }
}

const sameAxes = (a: readonly AxisId[], b: readonly AxisId[]): boolean =>
  a.length === b.length && a.every((x) => b.includes(x));
