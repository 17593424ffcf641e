/** What it costs to compute a value at one point, in operations: whether it may be repeated, or is better kept. */
import { unreachable } from '../../dsl/diagnostics/bug.ts';
import type { MapOp, Node } from './graph-ir.ts';

/** Operations that may be repeated for free. */
export const cheap = 4;
const dear = 8;
const transcendental: ReadonlySet<MapOp> = new Set<MapOp>([
  'exp', 'log', 'sqrt', 'rsqrt', 'tanh', 'sigmoid', 'silu', 'gelu', 'gelu_tanh', 'softplus', 'erf', 'sin', 'cos', 'pow', 'div', 'mod',
]); // prettier-ignore

/** Of the node alone; what has to be kept anyway costs its readers nothing. */
export function ownCost(node: Node): number {
  switch (node.kind) {
    case 'map':
      return transcendental.has(node.op) ? dear : 1;
    case 'predicated':
    case 'split':
    case 'merge':
      return 1;
    case 'concat':
      return node.parts.length;
    case 'constant':
    case 'size':
    case 'iota':
    case 'input':
    case 'presence':
    case 'contract':
    case 'reduce':
    case 'scan':
    case 'sort_rank':
    case 'choose':
    case 'argmax':
    case 'gather':
    case 'draw':
    case 'rename':
    case 'slice':
    case 'broadcast':
    case 'extern':
    case 'fold':
      return 0;
    default:
      return unreachable(node, 'passes');
  }
}
