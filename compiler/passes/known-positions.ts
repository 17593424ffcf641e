/**
 * What a bool is that follows from a position along one axis alone, in a part of that axis: which family of a union a point is of, for instance,
 * which is the same in all of that family. Sizes have to be known.
 */
import { asInteger, type Size } from '../../dsl/types/size.ts';
import type { GraphBuilder } from '../graph/graph-builder.ts';
import type { AxisId, NodeId } from '../graph/graph-ir.ts';
import { scalarFunction } from '../graph/interpret-scalar.ts';

/** Positions that are looked at, at most. */
const MOST_POSITIONS = 4096;

/** The value at all positions of `axis` from `at` on, as many as `as` has, or at that one; null: it is not known, or not one. */
export function knownAlong(b: GraphBuilder, id: NodeId, axis: AxisId, at: Size, as: AxisId | null): number | null {
  if (b.node(id).element !== 'bool') return null;
  const [first, count] = [asInteger(at), as === null ? 1 : asInteger(b.sizeOf(as))];
  if (first === null || count === null || count === 0 || count > MOST_POSITIONS) return null;
  const value = valueAt(b, id, axis, first);
  for (let i = first + 1; value !== null && i < first + count; i++) if (valueAt(b, id, axis, i) !== value) return null;
  return value;
}

function valueAt(b: GraphBuilder, id: NodeId, axis: AxisId, position: number): number | null {
  const node = b.node(id);
  switch (node.kind) {
    case 'iota':
      return node.axis === axis ? position : null;
    case 'constant':
      return node.value;
    case 'size':
      return asInteger(node.size);
    case 'map': {
      const [x, y, z] = node.operands.map((operand) => valueAt(b, operand, axis, position));
      if (x === undefined || x === null || y === null || z === null) return null;
      const computes = b.node(node.operands.at(-1) ?? id).element;
      const value = scalarFunction(node.op, computes, node.element, false)(x, y ?? 0, z ?? 0);
      return Number.isFinite(value) ? value : null;
    }
    default:
      return null;
  }
}
