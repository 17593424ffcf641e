/**
 * At which points is each value needed? (SEMANTICS 7.2: the demand of a value, exactly)
 *
 * One backward pass from what a run is asked for: an operation that is needed at some points needs its operands at the points
 * the table of SEMANTICS 8.2 says. It is the same table as that of `sparsify`, but nothing may be lost here: sparsify may compute
 * more than is needed, an error of the run may not count there. So a need is exact, a conjunction of presences in order, each of
 * which is known only where those before it hold; uses are united, and projections are taken of all of the conjunction.
 *
 * Tables are needed whole along the axis that is looked up: which entries are looked up is a matter of numbers.
 */
import { CompilerBug } from '../../dsl/diagnostics/bug.ts';
import { at } from '../../dsl/diagnostics/invariants.ts';
import { apply, asInteger, multiply, one, zero, type Size } from '../../dsl/types/size.ts';
import type { GraphBuilder } from '../graph/graph-builder.ts';
import { independentAxes } from '../graph/fold-axes.ts';
import { guardsOf } from '../graph/implies.ts';
import type { AxisId, Graph, Node, NodeId } from '../graph/graph-ir.ts';
import { Presences } from '../graph/presences.ts';

/** The points where all of these presences hold; of none: all points there are. */
export type Need = readonly NodeId[];

export class Needs {
  readonly #graph: Graph;
  readonly #b: GraphBuilder;
  readonly #concerns: readonly boolean[];
  readonly #needs = new Map<NodeId, Need>();
  readonly #presences: Presences;

  /** `builder` extends the graph; `concerns` says of which nodes somebody wants to know (those above one of them too). */
  constructor(graph: Graph, b: GraphBuilder, concerns: readonly boolean[]) {
    this.#graph = graph;
    this.#b = b;
    this.#concerns = concerns;

    this.#presences = new Presences(b);
  }

  /** Where a node is needed; null: nowhere. */
  of(id: NodeId): Need | null {
    return this.#needs.get(id) ?? null;
  }

  /** Where one of these nodes is needed, as points of some axes; null: nowhere. */
  ofAny(ids: readonly NodeId[], axes: readonly AxisId[]): Need | null {
    return ids.reduce<Need | null>((all, id) => {
      const need = this.of(id);
      const here = need === null ? null : this.onto(need, this.#b.axesOf(id), axes);
      return all === null || here === null ? (all ?? here) : this.#either(all, here, axes);
    }, null);
  }

  /** Says that a node is needed at the points of this need, which may have axes that the node lacks. */
  want(id: NodeId, need: Need | null, axes: readonly AxisId[]): void {
    if (need === null || this.#concerns[id] !== true) return;
    const own = this.#b.axesOf(id);
    const here = this.onto(need, axes, own);
    if (here === null) return;
    const known = this.#needs.get(id);
    this.#needs.set(id, known === undefined ? here : this.#either(known, here, own));
  }

  /** From what is wanted to all that it is made of. */
  spread(): void {
    for (const node of this.#graph.nodes.toReversed()) {
      const need = this.#needs.get(node.id);
      if (need !== undefined) this.#pass(node, need);
    }
  }

  /** Where a need over some axes says something of points over others: at some point of the axes that are gone. Null: nowhere. */
  onto(need: Need, from: readonly AxisId[], to: readonly AxisId[]): Need | null {
    const gone = from.filter((a) => !to.includes(a));
    const touched = need.filter((s) => this.#b.axesOf(s).some((a) => gone.includes(a)));
    const rest = need.filter((s) => !touched.includes(s));
    const inTouched = new Set(touched.flatMap((s) => [...this.#b.axesOf(s)]));
    // Along axes that nothing speaks of there need only be a point.
    const free = this.#anyPoint(gone.filter((a) => !inTouched.has(a)));
    if (free === null) return null;
    const all = this.#presences.conjunction(touched);
    const projected = all === null ? [] : [this.#somewhere(all, gone)];
    return this.#minimal([...free, ...rest, ...projected]);
  }

  // --- conjunctions of presences ---

  /** A presence that holds if these axes have a point together; none if that is known; null if they have none. */
  #anyPoint(axes: readonly AxisId[]): Need | null {
    const sizes = axes.map(this.#b.sizeOf);
    if (sizes.some((s) => asInteger(s) === 0)) return null;
    const open = sizes.filter((s) => asInteger(s) === null);
    if (open.length === 0) return [];
    const count = this.#b.size(multiply(open), 'i32');
    return [this.#plain(this.#b.map('ge', [count, this.#b.constant(1, 'i32')]))];
  }

  /** A bool as a presence that says nothing of its bounds. */
  #plain(mask: NodeId): NodeId {
    return this.#b.presence(mask, this.#b.axesOf(mask), [], []);
  }

  /** Where a presence holds at some point along the axes it has of these. */
  #somewhere(presence: NodeId, gone: readonly AxisId[]): NodeId {
    const kept = this.#b.axesOf(presence).filter((a) => !gone.includes(a));
    const projected = this.#presences.project(presence, kept);
    if (projected !== null) return projected;
    const over = this.#b.axesOf(presence).filter((a) => gone.includes(a));
    return this.#plain(this.#b.reduce('any', presence, over));
  }

  /** Without what others before it imply. */
  #minimal(presences: Need): Need {
    return presences.reduce<Need>(
      (list, s) => (list.some((t) => this.#presences.implies(t, s)) ? list : [...list, s]),
      [],
    );
  }

  /** Whether a need has only points of another. */
  within(inner: Need, outer: Need): boolean {
    return outer.every((s) => inner.some((t) => this.#presences.implies(t, s)));
  }

  #either(a: Need, b: Need, axes: readonly AxisId[]): Need {
    if (this.within(a, b)) return b;
    if (this.within(b, a)) return a;
    const common = a.filter((s) => b.includes(s));
    const [left, right] = [a, b].map((need) => this.#presences.conjunction(need.filter((s) => !common.includes(s))));
    if (left === undefined || left === null || right === undefined || right === null) return common;
    const all = axes.filter((x) => this.#b.axesOf(left).includes(x) || this.#b.axesOf(right).includes(x));
    const united = this.#presences.union(this.#over(left, all), this.#over(right, all));
    return this.#minimal([...common, united]);
  }

  /** A presence along more axes. */
  #over(presence: NodeId, axes: readonly AxisId[]): NodeId {
    const s = this.#presences.get(presence);
    const missing = axes.filter((a) => !s.axes.includes(a));
    if (missing.length === 0) return presence;
    const bounds = s.bounds.map(({ per, atMost }) => ({ per: [...per, ...missing], atMost }));
    return this.#b.presence(this.#b.broadcast(presence, missing), [...missing, ...s.sources], s.targets, bounds);
  }

  // --- the table ---

  #pass(node: Node, need: Need): void {
    const to = (id: NodeId, more: Need = need, axes: readonly AxisId[] = node.axes): void => this.want(id, more, axes);
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
      case 'predicated':
        to(node.presence);
        return to(node.value, this.#minimal([...need, node.presence]));
      case 'presence':
        return to(node.mask);
      case 'contract':
        for (const id of [node.left, node.right]) to(id, need, [...node.axes, ...node.over]);
        return;
      case 'reduce':
        return to(node.operand, need, [...node.axes, ...node.over]);
      case 'scan':
      case 'argmax':
        return this.#along(node, node.operand, [node.axis], need);
      case 'sort_rank': {
        if (node.candidates !== null) this.#along(node, node.candidates, node.over, need);
        // Who competes at all is said by routes: what stands at other points is not read.
        const guards = node.candidates === null ? [] : guardsOf(node.candidates, (id) => this.#b.node(id));
        for (const key of node.keys) this.#along(node, key.node, node.over, need, guards);
        return;
      }
      case 'choose': {
        if (node.count !== null) to(node.count);
        const rest = node.axes.filter((a) => a !== node.along);
        const here = this.onto(need, node.axes, rest);
        if (here === null) return;
        const guards = node.candidates === null ? [] : guardsOf(node.candidates, (id) => this.#b.node(id));
        if (node.candidates !== null) this.want(node.candidates, here, [...rest, ...node.over]);
        if (node.key !== null) this.want(node.key, this.#minimal([...here, ...guards]), [...rest, ...node.over]);
        return;
      }
      case 'gather': {
        to(node.indices);
        return this.#along(node, node.table, [node.axis], need);
      }
      case 'rename': {
        const back = need.map((s) => this.#presences.rename(s, node.to, node.from));
        return to(node.operand, back, this.#b.axesOf(node.operand));
      }
      case 'slice': {
        const { axis, at, as } = node;
        const whole = as === null ? need : need.map((s) => this.#presences.unslice(s, axis, at, as));
        const back = this.#minimal([...whole, this.#presences.range(axis, at, as)]);
        return to(node.operand, back, this.#b.axesOf(node.operand));
      }
      case 'split':
        return to(node.operand, need.map((s) => this.#presences.unsplit(s, node.axis, node.into)), this.#b.axesOf(node.operand)); // prettier-ignore
      case 'merge':
        return to(node.operand, need.map((s) => this.#presences.unmerge(s, node.from, node.into)), this.#b.axesOf(node.operand)); // prettier-ignore
      case 'broadcast':
        return to(node.operand);
      case 'concat': {
        let start: Size = zero;
        for (const part of node.parts) {
          const from = start;
          const axes = node.axes.flatMap((a) => (a !== node.axis ? [a] : part.axis === null ? [] : [part.axis]));
          to(part.node, need.map((s) => this.#presences.slice(s, node.axis, from, part.axis)), axes); // prettier-ignore
          start = apply('add', start, part.axis === null ? one : this.#b.sizeOf(part.axis));
        }
        return;
      }
      case 'fold': {
        // Along axes along which steps do not meet, a point needs its own; along others anything. What is captured is read in a step.
        const fold = at(this.#graph.folds, node.fold, 'elaborate: fold');
        const rest = independentAxes(fold).filter((a) => node.axes.includes(a));
        const own = this.onto(need, node.axes, rest);
        const stepped = this.onto(need, [...new Set([...node.axes, fold.axis])], rest);
        node.operands.forEach((id, i) => {
          const here = i < fold.carried ? own : stepped;
          if (here !== null) to(id, here, [...new Set([...rest, ...this.#b.axesOf(id)])]);
        });
        return;
      }
      case 'extern': {
        const call = this.#graph.externs[node.call];
        if (call === undefined) throw new CompilerBug('elaborate', `no extern call ${node.call}`);
        const around = [...call.family, ...call.carried];
        const here = this.onto(need, node.axes, around);
        // A function of the host has its operands whole.
        if (here !== null) for (const o of call.operands) to(o.node, here, [...around, ...o.axes]);
        return;
      }
    }
  }

  /** An operand that is read all along axes; `guards` hold where it is read. */
  #along(node: Node, id: NodeId, over: readonly AxisId[], need: Need, guards: Need = []): void {
    const rest = node.axes.filter((a) => !over.includes(a));
    const wide = this.onto(need, node.axes, rest);
    if (wide === null) return;
    this.want(id, this.#minimal([...wide, ...guards]), [...rest, ...over]);
  }
}
