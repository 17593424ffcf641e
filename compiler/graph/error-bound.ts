/**
 * Derived tolerances: how far a correct f32 run of a graph may be from exact mathematics.
 *
 * The graph is evaluated in float64, and beside every value runs a bound δ on the error of a device that computes it
 * in f32, in any order, fused or not. Nothing here is tuned: graph inputs are exact, each operation adds its own worst
 * rounding (WGSL's accuracy table, section 15.7.4) and passes on what its operands bring. A choice that the errors of
 * its scores could turn (a comparison, an order, a floor) is *undecided*: what depends on it gets the distance between
 * the outcomes, so a near-tie of a router loosens exactly the tokens it touches.
 *
 * Here each node passes on what its operands bring; how far numbers err is in scalar-bound.ts (functions of one point),
 * sum-bound.ts (of many points) and choice-bound.ts (orders and greatest points).
 */
import { at, noNumber } from '../../dsl/diagnostics/invariants.ts';
import { CompilerBug } from '../../dsl/diagnostics/bug.ts';
import { substitute, integerOf, numberOf } from '../../dsl/types/size.ts';
import { inAnyOrder, termsAt, termsOf } from './addition-bound.ts';
import { boundArgmax, boundChoice, boundOrder } from './choice-bound.ts';
import { boundFold, type BoundStep } from './fold-bound.ts';
import type { AxisId, Graph, Node, NodeId } from './graph-ir.ts';
import { RowMajorOffsets, type NumbersWithBounds } from './row-major-offsets.ts';
import { apart, mapBound, tiny, u, wideUnit, type Point } from './scalar-bound.ts';
import { widenExponentials, widenSums } from './online-bound.ts';
import { softmaxSumsIn, type SoftmaxSum } from './softmax.ts';
import { boundContract, boundReduce, boundScan } from './sum-bound.ts';
import { liveNodes } from './node-uses.ts';
import { isWaveOfWide, wideOperands } from './wide-angles.ts';

export type { NumbersWithBounds } from './row-major-offsets.ts';

export interface BoundInputs {
  readonly sizes: ReadonlyMap<string, number>;
  /** Numbers of a graph input, row-major over its axes; null for a control that was not given. */
  readonly numbersOf: (name: string) => Float64Array | null;
  /** Graph inputs that are not exact, by name: what enters a step of a recurrence. */
  readonly bounded?: ReadonlyMap<string, NumbersWithBounds>;
  /** Draws and externs are taken from a run, not computed again. */
  readonly given: (node: NodeId) => Float64Array | null;
}

/** A map at one point. What is flushed to zero is an error also where the bound itself is too small for a number. */
export function boundOfMap(
  node: Pick<Node & { kind: 'map' }, 'op' | 'element'>,
  args: readonly Point[],
  unit = u,
): Point {
  const r = mapBound(node.op, args.some(isSubnormal) ? args.map(maybeFlushed) : args, node.element, unit);
  const whole = r.d === 0 && !(r.v !== 0 && Math.abs(r.v) < tiny);
  return (node.element === 'f32' || node.element === 'f16') && !whole ? { v: r.v, d: r.d + tiny } : r;
}

const isSubnormal = ({ v }: Point): boolean => v !== 0 && Math.abs(v) < tiny;

/** An operand as a function may see it: a driver may take a subnormal number for 0, also in a comparison. */
function maybeFlushed(operand: Point): Point {
  return isSubnormal(operand) ? { v: operand.v, d: Math.max(operand.d, Math.abs(operand.v)) } : operand;
}

/**
 * How far a drawn number may be off. A normal one is below 5.8: its root has 12 roundings, the product one, the cosine 4 of 1. A
 * Gumbel one is within -2.9 and 17.4: the inner logarithm has 4 roundings, absolute ones after the outer, which has 4 itself.
 */
export function boundOfDraw(distribution: (Node & { kind: 'draw' })['distribution']): number {
  return { uniform: 0, normal: 5.8 * 17 * u, gumbel: (4 + 4 * 17.4) * u }[distribution];
}

/** Bounds for a step of a recurrence, whose inputs have bounds. */
export const boundStep =
  (sizes: ReadonlyMap<string, number>): BoundStep =>
  (body, bounded) =>
    boundGraph(body, { sizes, bounded, numbersOf: () => null, given: () => null });

/** Bounds for all nodes that the outputs need. */
export function boundGraph(graph: Graph, inputs: BoundInputs): ReadonlyMap<NodeId, NumbersWithBounds> {
  const evaluator = new Evaluator(graph, inputs);
  const live = liveNodes(graph);
  // Operands come before users: in this order no evaluation recurses.
  for (const node of graph.nodes) if (live[node.id] === true) evaluator.of(node.id);
  return evaluator.done;
}

class Evaluator {
  readonly #graph: Graph;
  readonly #inputs: BoundInputs;
  readonly done = new Map<NodeId, NumbersWithBounds>();
  readonly #offsets: RowMajorOffsets;
  readonly #sums: readonly SoftmaxSum[];
  readonly #folded = new Map<string, readonly NumbersWithBounds[]>();

  constructor(graph: Graph, inputs: BoundInputs) {
    this.#graph = graph;
    this.#inputs = inputs;

    this.#offsets = new RowMajorOffsets(graph, inputs.sizes);
    this.#sums = softmaxSumsIn(graph);
  }

  of(id: NodeId): NumbersWithBounds {
    const known = this.done.get(id);
    if (known !== undefined) return known;
    const bounded = this.#evaluate(this.#node(id));
    this.done.set(id, bounded);
    return bounded;
  }

  #node(id: NodeId): Node {
    const node = this.#graph.nodes[id];
    if (node === undefined) throw new CompilerBug('error bounds', `no node ${id}`);
    return node;
  }

  #blank(axes: readonly AxisId[]): { axes: readonly AxisId[]; value: Float64Array; delta: Float64Array } {
    const n = this.#offsets.count(axes);
    return { axes, value: new Float64Array(n), delta: new Float64Array(n) };
  }

  #evaluate(node: Node, of = (id: NodeId): NumbersWithBounds => this.of(id)): NumbersWithBounds {
    const out = this.#blank(node.axes);
    const { value, delta } = out;
    switch (node.kind) {
      case 'constant':
      case 'size': {
        const v =
          node.kind === 'constant'
            ? node.value
            : numberOf(substitute(node.size, this.#inputs.sizes), 'error bounds: size');
        value.fill(v);
        delta.fill(Math.fround(v) === v ? 0 : Math.abs(v) * u);
        return out;
      }
      case 'iota':
        value.forEach((_, i) => (value[i] = i));
        return out;
      case 'input': {
        const input = this.#graph.inputs[node.input];
        const bounded = input === undefined ? undefined : this.#inputs.bounded?.get(input.name);
        if (bounded !== undefined) return this.#copy(bounded, out);
        const data = input === undefined ? null : this.#inputs.numbersOf(input.name);
        if (data !== null) value.set(this.#offsets.permuted(data, input?.axes ?? node.axes, node.axes));
        else if (input !== undefined && input.default !== null) return this.#copy(this.of(input.default), out);
        else throw new CompilerBug('error bounds', `graph input ${input?.name ?? node.input} has no value`);
        return out;
      }
      case 'draw':
      case 'extern': {
        const data = this.#inputs.given(node.id);
        if (data !== null) value.set(data);
        delta.fill(node.kind === 'draw' ? boundOfDraw(node.distribution) : 1e-5);
        return out;
      }
      case 'fold':
        return this.#fold(node);
      case 'map': {
        const bounded = this.#map(node, out);
        const sum = this.#sums.find(({ exponential }) => exponential === node.id);
        if (sum !== undefined)
          widenExponentials(sum, this.#offsets.count(sum.over), { v: bounded.value, d: bounded.delta });
        return bounded;
      }
      case 'predicated': {
        const [s, v] = [this.of(node.presence), this.of(node.value)];
        const [ps, pv] = [this.#offsets.of(node.axes, s.axes), this.#offsets.of(node.axes, v.axes)];
        for (let i = 0; i < value.length; i++) {
          const [at, from] = [ps[i] ?? noNumber(), pv[i] ?? noNumber()];
          const present = s.value[at] !== 0;
          value[i] = present ? (v.value[from] ?? noNumber()) : node.otherwise;
          delta[i] = present ? (v.delta[from] ?? noNumber()) : 0;
          if (s.delta[at] !== 0)
            delta[i] = apart(v.value[from] ?? noNumber(), node.otherwise) + (v.delta[from] ?? noNumber());
        }
        return out;
      }
      case 'presence':
        this.#copy(this.of(node.mask), out);
        return out;
      case 'broadcast':
        return this.#copy(of(node.operand), out);
      case 'contract':
        boundContract(this.of(node.left), this.of(node.right), node, out, this.#offsets);
        return this.#online(node, out);
      case 'reduce':
        boundReduce(this.of(node.operand), node, out, this.#offsets);
        return this.#online(node, out);
      case 'scan':
        boundScan(this.of(node.operand), node, out, this.#offsets);
        return out;
      case 'sort_rank':
        boundOrder(node, (id) => this.of(id), out, this.#offsets);
        return out;
      case 'choose':
        boundChoice(node, (id) => this.of(id), out, this.#offsets);
        return out;
      case 'argmax':
        boundArgmax(this.of(node.operand), node.axis, out, this.#offsets);
        return out;
      case 'gather': {
        const [t, ids] = [this.of(node.table), this.of(node.indices)];
        const stride = this.#offsets.count(t.axes.slice(t.axes.indexOf(node.axis) + 1));
        const length = this.#offsets.length(node.axis);
        // The indices may have the looked-up axis themselves: the table does not move along it.
        const [pt, pi] = [this.#offsets.of(node.axes, t.axes, node.axis), this.#offsets.of(node.axes, ids.axes)];
        for (let i = 0; i < value.length; i++) {
          const index = ids.value[pi[i] ?? noNumber()] ?? noNumber();
          // What an index outside looks up is 0, and nothing that is needed reads it (SEMANTICS 7.3).
          const inside = index >= 0 && index < length;
          const at = (pt[i] ?? noNumber()) + index * stride;
          value[i] = inside ? (t.value[at] ?? noNumber()) : 0;
          delta[i] = ids.delta[pi[i] ?? noNumber()] !== 0 ? Infinity : inside ? (t.delta[at] ?? noNumber()) : 0;
        }
        return out;
      }
      case 'rename': {
        const v = of(node.operand);
        const axes = v.axes.map((a) => node.to[node.from.indexOf(a)] ?? a);
        return this.#copy({ ...v, axes }, out);
      }
      case 'slice': {
        const v = of(node.operand);
        const at = integerOf(substitute(node.at, this.#inputs.sizes), 'error bounds: first point of a slice');
        const stride = this.#offsets.count(v.axes.slice(v.axes.indexOf(node.axis) + 1));
        const axes = v.axes.map((a) => (a === node.axis && node.as !== null ? node.as : a));
        const froms = this.#offsets.named(node.axes, axes, v.axes);
        for (let i = 0; i < value.length; i++) {
          const from = (froms[i] ?? noNumber()) + at * stride;
          value[i] = v.value[from] ?? noNumber();
          delta[i] = v.delta[from] ?? noNumber();
        }
        return out;
      }
      case 'split':
      case 'merge': {
        const v = of(node.operand);
        const whole = node.kind === 'split' ? node.axis : node.into;
        const parts = node.kind === 'split' ? node.into : node.from;
        // Row-major: a tensor with the parts side by side at the place of the whole has the same numbers.
        const wide = node.kind === 'split' ? v.axes.flatMap((a) => (a === whole ? parts : [a])) : null;
        if (wide !== null) this.#copy({ ...v, axes: wide }, out);
        else {
          const others = node.axes.filter((a) => a !== whole);
          const from = this.#permutedBounded(v, [...others, ...parts]);
          this.#copy({ ...from, axes: [...others, whole] }, out);
        }
        return out;
      }
      case 'concat': {
        let offset = 0;
        const stride = this.#offsets.count(node.axes.slice(node.axes.indexOf(node.axis) + 1));
        for (const part of node.parts) {
          const v = this.of(part.node);
          const own = node.axes.flatMap((a) => (a === node.axis ? (part.axis === null ? [] : [part.axis]) : [a]));
          const from = this.#offsets.of(own, v.axes);
          const to = this.#offsets.named(
            own,
            own.map((a) => (a === part.axis ? node.axis : a)),
            node.axes,
            true,
          );
          for (let i = 0; i < from.length; i++) {
            const at = (to[i] ?? noNumber()) + offset * stride;
            value[at] = v.value[from[i] ?? noNumber()] ?? noNumber();
            delta[at] = v.delta[from[i] ?? noNumber()] ?? noNumber();
          }
          offset += part.axis === null ? 1 : this.#offsets.length(part.axis);
        }
        return out;
      }
    }
  }

  /** A sum that may be added up along the softmax of its weights: whether it is, a graph does not say. */
  #online(node: Node & { kind: 'contract' | 'reduce' }, out: NumbersWithBounds): NumbersWithBounds {
    const sum = this.#sums.find((other) => other.node.id === node.id);
    if (sum === undefined) return out;
    const loop = [...node.axes, ...sum.over];
    const at = ({ axes, value, delta }: NumbersWithBounds): { readonly v: Float64Array; readonly d: Float64Array } => {
      const offsets = this.#offsets.of(loop, axes);
      const column = (of: Float64Array): Float64Array => Float64Array.from(offsets, (o) => of[o] ?? noNumber());
      return { v: column(value), d: column(delta) };
    };
    const values = sum.value === null ? null : at(this.of(sum.value)).v;
    widenSums(sum, this.#offsets.count(sum.over), at(this.of(sum.weights)), values, { v: out.value, d: out.delta });
    return out;
  }

  #fold(node: Node & { kind: 'fold' }): NumbersWithBounds {
    const key = `${node.fold} ${node.operands.join(' ')}`;
    let results = this.#folded.get(key);
    if (results === undefined) {
      const fold = at(this.#graph.folds, node.fold, 'error bounds: fold');
      const { sizes } = this.#inputs;
      results = boundFold(fold, node.operands.map((id) => this.of(id)), sizes, boundStep(sizes)); // prettier-ignore
      this.#folded.set(key, results);
    }
    return at(results, node.result, 'error bounds: result of a fold');
  }

  #permutedBounded(v: NumbersWithBounds, axes: readonly AxisId[]): NumbersWithBounds {
    return {
      axes,
      value: this.#offsets.permuted(v.value, v.axes, axes),
      delta: this.#offsets.permuted(v.delta, v.axes, axes),
    };
  }

  #copy(from: NumbersWithBounds, out: NumbersWithBounds): NumbersWithBounds {
    const offsets = this.#offsets.of(out.axes, from.axes);
    for (let i = 0; i < offsets.length; i++) {
      out.value[i] = from.value[offsets[i] ?? noNumber()] ?? noNumber();
      out.delta[i] = from.delta[offsets[i] ?? noNumber()] ?? noNumber();
    }
    const { terms } = from;
    return terms === undefined ? out : { ...out, terms: () => termsAt(terms(), offsets) };
  }

  readonly #wides = new Map<NodeId, NumbersWithBounds>();

  /**
   * A value as wide numbers have it (compiler/kernel/math/wide.ts): what it is made of is as it is, and arithmetic adds next to
   * nothing.
   */
  #wide(id: NodeId): NumbersWithBounds {
    const known = this.#wides.get(id);
    if (known !== undefined) return known;
    const node = this.#node(id);
    const bounded = this.#wideOf(node) ?? this.of(id);
    this.#wides.set(id, bounded);
    return bounded;
  }

  #wideOf(node: Node): NumbersWithBounds | null {
    const operands = wideOperands(node);
    if (operands === null) return null;
    if (operands.length === 0) {
      const { axes, value } = this.of(node.id);
      return { axes, value, delta: new Float64Array(value.length) };
    }
    if (node.kind !== 'map') return this.#evaluate(node, (id) => this.#wide(id));
    const out = this.#blank(node.axes);
    return this.#map(node, out, (id) => this.#wide(id), wideUnit);
  }

  #map(
    node: Node & { kind: 'map' },
    out: NumbersWithBounds,
    of = (id: NodeId): NumbersWithBounds => (isWaveOfWide(node, (n) => this.#node(n)) ? this.#wide(id) : this.of(id)),
    unit = u,
  ): NumbersWithBounds {
    const operands = node.operands.map(of);
    const offsets = operands.map((o) => this.#offsets.of(node.axes, o.axes));
    const args = operands.map(() => ({ v: 0, d: 0 }));
    for (let i = 0; i < out.value.length; i++) {
      operands.forEach((o, k) => {
        const at = offsets[k]?.[i] ?? noNumber();
        args[k] = { v: o.value[at] ?? noNumber(), d: o.delta[at] ?? noNumber() };
      });
      const r = boundOfMap(node, args, unit);
      out.value[i] = r.v;
      out.delta[i] = r.d;
    }
    const addends = operands.map((o) => ({ values: o.value, bounds: o.delta, terms: o.terms }));
    // Wide numbers are integers: nobody adds them up in another order.
    const terms =
      unit === u ? termsOf(node, addends, out.value.length, (k, i) => offsets[k]?.[i] ?? noNumber()) : undefined;
    inAnyOrder(addends, terms, out.value, out.delta);
    return { ...out, terms };
  }
}
