/**
 * Presences under other indices: the presence node of a projection, a join, a union, or of the same points seen through a
 * view. Each keeps its sources, targets and the facts about how many points are present.
 */
import { CompilerBug } from '../../dsl/diagnostics/bug.ts';
import { apply, one, sizeKey, type Size } from '../../dsl/types/size.ts';
import {
  boundOf,
  compareProducts,
  embedInBounds,
  joinBounds,
  projectBounds,
  tidyBounds,
  uniteBounds,
} from './presence-bounds.ts';
import type { GraphBuilder } from './graph-builder.ts';
import { implies } from './implies.ts';
import { boundsBehindBoth } from './shared-bounds.ts';
import type { AxisId, Bound, Node, NodeId } from './graph-ir.ts';

export type PresenceNode = Extract<Node, { kind: 'presence' }>;

export class Presences {
  readonly #b: GraphBuilder;

  constructor(builder: GraphBuilder) {
    this.#b = builder;
  }

  get(id: NodeId): PresenceNode {
    const node = this.#b.node(id);
    if (node.kind !== 'presence') throw new CompilerBug('graph', `%${id} is no presence`);
    return node;
  }

  implies(strong: NodeId, weak: NodeId): boolean {
    return implies(strong, weak, (id) => this.#b.node(id));
  }

  /** Where both hold; the second is looked at only where the first does. */
  join(first: NodeId, second: NodeId): NodeId {
    const [a, z] = [this.get(first), this.get(second)];
    const { bounds, axes } = joinBounds([a, z], this.#b.sizeOf);
    const targets = [...new Set([...a.targets, ...z.targets])];
    const sources = axes.filter((x) => !targets.includes(x));
    this.#b.at(z.span);
    return this.#b.presence(this.#b.predicated(first, second, 0), sources, targets, bounds);
  }

  /** Where either of two (over the same axes) holds. */
  union(first: NodeId, second: NodeId): NodeId {
    const [a, z] = [this.get(first), this.get(second)];
    this.#b.at(a.span);
    const mask = this.#b.map('or', [first, second]);
    const shared = boundsBehindBoth(first, second, this.#b);
    const bounds = tidyBounds([...uniteBounds(a, z, this.#b.sizeOf), ...shared], a.axes, this.#b.sizeOf);
    return this.#b.presence(mask, a.sources, a.targets, bounds);
  }

  /**
   * Where the presence holds at some point along the axes that `keep` lacks; null if that is not worth knowing: it
   * neither mixes a source with a target nor is known to hold at fewer points than there are.
   */
  project(id: NodeId, keep: readonly AxisId[]): NodeId | null {
    const s = this.get(id);
    const gone = s.axes.filter((a) => !keep.includes(a));
    if (gone.length === 0) return id;
    const sources = s.sources.filter((a) => keep.includes(a));
    const targets = s.targets.filter((a) => keep.includes(a));
    const axes = [...sources, ...targets];
    const bounds = projectBounds(s.bounds, gone, s.axes, this.#b.sizeOf);
    const mixed = sources.length > 0 && targets.length > 0;
    if (!mixed && !this.#smaller(s, bounds, axes)) return null;
    this.#b.at(s.span);
    return this.#b.presence(this.#b.reduce('any', id, gone), sources, targets, bounds);
  }

  #smaller(s: PresenceNode, projected: readonly Bound[], axes: readonly AxisId[]): boolean {
    const { sizeOf } = this.#b;
    const all = axes.map(sizeOf);
    if (axes.length === 0) return false;
    if (projected.some((f) => compareProducts([f.atMost, ...f.per.map(sizeOf)], all) === -1)) return true;
    // As sparse as the presence itself (the places of `slots`), though it depends on sizes how sparse that is.
    const unknown = projected.some((f) => compareProducts([f.atMost, ...f.per.map(sizeOf)], all) === null);
    return unknown && axes.length > 1 && sizeKey(boundOf(s.bounds, axes, s.axes, sizeOf)) === '1';
  }

  rename(id: NodeId, from: readonly AxisId[], to: readonly AxisId[]): NodeId {
    const s = this.get(id);
    const become = (a: AxisId): AxisId => to[from.indexOf(a)] ?? a;
    if (!s.axes.some((a) => from.includes(a))) return id;
    const bounds = s.bounds.map(({ per, atMost }) => ({ per: per.map(become), atMost }));
    return this.#b
      .at(s.span)
      .presence(this.#b.rename(id, from, to), s.sources.map(become), s.targets.map(become), bounds);
  }

  /** The same points with axes `from` (all of them) become `to`, through a view. */
  #reindex(id: NodeId, from: readonly AxisId[], to: readonly AxisId[], view: (node: NodeId) => NodeId): NodeId {
    const s = this.get(id);
    const hit = s.axes.filter((a) => from.includes(a));
    if (hit.length === 0) return id;
    const wide = this.#b.at(s.span).broadcast(id, from);
    const missing = from.filter((a) => !s.axes.includes(a));
    const facts = s.bounds.map(({ per, atMost }) => ({ per: [...per, ...missing], atMost }));
    const bounds = embedInBounds(facts, [...s.axes, ...missing], from, to, this.#b.sizeOf);
    const target = s.targets.some((a) => from.includes(a));
    const rest = (axes: readonly AxisId[]): AxisId[] => axes.filter((a) => !from.includes(a));
    const sources = target ? rest(s.sources) : [...rest(s.sources), ...to];
    const targets = target ? [...rest(s.targets), ...to] : rest(s.targets);
    const axes = [...sources, ...targets];
    return this.#b.presence(view(wide), sources, targets, tidyBounds(bounds, axes, this.#b.sizeOf));
  }

  /** A presence over the axes a split made, over the axis it split. */
  unsplit(id: NodeId, axis: AxisId, into: readonly AxisId[]): NodeId {
    return this.#reindex(id, into, [axis], (n) => this.#b.merge(n, into, axis));
  }

  /** A presence over the axis a merge made, over the axes it merged. */
  unmerge(id: NodeId, from: readonly AxisId[], into: AxisId): NodeId {
    return this.#reindex(id, [into], from, (n) => this.#b.split(n, into, from));
  }

  /** Where all of these hold, each looked at only where those before it do; null of none. */
  conjunction(presences: readonly NodeId[]): NodeId | null {
    const [first, ...rest] = presences;
    return first === undefined ? null : rest.reduce((all, s) => this.join(all, s), first);
  }

  /** The points of an axis from `at` on that an axis `as` has, or that point alone. */
  range(axis: AxisId, at: Size, as: AxisId | null): NodeId {
    const b = this.#b;
    const length = as === null ? one : b.sizeOf(as);
    const mask = as === null ? b.map('eq', [b.iota(axis, 'i32'), b.size(at, 'i32')]) : this.#within(axis, at, as);
    return b.presence(mask, [axis], [], [{ per: [], atMost: length }]);
  }

  /** Whether a point of an axis is in the range that begins at `at` and is as long as `as`. */
  #within(axis: AxisId, at: Size, as: AxisId): NodeId {
    const b = this.#b;
    const point = b.iota(axis, 'i32');
    const end = b.size(apply('add', at, b.sizeOf(as)), 'i32');
    return b.map('and', [b.map('ge', [point, b.size(at, 'i32')]), b.map('lt', [point, end])]);
  }

  /** A presence over a range of an axis, over the whole of it: false outside. */
  unslice(id: NodeId, axis: AxisId, at: Size, as: AxisId): NodeId {
    return this.#reindex(id, [as], [axis], (n) => {
      const b = this.#b;
      const inside = this.#within(axis, at, as);
      const shifted = b.map('sub', [b.iota(axis, 'i32'), b.size(at, 'i32')]);
      const index = b.map('where', [inside, shifted, b.constant(-1, 'i32')]);
      // A range of a presence, put back: that presence, inside the range.
      const parts = this.#conjunctsOf(n).map(
        (part) => this.#slicedFrom(part, axis, at, as) ?? b.gather(part, as, index),
      );
      return parts.length === 1 && parts[0] !== undefined && this.#slicedFrom(n, axis, at, as) === null
        ? parts[0]
        : b.map('and', [...parts, inside]);
    });
  }

  /** Bools that are true together where this one is: a range of a range has its whole among them. */
  #conjunctsOf(id: NodeId): readonly NodeId[] {
    const node = this.#b.node(id);
    if (node.kind === 'presence') return this.#conjunctsOf(node.mask);
    if (node.kind !== 'map' || node.op !== 'and') return [id];
    return node.operands;
  }

  /** The value this is a range of, or a range of a range, if it is that range. */
  #slicedFrom(id: NodeId, axis: AxisId, at: Size, as: AxisId): NodeId | null {
    const node = this.#b.node(id);
    if (node.kind === 'presence') return this.#slicedFrom(node.mask, axis, at, as);
    if (node.kind !== 'slice' || node.as !== as) return null;
    if (node.axis !== axis) return this.#slicedFrom(node.operand, axis, apply('sub', at, node.at), node.axis);
    return sizeKey(node.at) === sizeKey(at) ? node.operand : null;
  }

  /** The part of a presence from a point on: as an axis of its own, or that point alone. */
  slice(id: NodeId, axis: AxisId, at: Size, as: AxisId | null): NodeId {
    return this.#reindex(id, [axis], as === null ? [] : [as], (n) => this.#b.slice(n, axis, at, as));
  }
}
