/**
 * The values of elaboration: dense tensors and routes of the graph. Axes here are the program's concrete axes;
 * `LoweringContext` knows which axis of the graph each of them is, and has the few constructions that all lowerings share.
 *
 * A route is three values over its support axes, sources and targets: `presence` (bool, a presence node), `rank` (i32) and
 * `weight`, which has payload axes too. Rank and weight may lack support axes along which they are the same: whoever stores
 * them broadcasts (elaborate.ts, outputs). What they are where the route is absent means nothing: everything that reads them
 * masks.
 */
import { CompilerBug } from '../../dsl/diagnostics/bug.ts';
import type { Span } from '../../dsl/diagnostics/diagnostic.ts';
import type { ElementType } from '../../dsl/types/program.ts';
import type { Operand, PrimitiveCall } from '../../dsl/types/call.ts';
import type { Axis } from '../../dsl/types/axis.ts';
import type { ConcreteAxisId } from '../../dsl/types/ids.ts';
import { asInteger, multiply, type Size } from '../../dsl/types/size.ts';
import { joinBounds } from '../graph/presence-bounds.ts';
import type { GraphBuilder } from '../graph/graph-builder.ts';
import { implies } from '../graph/implies.ts';
import type { AxisId, Bound, NodeId } from '../graph/graph-ir.ts';
import type { Demanded } from './place-checks.ts';
import { PointsOfAxes } from './points-of-axes.ts';

export interface GraphTensor {
  readonly node: NodeId;
  readonly axes: readonly Axis[];
  /** An axis along which the numbers are known to be its points, each once: what `argsort` gives. */
  readonly permutes?: Axis;
}

export interface GraphRoute {
  readonly presence: NodeId;
  readonly weight: NodeId;
  readonly rank: NodeId;
  readonly sources: readonly Axis[];
  readonly targets: readonly Axis[];
  readonly payload: readonly Axis[];
  readonly bounds: readonly Bound[];
}

export type GraphOperand = Operand<GraphTensor, GraphRoute>;
export type GraphCall = PrimitiveCall<GraphTensor, GraphRoute>;
/** What a primitive becomes in the graph. */
export type OpLowering = (call: GraphCall, cx: LoweringContext) => GraphOperand;

/** A presence with its orientation: what several routes have in common. */
export type Presence = Pick<GraphRoute, 'presence' | 'sources' | 'targets' | 'bounds'>;

/** A lowering for each of a list of names: the one place where a record is trusted to have them all. */
export function eachOf<K extends string>(names: readonly K[], of: (name: K) => OpLowering): Record<K, OpLowering> {
  return Object.fromEntries(names.map((name) => [name, of(name)])) as Record<K, OpLowering>;
}

export const union = <A>(...lists: readonly (readonly A[])[]): A[] => [...new Set(lists.flat())];
export const minus = <A>(a: readonly A[], b: readonly A[]): A[] => a.filter((x) => !b.includes(x));
export const shared = <A>(a: readonly A[], b: readonly A[]): A[] => a.filter((x) => b.includes(x));

export const supportAxes = (route: Pick<GraphRoute, 'sources' | 'targets'>): Axis[] => [
  ...route.sources,
  ...route.targets,
];

export class LoweringContext {
  readonly b: GraphBuilder;
  readonly #ids = new Map<ConcreteAxisId, AxisId>();
  readonly #axes = new Map<AxisId, Axis>();
  /** What must hold where something is needed, in the order in which it was met. */
  readonly demanded: Demanded[] = [];
  readonly points: PointsOfAxes;
  #placeholders = 0;

  constructor(builder: GraphBuilder) {
    this.b = builder;
    this.points = new PointsOfAxes(builder);
  }

  at(span: Span): this {
    this.b.at(span);
    return this;
  }

  /** An input that stands for what enters a step of a fold while it is instantiated; nobody reads it in the end. */
  placeholder(element: ElementType, axes: readonly AxisId[], within: AxisId | null): NodeId {
    const name = `placeholder ${this.#placeholders++}`;
    return this.b.input(this.b.addInput({ role: 'control', name, element, axes, within, default: null }));
  }

  // --- axes ---

  id(axis: Axis): AxisId {
    const known = this.#ids.get(axis.id);
    if (known !== undefined) return known;
    const id = this.b.axis(axis.name, axis.size);
    this.#ids.set(axis.id, id);
    this.#axes.set(id, axis);
    return id;
  }

  idsOf(axes: readonly Axis[]): AxisId[] {
    return axes.map((a) => this.id(a));
  }

  axisOf(id: AxisId): Axis {
    const axis = this.#axes.get(id);
    if (axis === undefined) throw new CompilerBug('elaborate', `axis ${id} of the graph is none of the program's`);
    return axis;
  }

  axesOf(node: NodeId): Axis[] {
    return this.b.axesOf(node).map((a) => this.axisOf(a));
  }

  sizeOf(axes: readonly Axis[]): Size {
    return multiply(axes.map((a) => a.size));
  }

  // --- handles ---

  tensor(node: NodeId): GraphTensor {
    return { node, axes: this.axesOf(node) };
  }

  dense(node: NodeId): GraphOperand {
    return { kind: 'tensor', value: this.tensor(node) };
  }

  /** A route from a mask; weight axes beyond the presence are payload. */
  route(mask: NodeId, orientation: Omit<Presence, 'presence'>, weight: NodeId, rank: NodeId): GraphRoute {
    const axes = supportAxes(orientation);
    const { sources, targets, bounds } = orientation;
    const whole = this.b.broadcast(mask, this.idsOf(axes));
    const presence = this.b.presence(whole, this.idsOf(sources), this.idsOf(targets), bounds);
    return { presence, weight, rank, sources, targets, bounds, payload: minus(this.axesOf(weight), axes) };
  }

  /** The same points with other weights. */
  withWeight(route: GraphRoute, weight: NodeId): GraphOperand {
    return { kind: 'route', value: { ...route, weight, payload: minus(this.axesOf(weight), supportAxes(route)) } };
  }

  /**
   * `indices` into the row-major points of `axes` must be points or -1. `at`: the nodes that must not be computed from a bad
   * index; it is an error of the run where one of them is needed. Nothing is demanded of what is so by its making.
   */
  demandPoints(at: readonly NodeId[], indices: NodeId, axes: readonly Axis[]): void {
    const size = this.sizeOf(axes);
    if (this.points.isPoint(indices, size)) return;
    const { b } = this;
    const inside = [b.map('ge', [indices, b.constant(-1, 'i32')]), b.map('lt', [indices, b.size(size, 'i32')])];
    const name = axes.map((a) => a.name).join(', ');
    const message = `an index is no point of ${name}`;
    this.demanded.push({ at, holds: b.map('and', inside), code: 'MOE0721', message, span: b.span });
  }

  /**
   * A value that is made of at least one point of these axes: where it is needed, there must be one. A size that is known when
   * compiling is at least 1 (a size constraint, MOE0352), so only dynamic ones are asked. The caller must go on with the node that is
   * returned: it is one of its own (`apart`), so that the demand is not made of whoever computes the same value without it.
   */
  demandOne(value: NodeId, over: readonly Axis[], name: string): NodeId {
    const open = over.filter((a) => asInteger(a.size) === null);
    if (open.length === 0) return value;
    const { b } = this;
    const at = b.apart(value);
    const any = b.map('ge', [b.size(this.sizeOf(open), 'i32'), b.constant(1, 'i32')]);
    const holds = b.broadcast(any, b.axesOf(at));
    const message = `${name} over ${over.map((a) => a.name).join(', ')}, which is empty`;
    this.demanded.push({ at: [at], holds, code: 'MOE0722', message, span: b.span });
    return at;
  }

  // --- arguments ---

  operand(call: GraphCall, name: string): GraphOperand {
    const found = call.args.get(name);
    if (found === undefined) throw new CompilerBug('elaborate', `${call.name} has no argument ${name}`);
    return found;
  }

  tensorArg(call: GraphCall, name: string): GraphTensor {
    const found = this.operand(call, name);
    if (found.kind === 'route') throw new CompilerBug('elaborate', `${call.name} takes no route as ${name}`);
    return found.value;
  }

  denseArg(call: GraphCall, name: string): NodeId {
    return this.tensorArg(call, name).node;
  }

  routeArg(call: GraphCall, name: string): GraphRoute {
    const found = this.operand(call, name);
    if (found.kind === 'tensor') throw new CompilerBug('elaborate', `${call.name} takes a route as ${name}`);
    return found.value;
  }

  axesArg(call: GraphCall, name: string): readonly Axis[] {
    const found = call.axes.get(name);
    if (found === undefined) throw new CompilerBug('elaborate', `${call.name} was not told ${name}`);
    return found;
  }

  axisArg(call: GraphCall, name: string): Axis {
    const [axis, ...more] = this.axesArg(call, name);
    if (axis === undefined || more.length > 0)
      throw new CompilerBug('elaborate', `${call.name} takes one axis as ${name}`);
    return axis;
  }

  optionalSizeArg(call: GraphCall, name: string): Size | null {
    const found = call.attributes.get(name);
    return found === undefined || typeof found === 'boolean' ? null : found;
  }

  sizeArg(call: GraphCall, name: string): Size {
    const found = this.optionalSizeArg(call, name);
    if (found === null) throw new CompilerBug('elaborate', `${call.name} takes a number as ${name}`);
    return found;
  }

  // --- constructions ---

  /** The number that a value stands for: itself, or a route's weight, which means nothing where the route is absent. */
  numbers(operand: GraphOperand): NodeId {
    return operand.kind === 'tensor' ? operand.value.node : operand.value.weight;
  }

  elementOf(node: NodeId): ElementType {
    return this.b.node(node).element;
  }

  /** Bool: where a condition holds; a route holds where it is present (and true, if of bools). */
  condition(operand: GraphOperand): NodeId {
    if (operand.kind === 'tensor') return operand.value.node;
    const { presence, weight } = operand.value;
    const always = this.b.constantOf(weight) === 1;
    return this.elementOf(weight) === 'bool' && !always ? this.b.predicated(presence, weight, 0) : presence;
  }

  /** Dense, with this number where the route is absent. */
  filled(route: GraphRoute, otherwise: number): NodeId {
    return this.b.predicated(route.presence, route.weight, otherwise);
  }

  /** A presence as its axes in the graph and what is known of how many points it has: what facts of bounds are joined from. */
  bounded(presence: Presence): { readonly axes: readonly AxisId[]; readonly bounds: readonly Bound[] } {
    return { axes: this.idsOf(supportAxes(presence)), bounds: presence.bounds };
  }

  /** Where all of these are present, over the union of their axes. */
  join(routes: readonly Presence[]): Presence {
    const [first, ...rest] = routes;
    if (first === undefined) throw new CompilerBug('elaborate', 'a join of no routes');
    return rest.reduce((left, right) => this.#joinTwo(left, right), first);
  }

  #joinTwo(left: Presence, right: Presence): Presence {
    const node = this.b.node.bind(this.b);
    const [l, r] = [supportAxes(left), supportAxes(right)];
    const targets = union(left.targets, right.targets);
    const sources = minus(union(left.sources, right.sources), targets);
    const { bounds } = joinBounds([this.bounded(left), this.bounded(right)], this.b.sizeOf);
    if (minus(r, l).length === 0 && implies(left.presence, right.presence, node)) return left;
    if (minus(l, r).length === 0 && implies(right.presence, left.presence, node)) return right;
    // Whether the right one is present is asked only where the left one is.
    const mask = this.b.predicated(left.presence, right.presence, 0);
    const presence = this.b.presence(mask, this.idsOf(sources), this.idsOf(targets), bounds);
    return { presence, sources, targets, bounds };
  }

  /** Points of a route where a bool holds too. Axes the bool has beyond become sources. */
  restrict(route: GraphRoute, mask: NodeId): GraphRoute {
    const extra = minus(this.axesOf(mask), [...supportAxes(route), ...route.payload]);
    const ids = this.idsOf(extra);
    const bounds = route.bounds.map(({ per, atMost }) => ({ per: [...per, ...ids], atMost }));
    const kept = this.b.predicated(route.presence, mask, 0);
    return this.route(
      kept,
      { sources: [...route.sources, ...extra], targets: route.targets, bounds },
      route.weight,
      route.rank,
    );
  }

  /** Row-major position (i32) over axes. */
  position(axes: readonly Axis[]): NodeId {
    let index = this.b.constant(0, 'i32');
    axes.forEach((axis, i) => {
      const iota = this.b.iota(this.id(axis), 'i32');
      const scaled = i === 0 ? iota : this.b.map('mul', [index, this.b.size(axis.size, 'i32')]);
      index = i === 0 ? iota : this.b.map('add', [scaled, iota]);
    });
    return index;
  }

  /** A size, at least 1, as f32: what a mean divides by. */
  atLeastOne(size: Size): NodeId {
    return this.b.map('maximum', [this.b.size(size, 'f32'), this.b.constant(1)]);
  }
}
