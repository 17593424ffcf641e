/**
 * What a graph means, in float64, on the CPU: every node by definition, densely, in order. Tests compare it with the
 * reference interpreter (is the elaboration right?) and with itself before and after each pass.
 *
 * With `domains` and `poison`, every point outside a node's domain is overwritten by NaN as soon as the node is
 * computed, before anybody reads it. Results must not change: that is the theorem (SEMANTICS 8.3) as a test.
 *
 * A value's numbers are row-major over the node's axes.
 */
import { at, noNumber } from '../../dsl/diagnostics/invariants.ts';
import { CompilerBug, unreachable } from '../../dsl/diagnostics/bug.ts';
import { asInteger, asNumber, substitute, type Size } from '../../dsl/types/size.ts';
import { drawAt, drawKey, foldAxis, hashText } from '../../dsl/primitives/draw-hash.ts';
import type { Domain } from './domains.ts';
import { argmaxValues, chosenPositions, sortRanks } from './interpret-choices.ts';
import { keep, scalarFunction } from './interpret-scalar.ts';
import { foldValues } from './interpret-fold.ts';
import { contractValues, reduceValues, scanValues } from './interpret-sums.ts';
import type { AxisId, ExternCallId, ExternCall, Graph, GraphInputId, Node, NodeId } from './graph-ir.ts';
import { count, forEachPoint, inOrder, stridesOf, type NodeNumbers, type OperandNumbers } from './tensor-points.ts';
import { operandsOf } from './node-uses.ts';

export interface GraphRun {
  /** By graph input name: numbers row-major over the graph input's axes. A control may be missing. */
  readonly inputs: ReadonlyMap<string, ArrayLike<number>>;
  /** Sizes of dynamic axes, by name. */
  readonly sizes?: ReadonlyMap<string, number>;
  readonly seed?: number;
  /** Gives the numbers of each result of an extern call, row-major over the result's axes. */
  readonly extern?: (
    call: ExternCall,
    operands: readonly NodeNumbers[],
    shapes: readonly (readonly number[])[],
  ) => readonly ArrayLike<number>[];
  readonly domains?: ReadonlyMap<NodeId, Domain>;
  readonly poison?: boolean;
}

export interface GraphValues {
  readonly values: readonly NodeNumbers[];
  /** Errors a run reports: NaN keys of candidates, indices outside. */
  readonly errors: readonly string[];
}

/** Evaluates every node. */
export function interpretGraph(graph: Graph, run: GraphRun): GraphValues {
  const interpreter = new Interpreter(graph, run);
  for (const node of graph.nodes) interpreter.step(node);
  return interpreter;
}

export { inOrder, type NodeNumbers } from './tensor-points.ts';

/** What the definitions of single nodes need of the run they are evaluated in. */
export interface GraphEvaluation {
  readonly errors: string[];
  readonly poison: boolean;
  value(id: NodeId): NodeNumbers;
  sizeOf(axis: AxisId): number;
  /** Fills a result by a function of the operands' numbers at each point (and of the point's index). */
  fill(
    node: Node,
    shape: readonly number[],
    operands: readonly OperandNumbers[],
    f: (offsets: readonly number[], index: readonly number[]) => number,
  ): Float64Array;
}

class Interpreter implements GraphValues, GraphEvaluation {
  readonly values: NodeNumbers[] = [];
  readonly errors: string[] = [];
  readonly #graph: Graph;
  readonly #run: GraphRun;
  readonly poison: boolean;
  readonly #calls = new Map<ExternCallId, readonly ArrayLike<number>[]>();
  readonly #folded = new Map<string, readonly Float64Array[]>();

  constructor(graph: Graph, run: GraphRun) {
    this.#graph = graph;
    this.#run = run;
    this.poison = run.poison === true;
  }

  step(node: Node): void {
    const shape = node.axes.map((a) => this.sizeOf(a));
    const data = this.#compute(node, shape);
    if (data.length !== count(shape))
      throw new CompilerBug('graph', `%${node.id} has ${data.length} numbers, not ${count(shape)}`);
    const domain = this.#run.domains?.get(node.id);
    if (this.poison && domain !== undefined) this.#poisonOutside(node, shape, data, domain);
    this.values.push({ axes: node.axes, shape, data });
  }

  #poisonOutside(node: Node, shape: readonly number[], data: Float64Array, domain: Domain): void {
    const presences = domain.presences.map((id) => this.value(id));
    forEachPoint(node.axes, shape, presences.map((s) => s.axes), presences.map((s) => s.shape), (point, offsets) => {
      // In order, as a scheduler would: a presence behind a false one may itself be garbage.
      for (let k = 0; k < presences.length; k++) {
        const here = presences[k]?.data[offsets[k] ?? noNumber()];
        if (here !== 1) {
          data[point] = NaN;
          return;
        }
      }
    }); // prettier-ignore
  }

  value(id: NodeId): NodeNumbers {
    const value = this.values[id];
    if (value === undefined) throw new CompilerBug('graph', `%${id} is read before it is there`);
    return value;
  }

  #number(size: Size): number {
    const value = asNumber(substitute(size, this.#run.sizes ?? new Map()));
    if (value === null) throw new CompilerBug('graph', 'a size is not known');
    return value;
  }

  #integer(size: Size): number {
    const value = asInteger(substitute(size, this.#run.sizes ?? new Map()));
    if (value === null) throw new CompilerBug('graph', 'a size is no integer');
    return value;
  }

  sizeOf(axis: AxisId): number {
    const known = this.#graph.axes.get(axis);
    if (known === undefined) throw new CompilerBug('graph', `no axis ${axis}`);
    return this.#integer(known.size);
  }

  fill(
    node: Node,
    shape: readonly number[],
    operands: readonly OperandNumbers[],
    f: (offsets: readonly number[], index: readonly number[]) => number,
  ): Float64Array {
    const out = new Float64Array(count(shape));
    forEachPoint(node.axes, shape, operands.map((o) => o.axes), operands.map((o) => o.shape), (point, offsets, index) => {
      out[point] = f(offsets, index);
    }); // prettier-ignore
    return out;
  }

  #compute(node: Node, shape: readonly number[]): Float64Array {
    switch (node.kind) {
      case 'constant':
        return Float64Array.of(node.value);
      case 'size':
        return Float64Array.of(keep(node.element, this.#number(node.size)));
      case 'iota':
        return Float64Array.from({ length: shape[0] ?? noNumber() }, (_, i) => keep(node.element, i));
      case 'input':
        return this.#inputValue(node.input, shape);
      case 'map': {
        const operands = node.operands.map((id) => this.value(id));
        const computes = node.operands.map((id) => this.#graph.nodes[id]?.element ?? 'f32').at(-1) ?? 'f32';
        const f = scalarFunction(node.op, computes, node.element, this.poison);
        // A function of fewer than three numbers does not look at the others.
        const [a = null, b = null, c = null] = operands.map(({ data }) => data);
        return this.fill(node, shape, operands, ([i = 0, j = 0, k = 0]) =>
          f(
            a === null ? NaN : (a[i] ?? noNumber()),
            b === null ? NaN : (b[j] ?? noNumber()),
            c === null ? NaN : (c[k] ?? noNumber()),
          ),
        );
      }
      case 'predicated': {
        const [presence, value] = [this.value(node.presence), this.value(node.value)];
        return this.fill(node, shape, [presence, value], ([s, v]) => {
          const here = presence.data[s ?? noNumber()] ?? noNumber();
          if (Number.isNaN(here)) return NaN;
          return here === 0 ? node.otherwise : (value.data[v ?? noNumber()] ?? noNumber());
        });
      }
      case 'presence':
        return this.value(node.mask).data.slice();
      case 'contract':
        return contractValues(node, shape, this);
      case 'reduce':
        return reduceValues(node, shape, this);
      case 'scan':
        return scanValues(node, this);
      case 'sort_rank':
        return sortRanks(node, this);
      case 'choose':
        return chosenPositions(node, this);
      case 'argmax':
        return argmaxValues(node, shape, this);
      case 'gather':
        return this.#gather(node, shape);
      case 'draw': {
        const key = drawKey(this.#run.seed ?? 0, node.seedKey);
        const roots = node.roots.map((r) => ({
          at: node.axes.indexOf(r.axis),
          hash: hashText(r.name),
          offset: this.#integer(r.offset),
        }));
        return this.fill(node, shape, [], (_, index) => {
          const point = roots.reduce(
            (h, { at, hash, offset }) => foldAxis(h, hash, offset + (index[at] ?? noNumber())),
            key,
          );
          return drawAt(node.distribution, point);
        });
      }
      case 'rename': {
        const { axes, shape: own, data } = this.value(node.operand);
        const become = new Map(node.from.map((f, i) => [f, at(node.to, i, 'graph: axis of a rename')]));
        return inOrder({ axes: axes.map((a) => become.get(a) ?? a), shape: own, data }, node.axes);
      }
      case 'slice': {
        const operand = this.value(node.operand);
        const at = this.#integer(node.at);
        const start = (stridesOf(operand.shape)[operand.axes.indexOf(node.axis)] ?? noNumber()) * at;
        const whole = operand.shape[operand.axes.indexOf(node.axis)] ?? noNumber();
        const length = node.as === null ? 1 : this.sizeOf(node.as);
        if (at < 0 || at + length > whole)
          throw new CompilerBug('graph', `%${node.id} slices ${at} + ${length} of ${whole}`);
        const renamed = operand.axes.map((a) => (a === node.axis ? node.as : a));
        return this.fill(
          node,
          shape,
          [{ ...operand, axes: renamed }],
          ([o]) => operand.data[(o ?? noNumber()) + start] ?? noNumber(),
        );
      }
      case 'split':
        return this.#reindex(this.value(node.operand), node.axis, node.into, node);
      case 'merge': {
        const merged = this.value(node.operand);
        const around = node.axes.flatMap((a) => (a === node.into ? node.from : [a]));
        return inOrder(merged, around);
      }
      case 'broadcast': {
        const operand = this.value(node.operand);
        return this.fill(node, shape, [operand], ([o]) => operand.data[o ?? noNumber()] ?? noNumber());
      }
      case 'concat':
        return this.#concat(node, shape);
      case 'fold':
        return this.#fold(node);
      case 'extern':
        return this.#extern(node);
      default:
        return unreachable(node, 'graph');
    }
  }

  #inputValue(index: GraphInputId, shape: readonly number[]): Float64Array {
    const input = this.#graph.inputs[index];
    if (input === undefined) throw new CompilerBug('graph', `no graph input ${index}`);
    const given = this.#run.inputs.get(input.name);
    if (given !== undefined) return Float64Array.from(given);
    if (input.default === null) throw new CompilerBug('graph', `no value for ${input.name}`);
    // A default may stand after the graph input: what it needs is evaluated apart. It may read other controls.
    const needed = reachable(this.#graph, input.default);
    const alone = new Interpreter(this.#graph, this.#run);
    for (const node of this.#graph.nodes.slice(0, input.default + 1)) {
      if (needed.has(node.id)) alone.step(node);
      else alone.values.push({ axes: [], shape: [], data: Float64Array.of(NaN) });
    }
    const value = alone.value(input.default);
    const out = inOrder(value, input.axes);
    if (out.length !== count(shape)) throw new CompilerBug('graph', `the default of ${input.name} has another shape`);
    return out;
  }

  #gather(node: Node & { kind: 'gather' }, shape: readonly number[]): Float64Array {
    const [table, indices] = [this.value(node.table), this.value(node.indices)];
    const size = this.sizeOf(node.axis);
    const stride = stridesOf(table.shape)[table.axes.indexOf(node.axis)] ?? noNumber();
    // The indices may have the looked-up axis themselves: the table does not move along it.
    const still = { ...table, axes: table.axes.map((a) => (a === node.axis ? null : a)) };
    return this.fill(node, shape, [still, indices], ([t, i]) => {
      const index = indices.data[i ?? noNumber()] ?? noNumber();
      if (Number.isNaN(index)) return NaN;
      if (index === -1) return 0;
      if (index < 0 || index >= size) {
        this.errors.push(`%${node.id}: index ${index} of ${size}`);
        return NaN;
      }
      return table.data[(t ?? noNumber()) + index * stride] ?? noNumber();
    });
  }

  #reindex(operand: NodeNumbers, axis: AxisId, into: readonly AxisId[], node: Node): Float64Array {
    const at = operand.axes.indexOf(axis);
    const axes = operand.axes.flatMap((a) => (a === axis ? into : [a]));
    const shape = operand.shape.flatMap((n, i) => (i === at ? into.map((a) => this.sizeOf(a)) : [n]));
    return inOrder({ axes, shape, data: operand.data }, node.axes);
  }

  #concat(node: Node & { kind: 'concat' }, shape: readonly number[]): Float64Array {
    const along = node.axes.indexOf(node.axis);
    const parts = node.parts.map((part) => {
      const value = this.value(part.node);
      const axes = value.axes.map((a) => (a === part.axis ? node.axis : a));
      const length = part.axis === null ? 1 : this.sizeOf(part.axis);
      const stride = part.axis === null ? 0 : (stridesOf(value.shape)[value.axes.indexOf(part.axis)] ?? noNumber());
      return { value: { ...value, axes }, length, stride };
    });
    const starts: number[] = [];
    let end = 0;
    for (const { length } of parts) {
      starts.push(end);
      end += length;
    }
    if (end !== (shape[along] ?? noNumber()))
      throw new CompilerBug('graph', `%${node.id} has ${end} points, its axis ${shape[along] ?? noNumber()}`);
    return this.fill(node, shape, parts.map((p) => p.value), (offsets, index) => {
      const at = index[along] ?? noNumber();
      let k = parts.length - 1;
      while (k > 0 && (starts[k] ?? noNumber()) > at) k--;
      const part = parts[k];
      // The loop moved along the whole axis: step back to where this part begins.
      return part?.value.data[(offsets[k] ?? noNumber()) - (starts[k] ?? noNumber()) * part.stride] ?? noNumber();
    }); // prettier-ignore
  }

  #fold(node: Node & { kind: 'fold' }): Float64Array {
    const key = `${node.fold} ${node.operands.join(' ')}`;
    let results = this.#folded.get(key);
    if (results === undefined) {
      const fold = at(this.#graph.folds, node.fold, 'graph: fold');
      const operands = node.operands.map((id, i) =>
        inOrder(this.value(id), at(fold.body.inputs, i + 1, 'graph: operand of a fold').axes),
      );
      results = foldValues(fold, operands, this.sizeOf(fold.axis), (inputs) => {
        const { values, errors } = interpretGraph(fold.body, { ...this.#run, inputs, domains: undefined });
        this.errors.push(...errors);
        return (id) => at(values, id, 'graph: value of a step');
      });
      this.#folded.set(key, results);
    }
    return at(results, node.result, 'graph: result of a fold').slice();
  }

  #extern(node: Node & { kind: 'extern' }): Float64Array {
    const call = this.#graph.externs[node.call];
    if (call === undefined || this.#run.extern === undefined)
      throw new CompilerBug('graph', `no extern call ${node.call}`);
    let results = this.#calls.get(node.call);
    if (results === undefined) {
      const shapes = call.results.map((r) => r.axes.map((a) => this.sizeOf(a)));
      results = this.#run.extern(call, operandsOf(this.#graph, node).map((id) => this.value(id)), shapes); // prettier-ignore
      this.#calls.set(node.call, results);
    }
    return Float64Array.from(at(results, node.result, 'graph: result of an extern'));
  }
}

function reachable(graph: Graph, from: NodeId): ReadonlySet<NodeId> {
  const seen = new Set<NodeId>();
  const visit = (id: NodeId): void => {
    const node = graph.nodes[id];
    if (node === undefined || seen.has(id)) return;
    seen.add(id);
    for (const operand of operandsOf(graph, node)) visit(operand);
  };
  visit(from);
  return seen;
}
