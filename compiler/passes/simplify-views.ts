/**
 * simplify-views
 *
 * What: views of views become one view or none: a rename of a rename, a slice of a slice, a slice of a concat that lies
 * in one part, a concat in a concat, a split of a merge, a broadcast that the operation around it does anyway.
 * Why: every window of a family, every part of a union and every boundary of a template leaves one behind.
 * Before: `rename(rename(x, A: B), B: A)`   After: `x`
 */
import { at } from '../../dsl/diagnostics/invariants.ts';
import { apply, asInteger, one, sizeKey, zero, type Size } from '../../dsl/types/size.ts';
import type { GraphBuilder } from '../graph/graph-builder.ts';
import type { AxisId, Node, NodeId } from '../graph/graph-ir.ts';
import { rewriteGraph } from '../graph/node-uses.ts';
import { definePass } from './pass.ts';

export const simplifyViews = definePass({
  name: 'simplify-views',
  summary: 'makes views of views one view',
  run: (graph) => rewriteGraph(graph, simplify),
});

function simplify(node: Node, b: GraphBuilder, to: (id: NodeId) => NodeId): NodeId | null {
  switch (node.kind) {
    case 'rename':
      return renamed(b, to(node.operand), node.from, node.to);
    case 'slice':
      return sliced(b, to(node.operand), node.axis, node.at, node.as);
    case 'split': {
      const inner = b.node(to(node.operand));
      if (inner.kind !== 'merge' || inner.into !== node.axis || !sameSizes(b, inner.from, node.into)) return null;
      return renamed(b, inner.operand, inner.from, node.into);
    }
    case 'merge': {
      const inner = b.node(to(node.operand));
      if (inner.kind !== 'split' || inner.into.join() !== node.from.join()) return null;
      return renamed(b, inner.operand, [inner.axis], [node.into]);
    }
    case 'broadcast': {
      const inner = b.node(to(node.operand));
      return inner.kind === 'broadcast' ? b.broadcast(inner.operand, node.axes) : null;
    }
    case 'map': {
      const operands = unbroadcast(b, node.operands.map(to)); // prettier-ignore
      return operands === null ? null : b.map(node.op, operands, node.element);
    }
    case 'predicated': {
      const operands = unbroadcast(b, [to(node.presence), to(node.value)]);
      const [presence, value] = operands ?? [];
      return presence === undefined || value === undefined ? null : b.predicated(presence, value, node.otherwise);
    }
    case 'concat': {
      const parts = node.parts.flatMap((part) => {
        const id = to(part.node);
        const inner = b.node(id);
        // A union inside a union: its members stand in the outer one.
        return inner.kind === 'concat' && inner.axis === part.axis ? inner.parts : [{ ...part, node: id }];
      });
      const [only, ...more] = parts;
      if (only === undefined) return null;
      if (more.length === 0 && only.axis !== null) return renamed(b, only.node, [only.axis], [node.axis]);
      return parts.length === node.parts.length ? null : b.broadcast(b.concat(parts, node.axis), node.axes);
    }
    default:
      return null;
  }
}

const sameSizes = (b: GraphBuilder, x: readonly AxisId[], y: readonly AxisId[]): boolean =>
  x.length === y.length && x.every((a, i) => sizeKey(b.sizeOf(a)) === sizeKey(b.sizeOf(y[i] ?? a)));

/** A rename, joined with renames below it. */
function renamed(b: GraphBuilder, operand: NodeId, from: readonly AxisId[], to: readonly AxisId[]): NodeId {
  const inner = b.node(operand);
  if (inner.kind !== 'rename') return b.rename(operand, from, to);
  const outer = new Map(from.map((f, i) => [f, at(to, i, 'passes: axis of a rename')]));
  const pairs = inner.from.map((f, i): [AxisId, AxisId] => [f, at(inner.to, i, 'passes: axis of a rename')]);
  const joined = pairs.map(([f, t]): [AxisId, AxisId] => [f, outer.get(t) ?? t]);
  const made = new Set(pairs.map(([, t]) => t));
  for (const [f, t] of outer) if (!made.has(f)) joined.push([f, t]);
  return b.rename(inner.operand, joined.map(([f]) => f), joined.map(([, t]) => t)); // prettier-ignore
}

/** A slice, through slices, renames, concats and broadcasts below it. */
export function sliced(b: GraphBuilder, operand: NodeId, axis: AxisId, at: Size, as: AxisId | null): NodeId | null {
  const inner = b.node(operand);
  if (inner.kind === 'slice' && inner.as === axis) {
    const from = apply('add', inner.at, at);
    return sliced(b, inner.operand, inner.axis, from, as) ?? b.slice(inner.operand, inner.axis, from, as);
  }
  if (inner.kind === 'broadcast' && !b.axesOf(inner.operand).includes(axis)) {
    const rest = inner.axes.flatMap((a) => (a === axis ? (as === null ? [] : [as]) : [a]));
    return b.broadcast(inner.operand, rest);
  }
  if (inner.kind === 'concat' && inner.axis === axis) {
    const part = partAt(b, inner, at, as === null ? one : b.sizeOf(as));
    if (part === null) return null;
    const others = inner.axes.filter((a) => a !== axis);
    if (part.axis === null) return b.broadcast(as === null ? part.node : b.broadcast(part.node, [as]), others);
    const whole = as !== null && sizeKey(b.sizeOf(as)) === sizeKey(b.sizeOf(part.axis));
    const cut = whole ? b.rename(part.node, [part.axis], [as]) : b.slice(part.node, part.axis, part.inside, as);
    return b.broadcast(cut, others);
  }
  if (inner.kind === 'iota' && as === null) return b.size(at, inner.element);
  const whole = as !== null && asInteger(at) === 0 && sizeKey(b.sizeOf(as)) === sizeKey(b.sizeOf(axis));
  return whole ? renamed(b, operand, [axis], [as]) : null;
}

interface PartAt {
  readonly node: NodeId;
  readonly axis: AxisId | null;
  /** Where in the part the range begins. */
  readonly inside: Size;
}

/** The part of a concat in which a range lies, where sizes say so. */
function partAt(b: GraphBuilder, concat: Extract<Node, { kind: 'concat' }>, at: Size, length: Size): PartAt | null {
  let start: Size = zero;
  for (const part of concat.parts) {
    const size = part.axis === null ? one : b.sizeOf(part.axis);
    const inside = apply('sub', at, start);
    if (sizeKey(at) === sizeKey(start) && sizeKey(length) === sizeKey(size)) return { ...part, inside: zero };
    const [i, n, l] = [asInteger(inside), asInteger(size), asInteger(length)];
    if (i !== null && n !== null && l !== null && i >= 0 && i + l <= n && l > 0) return { ...part, inside };
    start = apply('add', start, size);
  }
  return null;
}

/** Operands without broadcasts that the other operands make anyway; null if there are none. */
function unbroadcast(b: GraphBuilder, operands: readonly NodeId[]): readonly NodeId[] | null {
  const wanted = new Set(operands.flatMap((id) => [...b.axesOf(id)]));
  let current = [...operands];
  let changed = false;
  operands.forEach((id, i) => {
    const node = b.node(id);
    if (node.kind !== 'broadcast') return;
    const others = current.filter((_, k) => k !== i).flatMap((o) => [...b.axesOf(o)]);
    const enough = new Set([...others, ...b.axesOf(node.operand)]);
    if (![...wanted].every((a) => enough.has(a))) return;
    current = current.map((o, k) => (k === i ? node.operand : o));
    changed = true;
  });
  return changed ? current : null;
}
