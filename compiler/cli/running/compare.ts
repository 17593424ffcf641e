/**
 * The comparison of `moec verify`: each number of a run against the reference, within a bound derived for that number
 * (compiler/graph/error-bound.ts). Nothing here is tuned.
 *
 * A source of a route whose choice the rounding of its scores could turn is *undecided*: its picks are not compared, and what
 * hangs on them has the bound the derivation gave it. All other picks have to be the same.
 */
import { RowMajorOffsets } from '../../graph/row-major-offsets.ts';
import { noNumber } from '../../../dsl/diagnostics/invariants.ts';
import { boundGraph, type NumbersWithBounds } from '../../graph/error-bound.ts';
import { interpretGraph, inOrder } from '../../graph/interpret-graph.ts';
import type { AxisId, Graph, GraphInput, NodeId, GraphOutput } from '../../graph/graph-ir.ts';
import { evaluateShape } from '../../../runtime/contract/sizes.ts';
import { wantsMore, type NamedTensor, type Ready } from './execution.ts';
import { roundToF16 } from './tensor-files.ts';

export interface Comparison {
  readonly name: string;
  readonly shape: readonly number[];
  readonly passed: boolean;
  /** Where |actual - expected| is largest in units of its bound. Null for a tensor without numbers. */
  readonly worst: {
    readonly index: readonly number[];
    readonly actual: number;
    readonly expected: number;
    readonly error: number;
    readonly bound: number;
    /** error / bound: at most 1 if the number is right. */
    readonly ratio: number;
  } | null;
  /** The largest |actual - expected| of all numbers compared. */
  readonly error: number;
  /** The largest bound of all numbers compared. */
  readonly bound: number;
  readonly compared: number;
  /** Numbers that were not compared, since their choice is undecided. */
  readonly undecided: number;
}

/** Unit roundoff of f32: both sides are rounded to it when they are written. */
const u = 2 ** -24;

/** Compares all results of a run; both maps have the same names. */
export function compareResults(
  ready: Ready,
  actual: ReadonlyMap<string, NamedTensor>,
  expected: ReadonlyMap<string, NamedTensor>,
): readonly Comparison[] {
  const { graph, sizes, bounded } = boundsOf(ready);
  const comparisons: Comparison[] = [];
  const outputOf = new Map(graph.outputs.map((output) => [fullName(output), output]));
  const offsets = new RowMajorOffsets(graph, sizes);
  const lengthsOf = (axes: readonly AxisId[]): readonly number[] => axes.map((a) => offsets.length(a));
  const deltaOf = (node: NodeId, axes: readonly AxisId[]): Float64Array => {
    const b = bounded.get(node);
    return b === undefined
      ? new Float64Array(0)
      : inOrder({ axes: b.axes, shape: lengthsOf(b.axes), data: b.delta }, axes);
  };
  for (const [name, want] of expected) {
    const have = actual.get(name);
    const route = outputOf.get(name.replace(/\.(indices|weights)$/, ''));
    const output = outputOf.get(name) ?? route;
    if (have === undefined || output === undefined) {
      comparisons.push({
        name,
        shape: want.shape,
        passed: false,
        worst: null,
        error: Infinity,
        bound: 0,
        compared: 0,
        undecided: 0,
      });
      continue;
    }
    comparisons.push(
      output.kind === 'tensor'
        ? compare(name, have, want, deltaOf(output.node, output.axes))
        : ofRoute(name, output, have, want),
    );
  }
  return comparisons;

  function ofRoute(
    name: string,
    output: Extract<GraphOutput, { kind: 'route' }>,
    have: NamedTensor,
    want: NamedTensor,
  ): Comparison {
    const support = [...output.sources, ...output.targets];
    const present = deltaOf(output.present, support);
    const rank = deltaOf(output.rank, support);
    const weight = deltaOf(output.weight, [...support, ...output.payload]);
    const sources = product(lengthsOf(output.sources));
    const targets = product(lengthsOf(output.targets));
    const payload = product(lengthsOf(output.payload));
    const presence = bounded.get(output.present);
    const isPresent =
      presence === undefined
        ? new Float64Array(0)
        : inOrder({ axes: presence.axes, shape: lengthsOf(presence.axes), data: presence.value }, support);
    const open = Array.from({ length: sources }, (_, s) =>
      range(targets).some(
        (t) =>
          (present[s * targets + t] ?? noNumber()) > 0 ||
          ((isPresent[s * targets + t] ?? noNumber()) > 0 && (rank[s * targets + t] ?? noNumber()) > 0),
      ),
    );
    const perSource = sources === 0 ? 0 : want.data.length / sources;
    const delta = new Float64Array(want.data.length);
    // Sparse weights stand in order of rank: each has the bound of the largest of its source and payload point.
    const dense = !/\.(indices|weights)$/.test(name);
    for (let i = 0; i < delta.length; i++) {
      const source = Math.floor(i / perSource);
      if (open[source] === true) delta[i] = Infinity;
      else if (name.endsWith('.indices')) delta[i] = 0;
      else if (dense) delta[i] = (isPresent[Math.floor(i / payload)] ?? noNumber()) > 0 ? (weight[i] ?? noNumber()) : 0;
      else {
        const y = i % payload;
        for (const t of range(targets)) {
          const at = source * targets + t;
          if ((isPresent[at] ?? noNumber()) > 0)
            delta[i] = Math.max(delta[i] ?? noNumber(), weight[at * payload + y] ?? noNumber());
        }
      }
    }
    return compare(name, have, want, delta);
  }
}

/** Compares number by number; an infinite bound stands for a number that is not compared. */
export function compare(name: string, actual: NamedTensor, expected: NamedTensor, delta: Float64Array): Comparison {
  const { shape } = expected;
  if (actual.data.length !== expected.data.length || delta.length !== expected.data.length) {
    return { name, shape, passed: false, worst: null, error: Infinity, bound: 0, compared: 0, undecided: 0 };
  }
  const exact = expected.element === 'i32' || expected.element === 'bool';
  let worst: Comparison['worst'] = null;
  let [error, widest, compared, undecided] = [0, 0, 0, 0];
  for (let i = 0; i < expected.data.length; i++) {
    const d = delta[i] ?? noNumber();
    if (d === Infinity || (exact && d > 0)) {
      undecided++;
      continue;
    }
    compared++;
    const [want, have] = [expected.data[i] ?? noNumber(), actual.data[i] ?? noNumber()];
    const off = Math.abs(have - want);
    const bound = exact ? 0 : d + 2 * u * Math.abs(want) + 2 ** -126;
    if (Number.isFinite(bound)) widest = Math.max(widest, bound);
    // Not finite anywhere is as wrong as can be, unless both sides say the same.
    const same = Object.is(have, want) || have === want;
    const ratio = same ? 0 : Number.isFinite(off) ? off / bound : Infinity;
    if (Number.isFinite(off)) error = Math.max(error, off);
    else if (ratio > 0) error = Infinity;
    if (worst === null || ratio > worst.ratio) {
      worst = { index: indexOf(i, shape), actual: have, expected: want, error: off, bound, ratio };
    }
  }
  return { name, shape, passed: worst === null || worst.ratio <= 1, worst, error, bound: widest, compared, undecided };
}

/** Whether some number of a run may leave f32 on its way, though the reference has one: then a run may meet what is no number. */
export function mayLeaveF32(run: Ready): boolean {
  const { bounded } = boundsOf(run);
  return [...bounded.values()].some(({ value, delta }) =>
    value.some((v, i) => Number.isFinite(v) && !(Math.abs(v) + (delta[i] ?? noNumber()) <= MAX_F32)),
  );
}

const MAX_F32 = 3.4028234663852886e38;

function boundsOf({ prepared, request }: Ready): {
  readonly graph: Graph;
  readonly sizes: ReadonlyMap<string, number>;
  readonly bounded: ReadonlyMap<NodeId, NumbersWithBounds>;
} {
  const { inference, withAux } = prepared.entry.elaborated;
  const graph = wantsMore(request.want) ? withAux : inference;
  const sizes = sizesOf(ready(prepared, request), graph);
  const inputs = new Map<string, Float64Array>();
  for (const input of graph.inputs) {
    const numbers = numbersOf(input);
    if (numbers !== null) inputs.set(input.name, numbers);
  }
  const { values } = interpretGraph(graph, { inputs, sizes, seed: request.seed ?? 0 });
  const given = (node: NodeId): Float64Array | null => {
    const value = values[node];
    const axes = graph.nodes[node]?.axes;
    return value === undefined || axes === undefined ? null : inOrder(value, axes);
  };
  return { graph, sizes, bounded: boundGraph(graph, { sizes, numbersOf: (name) => inputs.get(name) ?? null, given }) };

  function numbersOf(graphInput: GraphInput): Float64Array | null {
    const round = (list: ArrayLike<number>): Float64Array =>
      Float64Array.from(
        list,
        graphInput.element === 'f16' ? roundToF16 : graphInput.element === 'f32' ? Math.fround : (n) => n,
      );
    const input = request.inputs.get(graphInput.name);
    if (graphInput.role === 'input' || graphInput.role === 'control')
      return input === undefined ? null : round(input.data);
    const known = prepared.variables.get(graphInput.name);
    if (known !== undefined) return round(known);
    const spec = prepared.manifest.stores.find((s) => s.path === graphInput.name);
    // What the module does not keep nobody reads: its numbers do not matter.
    if (spec === undefined) return new Float64Array(new RowMajorOffsets(graph, sizes).count(graphInput.axes));
    if (spec.initial?.kind !== 'fill') return null;
    return round(new Float64Array(product(evaluateShape(spec.axes, new Map()))).fill(spec.initial.value));
  }
}

const ready = (prepared: Ready['prepared'], request: Ready['request']): Ready => ({ prepared, request });

/** Sizes of the dynamic axes, from the shapes of the inputs: a graph input's axis whose size is a name has it directly. */
function sizesOf({ prepared, request }: Ready, graph: Graph): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>();
  for (const input of graph.inputs) {
    const shape = request.inputs.get(input.name)?.shape;
    input.axes.forEach((id, i) => {
      const size = graph.axes.get(id)?.size;
      const length = shape?.[i];
      if (size?.kind === 'dynamic' && length !== undefined) sizes.set(size.axis, length);
    });
  }
  // An input that nothing reads is no graph input, and may still decide a size.
  for (const input of prepared.entry.elaborated.inputs) {
    const shape = request.inputs.get(input.name)?.shape;
    input.axes.forEach((axis, i) => {
      const length = shape?.[i];
      if (axis.size.kind === 'dynamic' && length !== undefined) sizes.set(axis.size.axis, length);
    });
  }
  return sizes;
}

/** The name of an output among the results of a run. */
export function fullName(output: GraphOutput): string {
  return output.role === 'loss'
    ? `loss.${output.name}`
    : output.role === 'update'
      ? `state.${output.name}`
      : output.name;
}

const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
const range = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i);

function indexOf(offset: number, shape: readonly number[]): readonly number[] {
  const index: number[] = [];
  let rest = offset;
  for (const size of shape.toReversed()) {
    index.unshift(size === 0 ? 0 : rest % size);
    rest = size === 0 ? 0 : Math.floor(rest / size);
  }
  return index;
}
