/**
 * Legalisation: makes a kernel mean the same on every driver of a target, in the IR, so that printing can be dumb.
 *
 * One fix per file, in one ordered list with the reason for each place. Every fix is a function from kernel to kernel that
 * keeps the verifier satisfied; the interpreter runs kernels before and after, and they agree wherever the original is
 * defined.
 */
import { CompilerBug } from '../../../dsl/diagnostics/bug.ts';
import type { Target } from '../../target.ts';
import type { Kernel } from '../kernel-ir.ts';
import { verifyKernel } from '../verify-kernel.ts';
import { boundDepth } from './bound-depth.ts';
import { evaluateConstants } from './evaluate-constants.ts';
import { nameInfinities } from './name-infinities.ts';
import { unrollLoops } from './unroll-loops.ts';

export interface Legalisation {
  readonly name: string;
  /** Why it stands where it stands. */
  readonly reason: string;
  readonly run: (kernel: Kernel, target: Target) => Kernel;
}

export const legalisations: readonly Legalisation[] = [
  { name: 'unroll-loops', reason: 'first: what is written out has new constants', run: unrollLoops },
  {
    name: 'evaluate-constants',
    reason: 'after unroll-loops, and early: it may give an infinity',
    run: evaluateConstants,
  },
  { name: 'name-infinities', reason: 'after evaluate-constants', run: nameInfinities },
  { name: 'bound-depth', reason: 'last: the others make expressions deeper', run: boundDepth },
];

/** The kernel made legal for `target`. Throws CompilerBug if the result violates the IR's rules. */
export function legalise(kernel: Kernel, target: Target): Kernel {
  const legal = legalisations.reduce((current, { run }) => run(current, target), kernel);
  const violations = verifyKernel(legal, target.limits);
  if (violations.length > 0) {
    throw new CompilerBug('legalise', `kernel ${kernel.name} on ${target.name}: ${violations.join('; ')}`);
  }
  return legal;
}
