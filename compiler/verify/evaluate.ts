/**
 * What a launch should have written: a node of the graph at some points, in float64 with an error bound, from the values that a run
 * really had in memory. Values with memory are loaded, exactly as they are, with bound 0; what a launch inlines is
 * evaluated here. So a bound covers the roundings of one launch, however deep the model.
 *
 * The bounds are those of compiler/graph/*-bound.ts. Nothing here knows kernels: a node is evaluated by its definition at the
 * points where somebody reads it.
 */
import { idOf } from '../../dsl/types/ids.ts';
import { noNumber } from '../../dsl/diagnostics/invariants.ts';
import { CompilerBug, unreachable } from '../../dsl/diagnostics/bug.ts';
import { asInteger, asNumber, exact, substitute, type Size } from '../../dsl/types/size.ts';
import { inAnyOrder, termsOf } from '../graph/addition-bound.ts';
import { boundArgmax, boundChoice, boundOrder } from '../graph/choice-bound.ts';
import { boundOfMap } from '../graph/error-bound.ts';
import { isWaveOfWide, wideOperands } from '../graph/wide-angles.ts';
import type { AxisId, Graph, Node, NodeId } from '../graph/graph-ir.ts';
import { RowMajorOffsets, type NumbersWithBounds } from '../graph/row-major-offsets.ts';
import { apart, leavesRange, u, wideUnit } from '../graph/scalar-bound.ts';
import { boundContract, boundReduce, boundScan } from '../graph/sum-bound.ts';
import { nodeOf } from '../graph/node-uses.ts';
import type { AssignmentList, StoredSpace } from '../schedule/memory/memory.ts';
import { atDistinctPoints } from './distinct-points.ts';
import { chosen, expanded, indexAt, points, type BoundedColumn, type Points } from './point-blocks.ts';
import { drawn } from './drawn.ts';
import { beyond, blank, flagged, lineFlags, pointFlags } from './range-flags.ts';
import { FoldEvaluation } from './evaluate-fold.ts';
import { linesAt } from './line-points.ts';
import { rowsAt } from './rows.ts';
import type { OnlineBounds } from './online-bounds.ts';
import type { RunMemory, Stored } from './run-memory.ts';
import { viewedAxes, type ViewNode } from './view-points.ts';

type NodeOf<K extends Node['kind']> = Extract<Node, { readonly kind: K }>;

/** The axis that counts the points of a block, among those of a graph. */
const BLOCK = idOf<AxisId>(-1);

export class LaunchEvaluation {
  readonly offsets: RowMajorOffsets;
  readonly #graph: Graph;
  readonly #sizes: ReadonlyMap<string, number>;
  readonly #seed: number;
  readonly #memory: RunMemory;
  readonly #online: OnlineBounds;
  readonly #folds: FoldEvaluation;

  constructor(graph: Graph, sizes: ReadonlyMap<string, number>, seed: number, memory: RunMemory, online: OnlineBounds) {
    this.#graph = graph;
    this.#sizes = sizes;
    this.#seed = seed;
    this.#memory = memory;
    this.#online = online;
    this.offsets = new RowMajorOffsets(graph, sizes);
    this.#folds = new FoldEvaluation(graph, sizes, this.offsets, (id, p) => this.value(id, p), (id) => memory.stored(id) !== null); // prettier-ignore
  }

  /** A value as whoever reads it sees it: from memory if it has some. */
  value(id: NodeId, p: Points): BoundedColumn {
    const known = p.values.get(id);
    if (known !== undefined) return known;
    const node = nodeOf(this.#graph, id);
    const stored = this.#memory.stored(id);
    const all = (): BoundedColumn => atDistinctPoints(p, node, this.offsets, (here) => this.inlined(node, here));
    const numbers = stored === null ? all() : this.#load(stored, p);
    p.values.set(id, numbers);
    return numbers;
  }

  /** Whether all presences hold, tested in order: 1 yes, 0 no, 2 where rounding could turn one of them. */
  holds(presences: readonly NodeId[], p: Points): Uint8Array {
    const out = new Uint8Array(p.count).fill(1);
    let open = Int32Array.from({ length: p.count }, (_, i) => i);
    for (const presence of presences) {
      if (open.length === 0) break;
      const here = open.length === p.count ? p : chosen(p, open);
      const { v, d } = this.value(presence, here);
      open.forEach((i, k) => (out[i] = d[k] !== 0 ? 2 : v[k] !== 0 ? 1 : 0));
      open = open.filter((i) => out[i] === 1);
    }
    return out;
  }

  /** The place in memory of a value's number at each point; -1 where the point has no row. */
  elements(space: StoredSpace, p: Points): Int32Array {
    const out = new Int32Array(p.count);
    const row = space.assignmentList === null ? null : this.#rowsAt(space.assignmentList, p);
    if (row !== null) out.set(row);
    for (const axis of space.axes) {
      const [index, length] = [indexAt(p, axis), this.offsets.length(axis)];
      for (let i = 0; i < out.length; i++) out[i] = (out[i] ?? noNumber()) * length + (index[i] ?? noNumber());
    }
    row?.forEach((r, i) => {
      if (r < 0) out[i] = -1;
    });
    return out;
  }

  #rowsAt(list: AssignmentList, p: Points): Int32Array {
    const { capacity, rows } = this.#memory;
    return rowsAt(p, list, this.offsets, capacity.bind(this.#memory), rows.bind(this.#memory));
  }

  #load({ space, data }: Stored, p: Points): BoundedColumn {
    const out = blank(p.count);
    const elements = this.elements(space, p);
    for (let i = 0; i < p.count; i++) {
      const at = elements[i] ?? noNumber();
      // Nobody may depend on a point that has no row.
      if (at < 0) out.d[i] = Infinity;
      else out.v[i] = data[at] ?? NaN;
    }
    return out;
  }

  /** A value computed at the points from its operands, whether it has memory or not. */
  inlined(node: Node, p: Points): BoundedColumn {
    switch (node.kind) {
      case 'constant':
      case 'size': {
        const v = node.kind === 'constant' ? node.value : this.number(node.size);
        const out = { ...blank(p.count), v: new Float64Array(p.count).fill(v) };
        if (Math.fround(v) !== v && node.element !== 'i32') out.d.fill(Math.abs(v) * u);
        return out;
      }
      case 'iota':
        return { v: Float64Array.from(indexAt(p, node.axis)), d: new Float64Array(p.count), left: null };
      case 'map':
        return this.#online.exponential(node, this.#map(node, p), this.offsets);
      case 'presence':
        return p.known.has(node.id) ? { ...blank(p.count), v: new Float64Array(p.count).fill(1) } : this.value(node.mask, p); // prettier-ignore
      case 'predicated':
        return this.#predicated(node, p);
      case 'rename':
      case 'slice':
      case 'split':
      case 'merge':
      case 'broadcast':
        return this.value(node.operand, this.#view(node, p));
      case 'concat':
        return this.#concat(node, p);
      case 'contract': {
        const q = this.#along(p, node.over);
        const [left, right] = [this.value(node.left, q), this.value(node.right, q)];
        const sum = this.#sum(p, node.over, [left, right], ([l, r], out, offsets) => {
          if (l !== undefined && r !== undefined) boundContract(l, r, node, out, offsets);
        });
        return this.#online.sum(node, { left, right }, sum, this.offsets);
      }
      case 'reduce': {
        const operand = this.value(node.operand, this.#along(p, node.over));
        const sum = this.#sum(p, node.over, [operand], ([o], out, offsets) => {
          if (o !== undefined) boundReduce(o, node, out, offsets);
        });
        return this.#online.sum(node, { left: operand, right: null }, sum, this.offsets);
      }
      case 'argmax': {
        const operand = this.value(node.operand, this.#along(p, [node.axis]));
        return this.#sum(p, [node.axis], [operand], ([o], out, offsets) => {
          if (o !== undefined) boundArgmax(o, node.axis, out, offsets);
        });
      }
      case 'gather':
        return this.#gather(node, p);
      case 'draw':
        return drawn(node, p, this.#seed, (size) => this.number(size, asInteger));
      case 'fold':
        return this.#folds.column(node, p);
      case 'scan':
      case 'sort_rank':
        return linesAt(node, p, this.offsets, (lines) => this.lines(node, lines));
      case 'choose':
      case 'input':
      case 'extern':
        throw new CompilerBug('verify', `node ${node.id} (${node.kind}) is not evaluated point by point`);
      default:
        return unreachable(node, 'verify');
    }
  }

  /** What is chosen of each group: `p` are the groups, the numbers stand at all points along the axis of the result. */
  choices(node: NodeOf<'choose'>, p: Points): { readonly at: Points; readonly numbers: BoundedColumn } {
    const q = this.#along(p, node.over);
    const at = this.#along(p, [node.along]);
    const out: NumbersWithBounds = {
      axes: [BLOCK, node.along],
      value: new Float64Array(at.count),
      delta: new Float64Array(at.count),
    };
    const bounded = (id: NodeId): NumbersWithBounds => {
      const { v, d } = this.value(id, id === node.count ? p : q);
      return { axes: id === node.count ? [BLOCK] : [BLOCK, ...node.over], value: v, delta: d };
    };
    boundChoice(node, bounded, out, this.#blockOffsets(p.count));
    return { at, numbers: { v: out.value, d: out.delta, left: null } };
  }

  /** A running sum or an order: for each point without the axes it goes along, the numbers at all points along them. */
  lines(node: NodeOf<'scan' | 'sort_rank'>, p: Points): { readonly at: Points; readonly numbers: BoundedColumn } {
    const over = node.kind === 'scan' ? [node.axis] : node.over;
    const q = this.#along(p, over);
    const axes = [BLOCK, ...over];
    const offsets = this.#blockOffsets(p.count);
    const out: NumbersWithBounds = { axes, value: new Float64Array(q.count), delta: new Float64Array(q.count) };
    const bounded = (id: NodeId): NumbersWithBounds => {
      const { v, d } = this.value(id, q);
      return { axes, value: v, delta: d };
    };
    if (node.kind === 'scan') boundScan(bounded(node.operand), node, out, offsets);
    else boundOrder(node, bounded, out, offsets);
    const from = node.kind === 'scan' ? [node.operand] : node.keys.map((k) => k.node);
    const left = from.map((id) => this.value(id, q).left);
    const leaves = left.some((l) => l !== null) ? lineFlags(left, p.count, q.count) : null;
    return { at: q, numbers: flagged({ v: out.value, d: out.delta, left: leaves }) };
  }

  #along(p: Points, over: readonly AxisId[]): Points {
    return expanded(p, over.map((axis) => ({ axis, length: this.offsets.length(axis) }))); // prettier-ignore
  }

  #blockOffsets(count: number): RowMajorOffsets {
    const block = { id: BLOCK, name: 'points', size: exact(count) };
    return new RowMajorOffsets({ ...this.#graph, axes: new Map([...this.#graph.axes, [BLOCK, block]]) }, this.#sizes);
  }

  /** One number for each point from those at all points along some axes. */
  #sum(
    p: Points,
    over: readonly AxisId[],
    operands: readonly BoundedColumn[],
    apply: (operands: readonly NumbersWithBounds[], out: NumbersWithBounds, offsets: RowMajorOffsets) => void,
  ): BoundedColumn {
    const out: NumbersWithBounds = {
      axes: [BLOCK],
      value: new Float64Array(p.count),
      delta: new Float64Array(p.count),
    };
    const bounded = operands.map(({ v, d }): NumbersWithBounds => ({ axes: [BLOCK, ...over], value: v, delta: d }));
    apply(bounded, out, this.#blockOffsets(p.count));
    const flags = operands.map((o) => o.left);
    const left = flags.some((l) => l !== null) ? pointFlags(flags, p.count) : null;
    return flagged({ v: out.value, d: out.delta, left: beyond(out.value, operands, left) });
  }

  /** A value as wide numbers have it (graph/wide-angles.ts): made of what it is made of, also where it has memory. */
  #wide(id: NodeId, p: Points): BoundedColumn {
    const node = nodeOf(this.#graph, id);
    const operands = wideOperands(node);
    if (operands === null) return this.value(id, p);
    switch (node.kind) {
      case 'map':
        return this.#map(node, p, (n) => this.#wide(n, p), wideUnit);
      case 'rename':
      case 'slice':
      case 'split':
      case 'merge':
      case 'broadcast':
        return this.#wide(node.operand, this.#view(node, p));
      default:
        return { ...this.inlined(node, p), d: new Float64Array(p.count) };
    }
  }

  #map(
    node: NodeOf<'map'>,
    p: Points,
    of = (id: NodeId): BoundedColumn =>
      isWaveOfWide(node, (n) => nodeOf(this.#graph, n)) ? this.#wide(id, p) : this.value(id, p),
    unit = u,
  ): BoundedColumn {
    const operands = node.operands.map(of);
    const out = blank(p.count);
    const args = operands.map(() => ({ v: 0, d: 0 }));
    let left: Uint8Array | null = null;
    const floating = node.element === 'f32' || node.element === 'f16';
    for (let i = 0; i < p.count; i++) {
      for (let k = 0; k < operands.length; k++) {
        const o = operands[k];
        args[k] = { v: o?.v[i] ?? noNumber(), d: o?.d[i] ?? noNumber() };
      }
      const r = boundOfMap(node, args, unit);
      const gone = operands.some((o) => o.left?.[i] === 1) || (floating && leavesRange(node.op, r.v, args));
      out.v[i] = r.v;
      out.d[i] = gone ? Infinity : r.d;
      if (gone) (left ??= new Uint8Array(p.count))[i] = 1;
    }
    const addends = operands.map(({ v, d, terms }) => ({ values: v, bounds: d, terms }));
    // Wide numbers are integers: nobody adds them up in another order.
    const terms = unit === u ? termsOf(node, addends, p.count, (_, i) => i) : undefined;
    inAnyOrder(addends, terms, out.v, out.d);
    return { ...out, left, terms };
  }

  #predicated(node: NodeOf<'predicated'>, p: Points): BoundedColumn {
    const presence = this.value(node.presence, p);
    const read: number[] = [];
    for (let i = 0; i < p.count; i++) if (presence.v[i] !== 0 || presence.d[i] !== 0) read.push(i);
    const out = blank(p.count);
    out.v.fill(node.otherwise);
    if (read.length === 0) return out;
    const value = this.value(node.value, read.length === p.count ? p : chosen(p, Int32Array.from(read)));
    let left: Uint8Array | null = null;
    read.forEach((i, k) => {
      const [v, d] = [value.v[k] ?? noNumber(), value.d[k] ?? noNumber()];
      const present = presence.v[i] !== 0;
      if (present) out.v[i] = v;
      out.d[i] = presence.d[i] === 0 ? d : apart(v, node.otherwise) + d;
      if (value.left?.[k] === 1) (left ??= new Uint8Array(p.count))[i] = 1;
    });
    return { ...out, left };
  }

  #view(node: ViewNode, p: Points): Points {
    const seen = p.views.get(node.id);
    if (seen !== undefined) return seen;
    const own = nodeOf(this.#graph, node.operand).axes;
    const moved = viewedAxes(
      node,
      p,
      (axis) => this.offsets.length(axis),
      (size) => this.number(size, asInteger),
    );
    const at = new Map(own.map((a) => [a, moved.get(a) ?? indexAt(p, a)] as const));
    // A row stays what it is if no axis got another index.
    const view = moved.size === 0 ? points(p.count, at, p.rows, p.known) : points(p.count, at);
    p.views.set(node.id, view);
    return view;
  }

  #concat(node: NodeOf<'concat'>, p: Points): BoundedColumn {
    const position = indexAt(p, node.axis);
    const out = blank(p.count);
    let left: Uint8Array | null = null;
    let first = 0;
    for (const part of node.parts) {
      const length = part.axis === null ? 1 : this.offsets.length(part.axis);
      const which: number[] = [];
      for (let i = 0; i < p.count; i++) {
        const at = (position[i] ?? noNumber()) - first;
        if (at >= 0 && at < length) which.push(i);
      }
      if (which.length > 0) {
        const here = chosen(p, Int32Array.from(which));
        const at = new Map(here.at);
        at.delete(node.axis);
        const start = first;
        if (part.axis !== null)
          at.set(
            part.axis,
            Int32Array.from(which, (i) => (position[i] ?? noNumber()) - start),
          );
        const value = this.value(part.node, points(which.length, at));
        which.forEach((i, k) => {
          out.v[i] = value.v[k] ?? noNumber();
          out.d[i] = value.d[k] ?? noNumber();
          if (value.left?.[k] === 1) (left ??= new Uint8Array(p.count))[i] = 1;
        });
      }
      first += length;
    }
    return { ...out, left };
  }

  #gather(node: NodeOf<'gather'>, p: Points): BoundedColumn {
    const indices = this.value(node.indices, p);
    const length = this.offsets.length(node.axis);
    const at = (which: Int32Array, index: (i: number) => number): BoundedColumn => {
      const here = chosen(p, which);
      const axes = new Map([...here.at, [node.axis, Int32Array.from(which, index)]]);
      return this.value(node.table, points(which.length, axes));
    };
    const inside = (index: number): boolean => index >= 0 && index < length;
    const sure = Int32Array.from({ length: p.count }, (_, i) => i).filter((i) => inside(indices.v[i] ?? noNumber()));
    const out = blank(p.count);
    const looked = at(sure, (i) => indices.v[i] ?? noNumber());
    let left: Uint8Array | null = null;
    sure.forEach((i, k) => {
      out.v[i] = looked.v[k] ?? noNumber();
      out.d[i] = looked.d[k] ?? noNumber();
      if (looked.left?.[k] === 1) (left ??= new Uint8Array(p.count))[i] = 1;
    });
    // What an index that rounding could turn looks up is undecided.
    for (let i = 0; i < p.count; i++) if (indices.d[i] !== 0) out.d[i] = Infinity;
    return { ...out, left };
  }

  number(size: Size, read: (size: Size) => number | null = asNumber): number {
    const value = read(substitute(size, this.#sizes));
    if (value === null) throw new CompilerBug('verify', 'a size is not known, or no integer');
    return value;
  }
}
