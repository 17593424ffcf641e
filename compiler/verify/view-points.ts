/** Where a view looks: the points of its operand, axis by axis, for points of its own. */
import { missing, noNumber } from '../../dsl/diagnostics/invariants.ts';
import { unreachable } from '../../dsl/diagnostics/bug.ts';
import type { Size } from '../../dsl/types/size.ts';
import type { AxisId, Node } from '../graph/graph-ir.ts';
import { indexAt, type Points } from './point-blocks.ts';

/** Nodes that compute nothing and look elsewhere. */
export type ViewNode = Extract<Node, { readonly kind: 'rename' | 'slice' | 'split' | 'merge' | 'broadcast' }>;

/** The operand's axes that have another index, with it. */
export function viewedAxes(
  node: ViewNode,
  p: Points,
  lengthOf: (axis: AxisId) => number,
  integerOf: (size: Size) => number,
): Map<AxisId, Int32Array> {
  switch (node.kind) {
    case 'broadcast':
      return new Map();
    case 'rename':
      return new Map(node.from.map((a, i) => [a, indexAt(p, node.to[i] ?? missing('verify: axis of a rename', i))]));
    case 'slice': {
      const first = integerOf(node.at);
      const index = node.as === null ? null : indexAt(p, node.as);
      const from = (i: number): number => (index === null ? first : first + (index[i] ?? noNumber()));
      return new Map([[node.axis, Int32Array.from({ length: p.count }, (_, i) => from(i))]]);
    }
    case 'split': {
      const out = new Int32Array(p.count);
      for (const axis of node.into) {
        const [index, length] = [indexAt(p, axis), lengthOf(axis)];
        for (let i = 0; i < out.length; i++) out[i] = (out[i] ?? noNumber()) * length + (index[i] ?? noNumber());
      }
      return new Map([[node.axis, out]]);
    }
    case 'merge': {
      const whole = indexAt(p, node.into);
      let stride = 1;
      const digits = [...node.from].reverse().map((axis) => {
        const [below, length] = [stride, lengthOf(axis)];
        stride *= length;
        return [axis, Int32Array.from(whole, (n) => Math.floor(n / below) % length)] as const;
      });
      return new Map(digits);
    }
    default:
      return unreachable(node, 'verify');
  }
}
