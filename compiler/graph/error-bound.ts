/**
 * Derived tolerances: how far a correct f32 run of a graph may be from exact mathematics.
 *
 * The graph is evaluated in float64, and beside every value runs a bound δ on the error of a device that computes it
 * in f32, in any order, fused or not. Nothing here is tuned: leaves are exact, each operation adds its own worst
 * rounding (WGSL's accuracy table, section 15.7.4) and passes on what its operands bring. A choice that the errors of
 * its scores could turn (a comparison, an order, a floor) is *undecided*: what depends on it gets the distance between
 * the outcomes, so a near-tie of a router loosens exactly the tokens it touches.
 *
 * A sum of n terms errs by at most n·u·Σ|terms| in any order (Higham 2002, section 4.2), u = 2^-24.
 */
import { CompilerBug } from '../../dsl/diagnostics/bug.ts';
import { asNumber, substitute } from '../../dsl/meaning/size.ts';
import type { AxisId, Graph, Node, NodeId } from './ir.ts';
import { mapBound, times, tiny, u } from './scalar-bound.ts';
import { liveNodes } from './uses.ts';

/** A value and its error bound at every point of the axes, row-major. δ of a bool is 1 where it is undecided. */
export interface Bounded {
  readonly axes: readonly AxisId[];
  readonly value: Float64Array;
  readonly delta: Float64Array;
}

export interface BoundInputs {
  readonly sizes: ReadonlyMap<string, number>;
  /** Numbers of a leaf, row-major over its axes; null for a control that was not given. */
  readonly leaf: (name: string, index: number) => Float64Array | null;
  /** Draws and externs are taken from a run, not computed again. */
  readonly given: (node: NodeId) => Float64Array | null;
}

/** Bounds for all nodes that the roots need. */
export function boundGraph(graph: Graph, inputs: BoundInputs): ReadonlyMap<NodeId, Bounded> {
  const evaluator = new Evaluator(graph, inputs);
  const live = liveNodes(graph);
  // Operands come before users: in this order no evaluation recurses.
  for (const node of graph.nodes) if (live[node.id] === true) evaluator.of(node.id);
  return evaluator.done;
}

class Evaluator {
  readonly done = new Map<NodeId, Bounded>();
  private readonly lengths = new Map<AxisId, number>();

  constructor(
    private readonly graph: Graph,
    private readonly inputs: BoundInputs,
  ) {}

  private length(axis: AxisId): number {
    const known = this.lengths.get(axis);
    if (known !== undefined) return known;
    const size = this.graph.axes.get(axis)?.size;
    const n = size === undefined ? null : asNumber(substitute(size, this.inputs.sizes));
    if (n === null) throw new CompilerBug('error-bound', `axis ${axis} has no size`);
    this.lengths.set(axis, n);
    return n;
  }

  private count(axes: readonly AxisId[]): number {
    return axes.reduce((n, a) => n * this.length(a), 1);
  }

  /** For every point of `loop`, the place in a tensor over `axes` (axes that `loop` lacks stand at 0). */
  private places(loop: readonly AxisId[], axes: readonly AxisId[]): Int32Array {
    const strides = axes.map((_, i) => this.count(axes.slice(i + 1)));
    const steps = loop.map((a) => {
      const i = axes.indexOf(a);
      return i < 0 ? 0 : (strides[i] ?? 0);
    });
    const lengths = loop.map((a) => this.length(a));
    const out = new Int32Array(this.count(loop));
    const at = loop.map(() => 0);
    let place = 0;
    for (let p = 0; p < out.length; p++) {
      out[p] = place;
      for (let i = loop.length - 1; i >= 0; i--) {
        place += steps[i] ?? 0;
        const next = (at[i] ?? 0) + 1;
        if (next < (lengths[i] ?? 0)) {
          at[i] = next;
          break;
        }
        place -= (steps[i] ?? 0) * (lengths[i] ?? 0);
        at[i] = 0;
      }
    }
    return out;
  }

  of(id: NodeId): Bounded {
    const known = this.done.get(id);
    if (known !== undefined) return known;
    const node = this.graph.nodes[id];
    if (node === undefined) throw new CompilerBug('error-bound', `no node ${id}`);
    const bounded = this.evaluate(node);
    this.done.set(id, bounded);
    return bounded;
  }

  private blank(axes: readonly AxisId[]): { axes: readonly AxisId[]; value: Float64Array; delta: Float64Array } {
    const n = this.count(axes);
    return { axes, value: new Float64Array(n), delta: new Float64Array(n) };
  }

  private evaluate(node: Node): Bounded {
    const out = this.blank(node.axes);
    const { value, delta } = out;
    switch (node.kind) {
      case 'constant':
      case 'size': {
        const v = node.kind === 'constant' ? node.value : (asNumber(substitute(node.size, this.inputs.sizes)) ?? NaN);
        value.fill(v);
        delta.fill(Math.fround(v) === v ? 0 : Math.abs(v) * u);
        return out;
      }
      case 'iota':
        value.forEach((_, i) => (value[i] = i));
        return out;
      case 'leaf': {
        const leaf = this.graph.leaves[node.leaf];
        const data = leaf === undefined ? null : this.inputs.leaf(leaf.name, node.leaf);
        if (data !== null) value.set(this.permuted(data, leaf?.axes ?? node.axes, node.axes));
        else if (leaf !== undefined && leaf.fallback !== null) this.copy(this.of(leaf.fallback), out);
        else throw new CompilerBug('error-bound', `leaf ${leaf?.name ?? node.leaf} has no value`);
        return out;
      }
      case 'draw':
      case 'extern': {
        const data = this.inputs.given(node.id);
        if (data !== null) value.set(data);
        // Normal and gumbel draws take a log, a root and a cosine.
        delta.fill(node.kind === 'draw' && node.distribution === 'uniform' ? 0 : 1e-5);
        return out;
      }
      case 'map':
        this.map(node, out);
        return out;
      case 'masked': {
        const [s, v] = [this.of(node.support), this.of(node.value)];
        const [ps, pv] = [this.places(node.axes, s.axes), this.places(node.axes, v.axes)];
        for (let i = 0; i < value.length; i++) {
          const [at, from] = [ps[i] ?? 0, pv[i] ?? 0];
          const present = s.value[at] !== 0;
          value[i] = present ? (v.value[from] ?? 0) : node.otherwise;
          delta[i] = present ? (v.delta[from] ?? 0) : 0;
          if (s.delta[at] !== 0) delta[i] = Math.abs((v.value[from] ?? 0) - node.otherwise) + (v.delta[from] ?? 0);
        }
        return out;
      }
      case 'support':
        this.copy(this.of(node.mask), out);
        return out;
      case 'broadcast':
        this.copy(this.of(node.operand), out);
        return out;
      case 'contract':
        this.contract(this.of(node.left), this.of(node.right), node.over, out);
        return out;
      case 'reduce':
        this.reduce(this.of(node.operand), node.op, node.over, out);
        return out;
      case 'scan':
        this.scan(this.of(node.operand), node.axis, node.exclusive, out);
        return out;
      case 'order':
        this.order(node, out);
        return out;
      case 'argmax':
        this.argmax(this.of(node.operand), node.axis, out);
        return out;
      case 'gather': {
        const [t, ids] = [this.of(node.table), this.of(node.indices)];
        const stride = this.count(t.axes.slice(t.axes.indexOf(node.axis) + 1));
        const [pt, pi] = [this.places(node.axes, t.axes), this.places(node.axes, ids.axes)];
        for (let i = 0; i < value.length; i++) {
          const index = ids.value[pi[i] ?? 0] ?? -1;
          const at = (pt[i] ?? 0) + index * stride;
          value[i] = index < 0 ? 0 : (t.value[at] ?? 0);
          delta[i] = ids.delta[pi[i] ?? 0] !== 0 ? Infinity : index < 0 ? 0 : (t.delta[at] ?? 0);
        }
        return out;
      }
      case 'rename': {
        const v = this.of(node.operand);
        const axes = v.axes.map((a) => node.to[node.from.indexOf(a)] ?? a);
        this.copy({ ...v, axes }, out);
        return out;
      }
      case 'slice': {
        const v = this.of(node.operand);
        const at = asNumber(substitute(node.at, this.inputs.sizes)) ?? 0;
        const stride = this.count(v.axes.slice(v.axes.indexOf(node.axis) + 1));
        const axes = v.axes.map((a) => (a === node.axis && node.as !== null ? node.as : a));
        const places = this.placesWith(node.axes, axes, v.axes);
        for (let i = 0; i < value.length; i++) {
          const from = (places[i] ?? 0) + at * stride;
          value[i] = v.value[from] ?? 0;
          delta[i] = v.delta[from] ?? 0;
        }
        return out;
      }
      case 'split':
      case 'merge': {
        const v = this.of(node.operand);
        const whole = node.kind === 'split' ? node.axis : node.into;
        const parts = node.kind === 'split' ? node.into : node.from;
        // Row-major: a tensor with the parts side by side at the place of the whole has the same numbers.
        const wide = node.kind === 'split' ? v.axes.flatMap((a) => (a === whole ? parts : [a])) : null;
        if (wide !== null) this.copy({ ...v, axes: wide }, out);
        else {
          const others = node.axes.filter((a) => a !== whole);
          const from = this.permutedBounded(v, [...others, ...parts]);
          this.copy({ ...from, axes: [...others, whole] }, out);
        }
        return out;
      }
      case 'concat': {
        let offset = 0;
        const stride = this.count(node.axes.slice(node.axes.indexOf(node.axis) + 1));
        for (const part of node.parts) {
          const v = this.of(part.node);
          const own = node.axes.flatMap((a) => (a === node.axis ? (part.axis === null ? [] : [part.axis]) : [a]));
          const from = this.places(own, v.axes);
          const to = this.placesWith(
            own,
            own.map((a) => (a === part.axis ? node.axis : a)),
            node.axes,
            true,
          );
          for (let i = 0; i < from.length; i++) {
            const at = (to[i] ?? 0) + offset * stride;
            value[at] = v.value[from[i] ?? 0] ?? 0;
            delta[at] = v.delta[from[i] ?? 0] ?? 0;
          }
          offset += part.axis === null ? 1 : this.length(part.axis);
        }
        return out;
      }
    }
  }

  /** Places in a tensor over `axes` whose points are addressed by `names` (same positions), for points of `loop`. */
  private placesWith(
    loop: readonly AxisId[],
    names: readonly AxisId[],
    axes: readonly AxisId[],
    byLoop = false,
  ): Int32Array {
    const own = byLoop ? axes : names;
    const strides = axes.map((_, i) => this.count(axes.slice(i + 1)));
    const steps = loop.map((a, i) => {
      const at = own.indexOf(byLoop ? (names[i] ?? a) : a);
      return at < 0 ? 0 : (strides[at] ?? 0);
    });
    const out = new Int32Array(this.count(loop));
    const lengths = loop.map((a) => this.length(a));
    for (let p = 0; p < out.length; p++) {
      let rest = p;
      let place = 0;
      for (let i = loop.length - 1; i >= 0; i--) {
        const n = lengths[i] ?? 1;
        place += (rest % n) * (steps[i] ?? 0);
        rest = Math.floor(rest / n);
      }
      out[p] = place;
    }
    return out;
  }

  private permuted(data: Float64Array, from: readonly AxisId[], to: readonly AxisId[]): Float64Array {
    const places = this.places(to, from);
    return Float64Array.from(places, (p) => data[p] ?? 0);
  }

  private permutedBounded(v: Bounded, axes: readonly AxisId[]): Bounded {
    return { axes, value: this.permuted(v.value, v.axes, axes), delta: this.permuted(v.delta, v.axes, axes) };
  }

  private copy(from: Bounded, out: Bounded): void {
    const places = this.places(out.axes, from.axes);
    for (let i = 0; i < places.length; i++) {
      out.value[i] = from.value[places[i] ?? 0] ?? 0;
      out.delta[i] = from.delta[places[i] ?? 0] ?? 0;
    }
  }

  private map(node: Node & { kind: 'map' }, out: Bounded): void {
    const operands = node.operands.map((o) => this.of(o));
    const places = operands.map((o) => this.places(node.axes, o.axes));
    const args = operands.map(() => ({ v: 0, d: 0 }));
    for (let i = 0; i < out.value.length; i++) {
      operands.forEach((o, k) => {
        const at = places[k]?.[i] ?? 0;
        args[k] = { v: o.value[at] ?? 0, d: o.delta[at] ?? 0 };
      });
      const r = mapBound(node.op, args, node.element);
      out.value[i] = r.v;
      // What is flushed to zero is an error also where the bound itself is too small for a number.
      const whole = r.d === 0 && (r.v === 0 || Math.abs(r.v) >= tiny);
      out.delta[i] = (node.element === 'f32' || node.element === 'f16') && !whole ? r.d + tiny : r.d;
    }
  }

  private contract(left: Bounded, right: Bounded, over: readonly AxisId[], out: Bounded): void {
    const loop = [...out.axes, ...over];
    const [pl, pr] = [this.places(loop, left.axes), this.places(loop, right.axes)];
    const n = this.count(over);
    for (let i = 0; i < out.value.length; i++) {
      let sum = 0;
      let size = 0;
      let passed = 0;
      for (let k = 0; k < n; k++) {
        const [a, b] = [pl[i * n + k] ?? 0, pr[i * n + k] ?? 0];
        const [x, y] = [left.value[a] ?? 0, right.value[b] ?? 0];
        const [dx, dy] = [left.delta[a] ?? 0, right.delta[b] ?? 0];
        sum += x * y;
        size += Math.abs(x * y);
        passed += times(Math.abs(x), dy) + times(Math.abs(y), dx) + times(dx, dy);
      }
      out.value[i] = sum;
      out.delta[i] = passed + (n + 1) * u * (size + passed) + tiny;
    }
  }

  private reduce(operand: Bounded, op: 'sum' | 'max' | 'min' | 'any', over: readonly AxisId[], out: Bounded): void {
    const places = this.places([...out.axes, ...over], operand.axes);
    const n = this.count(over);
    for (let i = 0; i < out.value.length; i++) {
      let value = op === 'max' ? -3.4028234663852886e38 : op === 'min' ? 3.4028234663852886e38 : 0;
      let size = 0;
      let passed = 0;
      let sure = false;
      let exact = true;
      for (let k = 0; k < n; k++) {
        const at = places[i * n + k] ?? 0;
        const [v, d] = [operand.value[at] ?? 0, operand.delta[at] ?? 0];
        if (!Number.isInteger(v) || d !== 0) exact = false;
        if (op === 'sum') {
          value += v;
          size += Math.abs(v);
          passed += d;
        } else if (op === 'any') {
          if (v !== 0) value = 1;
          if (v !== 0 && d === 0) sure = true;
          passed = Math.max(passed, d);
        } else {
          value = op === 'max' ? Math.max(value, v) : Math.min(value, v);
          passed = Math.max(passed, d);
        }
      }
      out.value[i] = value;
      if (op === 'sum')
        out.delta[i] = exact && size < 2 ** 24 ? 0 : passed + times(Math.max(n - 1, 0) * u, size + passed);
      else out.delta[i] = op === 'any' && sure ? 0 : passed;
    }
  }

  private scan(operand: Bounded, axis: AxisId, exclusive: boolean, out: Bounded): void {
    const others = out.axes.filter((a) => a !== axis);
    const loop = [...others, axis];
    const [from, to] = [this.places(loop, operand.axes), this.places(loop, out.axes)];
    const n = this.length(axis);
    for (let line = 0; line < this.count(others); line++) {
      let sum = 0;
      let size = 0;
      let passed = 0;
      for (let k = 0; k < n; k++) {
        const at = from[line * n + k] ?? 0;
        const put = to[line * n + k] ?? 0;
        const [v, d] = [operand.value[at] ?? 0, operand.delta[at] ?? 0];
        if (!exclusive) [sum, size, passed] = [sum + v, size + Math.abs(v), passed + d];
        out.value[put] = sum;
        out.delta[put] =
          passed === 0 && Number.isInteger(size) && size < 2 ** 24 ? 0 : passed + times(k * u, size + passed);
        if (exclusive) [sum, size, passed] = [sum + v, size + Math.abs(v), passed + d];
      }
    }
  }

  private order(node: Node & { kind: 'order' }, out: Bounded): void {
    const keys = node.keys.map((k) => ({ ...this.of(k.node), sign: k.descending ? -1 : 1 }));
    const candidates = node.candidates === null ? null : this.of(node.candidates);
    const others = out.axes.filter((a) => !node.over.includes(a));
    const loop = [...others, ...node.over];
    const to = this.places(loop, out.axes);
    const from = keys.map((k) => this.places(loop, k.axes));
    const chosen = candidates === null ? null : this.places(loop, candidates.axes);
    const n = this.count(node.over);
    for (let group = 0; group < this.count(others); group++) {
      for (let a = 0; a < n; a++) {
        const pa = group * n + a;
        let place = 0;
        let unsure = 0;
        for (let b = 0; b < n; b++) {
          if (b === a) continue;
          const pb = group * n + b;
          const is = candidates === null || chosen === null ? 1 : (candidates.value[chosen[pb] ?? 0] ?? 0);
          const maybe = candidates !== null && chosen !== null && candidates.delta[chosen[pb] ?? 0] !== 0;
          if (is === 0 && !maybe) continue;
          let before = b < a;
          let decided = true;
          for (const [k, key] of keys.entries()) {
            const [ia, ib] = [from[k]?.[pa] ?? 0, from[k]?.[pb] ?? 0];
            const gap = ((key.value[ib] ?? 0) - (key.value[ia] ?? 0)) * key.sign;
            const slack = (key.delta[ia] ?? 0) + (key.delta[ib] ?? 0);
            if (Math.abs(gap) <= slack && slack > 0) decided = false;
            if (gap !== 0) {
              before = gap < 0;
              break;
            }
          }
          if (before && is !== 0) place++;
          if (!decided || maybe) unsure++;
        }
        const at = to[pa] ?? 0;
        out.value[at] = place;
        out.delta[at] = unsure;
      }
    }
  }

  private argmax(operand: Bounded, axis: AxisId, out: Bounded): void {
    const places = this.places([...out.axes, axis], operand.axes);
    const n = this.length(axis);
    for (let i = 0; i < out.value.length; i++) {
      let best = 0;
      for (let k = 1; k < n; k++) {
        if ((operand.value[places[i * n + k] ?? 0] ?? 0) > (operand.value[places[i * n + best] ?? 0] ?? 0)) best = k;
      }
      const [v, d] = [operand.value[places[i * n + best] ?? 0] ?? 0, operand.delta[places[i * n + best] ?? 0] ?? 0];
      let unsure = 0;
      for (let k = 0; k < n; k++) {
        const at = places[i * n + k] ?? 0;
        const slack = d + (operand.delta[at] ?? 0);
        if (k !== best && slack > 0 && v - (operand.value[at] ?? 0) <= slack) unsure = n;
      }
      out.value[i] = best;
      out.delta[i] = unsure;
    }
  }
}
