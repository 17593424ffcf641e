/** Bools that need not be asked at a point: by what is known of it there they are true, whether they have memory or not. */
import type { NodeId } from '../../graph/graph-ir.ts';
import type { KernelExpr } from '../../kernel/kernel-ir.ts';
import { presencesOfRows } from '../memory/memory.ts';
import type { PointAccess } from './point-emitter.ts';
import { knownValue, type PointScope } from './point-scope.ts';

type Known = Pick<PointAccess, 'node' | 'holdsUnder'>;

export const isTrue = (e: KernelExpr): boolean => e.kind === 'literal' && e.value === true;

/** Whether a presence is known to hold: a row in scope was made of it. */
export function isKnownPresent(known: Known, presence: NodeId, env: PointScope): boolean {
  return known.holdsUnder(
    [...env.rows.values()].flatMap(({ assignmentList }) => presencesOfRows(assignmentList)),
    presence,
  );
}

/** Whether a bool is true at a point by what it is made of, and what of that is known to be true there. */
export function isKnownTrue(
  known: Known,
  id: NodeId,
  env: PointScope,
  asked: Map<NodeId, boolean> = new Map<NodeId, boolean>(),
): boolean {
  const before = asked.get(id);
  if (before !== undefined) return before;
  const node = known.node(id);
  const of = (operand: NodeId): boolean => isKnownTrue(known, operand, env, asked);
  const derive = (): boolean => {
    const value = knownValue(env, id);
    if (value !== undefined) return isTrue(value);
    switch (node.kind) {
      case 'presence':
        return isKnownPresent(known, id, env) || of(node.mask);
      case 'predicated':
        return of(node.presence) && of(node.value);
      case 'map':
        return node.op === 'and' && node.operands.every(of);
      case 'rename':
      case 'split':
      case 'merge':
      case 'slice':
      case 'broadcast': {
        const seen = env.views.get(id);
        return seen !== undefined && isKnownTrue(known, node.operand, seen);
      }
      default:
        return false;
    }
  };
  const result = node.element === 'bool' && derive();
  asked.set(id, result);
  return result;
}
