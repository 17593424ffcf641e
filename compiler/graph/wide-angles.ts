/**
 * Angles that are computed with more digits than f32 has.
 *
 * sin and cos of an angle near 10^5 see its last digits: rounded to f32, it is off by 4e-3. So where the operand of sin or cos is
 * elementwise arithmetic on a few values, it is computed in wide numbers (kernel/math/wide.ts) from those values, which are what they
 * are in f32 or i32: `place * base ** (-i / N)` is exact, whatever memory its parts have. Here it is decided which nodes that takes in:
 * the scheduler computes them so, and the error bound (error-bound.ts) counts on it.
 */
import type { Node, NodeId } from './graph-ir.ts';

/** Values from outside that an angle may be made of; more are computed in f32. */
const MAX_ANCHORS = 3;
/** Nodes that an angle is computed of, in one kernel whatever has memory; more are computed in f32, like any value. */
const MAX_NODES = 256;

/** A node as wide arithmetic sees it: what it is made of, or a value taken as it is. */
export function wideOperands(node: Node): readonly NodeId[] | null {
  switch (node.kind) {
    case 'constant':
    case 'size':
    case 'iota':
      return node.element === 'f16' ? null : [];
    case 'rename':
    case 'slice':
    case 'split':
    case 'merge':
    case 'broadcast':
      return node.element === 'f32' ? [node.operand] : null;
    case 'map':
      return node.element === 'f32' && WIDE_OPS.has(node.op) ? node.operands : null;
    default:
      return null;
  }
}

const WIDE_OPS: ReadonlySet<string> = new Set(['add', 'sub', 'mul', 'div', 'neg', 'pow', 'exp', 'where', 'convert']);

/** Whether a node's value, as an angle, is computed wide: it is arithmetic, on not too many values from outside. */
export function isWide(id: NodeId, nodeAt: (id: NodeId) => Node): boolean {
  const anchors = new Set<NodeId>();
  const seen = new Set<NodeId>();
  const pending = [id];
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    if (seen.has(at)) continue;
    seen.add(at);
    const operands = wideOperands(nodeAt(at));
    if (operands !== null) pending.push(...operands);
    else anchors.add(at);
    if (anchors.size > MAX_ANCHORS || seen.size > MAX_NODES) return false;
  }
  // A value as it is has no more digits than it has.
  return wideOperands(nodeAt(id)) !== null;
}

/** Whether a node is a sine or cosine of an angle that is computed wide. */
export function isWaveOfWide(node: Node, nodeAt: (id: NodeId) => Node): boolean {
  if (node.kind !== 'map' || (node.op !== 'sin' && node.op !== 'cos')) return false;
  const [angle] = node.operands;
  return angle !== undefined && isWide(angle, nodeAt);
}
