/**
 * Builds a graph, node after node. The builder is append-only and shares: asking twice for the same node gives the same
 * id, so equal subexpressions are one value from the start. It infers axes and element types and drops what does
 * nothing (a rename of nothing, a mask that is always true); every other rewriting is a pass.
 *
 * Storage order of a result follows its operands: values that depend on the inputs of a run come first, so that
 * `w @ x` of w: [E, F, D] and x: [T, D] is [T, E, F], tokens outside and features inside.
 *
 * `at(span)` says which place of the source the nodes made next stand for.
 */
import { idOf } from '../../dsl/types/ids.ts';
import { at } from '../../dsl/diagnostics/invariants.ts';
import { CompilerBug } from '../../dsl/diagnostics/bug.ts';
import { asNumber, type Size } from '../../dsl/types/size.ts';
import type { DrawName } from '../../dsl/types/primitive-names.ts';
import { roundToF16 } from '../../dsl/tensors/round-to-f16.ts';
import { inputsOf, OutsideTables } from './outside-tables.ts';
import { keyOf, varies, type Draft } from './draft.ts';
import {
  axesOfConcat,
  elementOfMap,
  elementOfSum,
  typeOfFold,
  type ConcatPart,
  type DrawRoot,
  type OrderKey,
} from './result-types.ts';
import type {
  AxisId, Bound, Check, ElementType, ExternCallId, ExternCall, Fold, FoldId, Graph, GraphAxis, GraphInput, GraphInputId, MapOp, Node, NodeId, ReduceOp, GraphOutput, Span,
} from './graph-ir.ts'; // prettier-ignore

const nowhere: Span = { source: '', start: 0, end: 0 };

export class GraphBuilder {
  readonly name: string;
  #here: Span = nowhere;
  readonly #nodes: Node[] = [];
  /** Whether a node depends on what a run is given: decides storage order. */
  readonly #varying: boolean[] = [];
  readonly #shared = new Map<string, NodeId>();
  readonly #axisTable = new Map<AxisId, GraphAxis>();
  readonly #outside = new OutsideTables();
  #nextAxis = 0;

  constructor(name: string) {
    this.name = name;
  }

  /** A builder with the axes, inputs and externs of a graph and no nodes yet: for rebuilding it. */
  static like(graph: Graph): GraphBuilder {
    const builder = new GraphBuilder(graph.name);
    for (const axis of graph.axes.values()) {
      builder.#axisTable.set(axis.id, axis);
      builder.#nextAxis = Math.max(builder.#nextAxis, axis.id + 1);
    }
    for (const input of graph.inputs) builder.addInput({ ...input, default: null });
    for (const fold of graph.folds) builder.addFold(fold);
    return builder;
  }

  /**
   * A builder that goes on where a graph ends: all its nodes under the same ids. What is made from now on is shared
   * among itself but is never one of the old nodes.
   */
  static extending(graph: Graph): GraphBuilder {
    const builder = GraphBuilder.like(graph);
    for (const call of graph.externs) builder.addExtern(call);
    for (const node of graph.nodes) {
      builder.#varying.push(builder.#varies(node));
      builder.#nodes.push(node);
    }
    for (const [id, input] of inputsOf(graph)) builder.setDefault(id, input.default);
    return builder;
  }

  // --- what the graph is made of besides nodes ---

  at(span: Span): this {
    this.#here = span;
    return this;
  }

  get span(): Span {
    return this.#here;
  }

  axis(name: string, size: Size): AxisId {
    const id = idOf<AxisId>(this.#nextAxis++);
    this.#axisTable.set(id, { id, name, size });
    return id;
  }

  axisOf(id: AxisId): GraphAxis {
    const axis = this.#axisTable.get(id);
    if (axis === undefined) throw new CompilerBug('graph', `no axis ${id}`);
    return axis;
  }

  readonly sizeOf = (id: AxisId): Size => this.axisOf(id).size;

  /** A second axis of the same size, for looking at all pairs of its points. */
  twin(id: AxisId): AxisId {
    const { name, size } = this.axisOf(id);
    return this.axis(`${name}'`, size);
  }

  node(id: NodeId): Node {
    const node = this.#nodes[id];
    if (node === undefined) throw new CompilerBug('graph', `no node ${id}`);
    return node;
  }

  /** The presences made so far. */
  presences(): readonly Extract<Node, { kind: 'presence' }>[] {
    return this.#nodes.filter((node) => node.kind === 'presence');
  }

  axesOf(id: NodeId): readonly AxisId[] {
    return this.node(id).axes;
  }

  get length(): number {
    return this.#nodes.length;
  }

  /** The id of a graph input; a graph input of the same role and name is the same graph input. */
  addInput(input: GraphInput): GraphInputId {
    return this.#outside.addInput(input);
  }

  inputOf(id: GraphInputId): GraphInput {
    return this.#outside.inputOf(id);
  }

  /** The value a control has in a run that is not given one. */
  setDefault(id: GraphInputId, defaultNode: NodeId | null): void {
    this.#outside.setDefault(id, defaultNode);
  }

  resultOf(call: ExternCallId, result: number): ExternCall['results'][number] {
    return this.#outside.resultOf(call, result);
  }

  addExtern(call: ExternCall): ExternCallId {
    return this.#outside.addExtern(call);
  }

  addFold(fold: Fold): FoldId {
    return this.#outside.addFold(fold);
  }

  finish(outputs: readonly GraphOutput[], checks: readonly Check[] = []): Graph {
    return {
      name: this.name,
      axes: new Map(this.#axisTable),
      ...this.#outside.listed(),
      nodes: [...this.#nodes],
      outputs,
      checks,
    };
  }

  // --- nodes without operands ---

  constant(value: number, element: ElementType = 'f32'): NodeId {
    const held = element === 'f16' ? roundToF16(value) : value;
    return this.#add({ kind: 'constant', element, axes: [], value: held + 0 });
  }

  bool(value: boolean): NodeId {
    return this.constant(value ? 1 : 0, 'bool');
  }

  size(size: Size, element: ElementType = 'f32'): NodeId {
    const value = asNumber(size);
    if (value !== null) return this.constant(value, element);
    return this.#add({ kind: 'size', element, axes: [], size });
  }

  iota(axis: AxisId, element: ElementType = 'i32'): NodeId {
    return this.#add({ kind: 'iota', element, axes: [axis], axis });
  }

  input(id: GraphInputId): NodeId {
    const input = this.inputOf(id);
    return this.#add({ kind: 'input', element: input.element, axes: input.axes, input: id });
  }

  draw(distribution: DrawName, seedKey: string, roots: readonly DrawRoot[]): NodeId {
    return this.#add({ kind: 'draw', element: 'f32', axes: roots.map((r) => r.axis), distribution, seedKey, roots });
  }

  // --- operations ---

  /** Elementwise; `element` is inferred unless given (`convert` needs it). */
  map(op: MapOp, operands: readonly NodeId[], element?: ElementType): NodeId {
    const elements = operands.map((id) => this.node(id).element);
    const inferred = element ?? elementOfMap(op, elements);
    const [first] = operands;
    if (op === 'convert' && first !== undefined && this.node(first).element === inferred) return first;
    return this.#add({ kind: 'map', element: inferred, axes: this.unite(operands), op, operands });
  }

  /** `presence` is a presence node (or anything that is always true or always false). */
  predicated(presence: NodeId, value: NodeId, otherwise: number): NodeId {
    const by = this.node(presence);
    const element = this.node(value).element;
    const always = this.constantOf(presence);
    const axes = this.unite([presence, value]);
    if (always === 1) return this.broadcast(value, axes);
    if (always === 0) return this.broadcast(this.constant(otherwise, element), axes);
    if (by.kind !== 'presence') throw new CompilerBug('graph', `predicated on a ${by.kind}, which is no presence`);
    return this.#add({ kind: 'predicated', element, axes, presence, value, otherwise });
  }

  presence(mask: NodeId, sources: readonly AxisId[], targets: readonly AxisId[], bounds: readonly Bound[]): NodeId {
    const { axes, element } = this.node(mask);
    return this.#add({ kind: 'presence', element, axes, mask, sources, targets, bounds });
  }

  /**
   * Sum of products. Axes of `over` that one side lacks are summed on the other side first; along those that both lack the
   * products are the same, and are summed all the same.
   */
  contract(first: NodeId, right: NodeId, over: readonly AxisId[]): NodeId {
    const neither = over.filter((a) => !this.axesOf(first).includes(a) && !this.axesOf(right).includes(a));
    const left = this.broadcast(first, neither);
    const inLeft = over.filter((a) => this.axesOf(left).includes(a));
    const inRight = over.filter((a) => this.axesOf(right).includes(a));
    const both = inLeft.filter((a) => inRight.includes(a));
    const l = this.reduce('sum', left, inLeft.filter((a) => !both.includes(a))); // prettier-ignore
    const r = this.reduce('sum', right, inRight.filter((a) => !both.includes(a))); // prettier-ignore
    if (both.length === 0) return this.map('mul', [l, r]);
    const axes = this.unite([l, r]).filter((a) => !both.includes(a));
    const element = elementOfMap('mul', [this.node(l).element, this.node(r).element]);
    return this.#add({ kind: 'contract', element, axes, left: l, right: r, over: both });
  }

  reduce(op: ReduceOp, operand: NodeId, over: readonly AxisId[]): NodeId {
    if (over.length === 0) return operand;
    const { axes, element } = this.node(operand);
    return this.#add({
      kind: 'reduce',
      element: elementOfSum(element),
      axes: axes.filter((a) => !over.includes(a)),
      op,
      operand,
      over,
    });
  }

  scan(operand: NodeId, axis: AxisId, exclusive: boolean): NodeId {
    const { axes, element } = this.node(operand);
    return this.#add({ kind: 'scan', element: elementOfSum(element), axes, operand, axis, exclusive });
  }

  sortRank(keys: readonly OrderKey[], candidates: NodeId | null, over: readonly AxisId[], report: boolean): NodeId {
    const operands = [...keys.map((k) => k.node), ...(candidates === null ? [] : [candidates])];
    const axes = this.unite(operands);
    const missing = over.filter((a) => !axes.includes(a));
    const all = [...axes, ...missing];
    return this.#add({ kind: 'sort_rank', element: 'i32', axes: all, keys, candidates, over, report });
  }

  choose(choice: Omit<Extract<Draft, { readonly kind: 'choose' }>, 'kind' | 'element' | 'axes'>): NodeId {
    const operands = [choice.key, choice.candidates, choice.count].filter((id) => id !== null);
    const rest = this.unite(operands).filter((a) => !choice.over.includes(a));
    return this.#add({ kind: 'choose', element: 'i32', axes: [...rest, choice.along], ...choice });
  }

  argmax(operand: NodeId, axis: AxisId): NodeId {
    const axes = this.axesOf(operand).filter((a) => a !== axis);
    return this.#add({ kind: 'argmax', element: 'i32', axes, operand, axis });
  }

  gather(table: NodeId, axis: AxisId, indices: NodeId): NodeId {
    const { axes, element } = this.node(table);
    const own = this.axesOf(indices);
    const rest = axes.filter((a) => a !== axis && !own.includes(a));
    return this.#add({ kind: 'gather', element, axes: [...own, ...rest], table, axis, indices });
  }

  extern(call: ExternCallId, result: number): NodeId {
    const type = this.resultOf(call, result);
    return this.#add({ kind: 'extern', element: type.element, axes: type.axes, call, result });
  }

  /** A result of a recurrence of these first values and captured ones. */
  fold(id: FoldId, operands: readonly NodeId[], result: number): NodeId {
    const fold = this.#outside.foldOf(id);
    const whole = fold.body.inputs.slice(1).map(({ axes }, i) =>
      this.broadcast(at(operands, i, 'graph: operand of a fold'), axes),
    ); // prettier-ignore
    return this.#add({ kind: 'fold', ...typeOfFold(fold, result), fold: id, operands: whole, result });
  }

  // --- views ---

  /** Renames those axes of `from` that the operand has. */
  rename(operand: NodeId, from: readonly AxisId[], to: readonly AxisId[]): NodeId {
    const { axes, element } = this.node(operand);
    const pairs = from
      .map((f, i) => [f, at(to, i, 'graph: axis of a rename')] as const)
      .filter(([f, t]) => f !== t && axes.includes(f));
    if (pairs.length === 0) return operand;
    const become = new Map(pairs);
    const renamed = axes.map((a) => become.get(a) ?? a);
    return this.#add({
      kind: 'rename', element, axes: renamed, operand, from: pairs.map(([f]) => f), to: pairs.map(([, t]) => t),
    }); // prettier-ignore
  }

  /** The point `at` of an axis, or the points from there on as the axis `as`; the operand itself if it lacks the axis. */
  slice(operand: NodeId, axis: AxisId, at: Size, as: AxisId | null): NodeId {
    const { axes, element } = this.node(operand);
    if (!axes.includes(axis)) return operand;
    const sliced = axes.flatMap((a) => (a === axis ? (as === null ? [] : [as]) : [a]));
    return this.#add({ kind: 'slice', element, axes: sliced, operand, axis, at, as });
  }

  split(operand: NodeId, axis: AxisId, into: readonly AxisId[]): NodeId {
    const { axes, element } = this.node(operand);
    if (!axes.includes(axis)) return operand;
    if (into.length === 1) return this.rename(operand, [axis], into);
    const parted = axes.flatMap((a) => (a === axis ? into : [a]));
    return this.#add({ kind: 'split', element, axes: parted, operand, axis, into });
  }

  /** The merged axis stands where the first of `from` stood; an operand that lacks some of them is broadcast first. */
  merge(operand: NodeId, from: readonly AxisId[], into: AxisId): NodeId {
    if (!from.some((a) => this.axesOf(operand).includes(a))) return operand;
    if (from.length === 1) return this.rename(operand, from, [into]);
    const whole = this.broadcast(operand, from);
    const { axes, element } = this.node(whole);
    const first = axes.find((a) => from.includes(a));
    const merged = axes.flatMap((a) => (a === first ? [into] : from.includes(a) ? [] : [a]));
    return this.#add({ kind: 'merge', element, axes: merged, operand: whole, from, into });
  }

  /** Adds the axes that are missing, outermost. */
  broadcast(operand: NodeId, axes: readonly AxisId[]): NodeId {
    const { axes: own, element } = this.node(operand);
    const missing = axes.filter((a) => !own.includes(a));
    if (missing.length === 0) return operand;
    return this.#add({ kind: 'broadcast', element, axes: [...missing, ...own], operand });
  }

  concat(parts: readonly ConcatPart[], axis: AxisId): NodeId {
    const [first] = parts;
    const lead = parts.find((p) => this.node(p.node).kind !== 'constant') ?? first;
    if (lead === undefined) throw new CompilerBug('graph', 'concat of nothing');
    const others = this.unite(parts.map((p) => p.node)).filter((a) => !parts.some((p) => p.axis === a));
    const axes = axesOfConcat(this.axesOf(lead.node), lead.axis, others, axis);
    return this.#add({ kind: 'concat', element: this.node(lead.node).element, axes, parts, axis });
  }

  /** The value of a constant, seen through broadcasts and presences; else null. */
  constantOf(id: NodeId): number | null {
    const node = this.node(id);
    if (node.kind === 'constant') return node.value;
    if (node.kind === 'presence') return this.constantOf(node.mask);
    return node.kind === 'broadcast' ? this.constantOf(node.operand) : null;
  }

  /** Union of axes; operands that vary with the inputs first, so their order leads. */
  unite(operands: readonly NodeId[]): AxisId[] {
    const those = (varying: boolean): readonly NodeId[] => operands.filter((id) => this.#varying[id] === varying);
    return [...new Set([...those(true), ...those(false)].flatMap((id) => this.axesOf(id)))];
  }

  /** The same value as a node of its own: nothing equal that is made before or after is that node. */
  apart(node: NodeId): NodeId {
    const id = idOf<NodeId>(this.#nodes.length);
    const { id: _, span: __, ...draft } = this.node(node);
    const key = keyOf(draft);
    if (node === id - 1 && this.#shared.get(key) === node) {
      // Nobody else has it yet.
      this.#shared.delete(key);
      return node;
    }
    this.#varying.push(this.#varying[node] === true);
    this.#nodes.push({ ...this.node(node), id, span: this.#here });
    return id;
  }

  #varies(draft: Draft | Node): boolean {
    return varies(draft, (id) => this.inputOf(id).role, this.#varying);
  }

  #add(draft: Draft): NodeId {
    const key = keyOf(draft);
    const known = this.#shared.get(key);
    if (known !== undefined) return known;
    const id = idOf<NodeId>(this.#nodes.length);
    this.#varying.push(this.#varies(draft));
    this.#nodes.push({ ...draft, id, span: this.#here });
    this.#shared.set(key, id);
    return id;
  }
}
