/** Along which axes a node looks at other points than its own. */
import type { AxisId, Node, NodeId } from './graph-ir.ts';

/** The axes summed or searched over: what a thread loops over for one output point. */
export function loopAxes(node: Node): readonly AxisId[] {
  switch (node.kind) {
    case 'contract':
    case 'reduce':
    case 'sort_rank':
    case 'choose':
      return node.over;
    case 'scan':
    case 'argmax':
      return [node.axis];
    default:
      return [];
  }
}

/** The axes along which a node reads an operand at other points than its own. */
export function movedAxes(node: Node, operand: NodeId): readonly AxisId[] {
  switch (node.kind) {
    case 'gather':
      return node.table === operand ? [node.axis] : [];
    case 'rename':
      return [...node.from, ...node.to];
    case 'slice':
      return node.as === null ? [node.axis] : [node.axis, node.as];
    case 'split':
      return [node.axis, ...node.into];
    case 'merge':
      return [...node.from, node.into];
    case 'concat':
      return [node.axis, ...node.parts.flatMap((p) => (p.node === operand && p.axis !== null ? [p.axis] : []))];
    default:
      return loopAxes(node);
  }
}
