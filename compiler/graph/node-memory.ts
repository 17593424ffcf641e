/** Which values can be computed where they are read, and how much of that a kernel has room for. */
import { unreachable } from '../../dsl/diagnostics/bug.ts';
import type { Node } from './graph-ir.ts';

/** Parts of a concat that are chosen between in passing; more are written side by side. */
export const mostParts = 4;
/**
 * Operations, and steps in one another, that are computed in passing at most: what computes them recurses once a step, and so do
 * compilers of shaders. A value beyond it is stored, which costs one write and one read for so many operations. Measured with
 * `moec run model.moe --on gpu` of 1,200 lets, each one more than the last: 1,200 in one kernel overflow the stack, and limits of 32,
 * 128 and 512 take the same 4 s of CPU on lavapipe, so it is the stack that decides. This is far from it.
 */
export const mostInlined = 256;

/** `needed`: its kernel goes over points of its own, or the host gives it. `none`: it is a literal, or has memory from outside. */
export function memoryOf(node: Node): 'needed' | 'possible' | 'none' {
  switch (node.kind) {
    case 'contract':
    case 'reduce':
    case 'scan':
    case 'sort_rank':
    case 'choose':
    case 'argmax':
    case 'gather':
    case 'draw':
    case 'extern':
    case 'fold':
      return 'needed';
    case 'concat':
      return node.parts.length > mostParts ? 'needed' : 'possible';
    case 'iota':
    case 'map':
    case 'predicated':
    case 'presence':
    case 'rename':
    case 'slice':
    case 'split':
    case 'merge':
    case 'broadcast':
      return 'possible';
    case 'constant':
    case 'size':
    case 'input':
      return 'none';
    default:
      return unreachable(node, 'graph');
  }
}
