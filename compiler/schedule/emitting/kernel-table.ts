/**
 * KernelTable: the kernels of all plans of a program, each structure once. Launches of equal structure share one object, so that what
 * is asked of a kernel (its work, its legal form) is found out once for all of them.
 */
import type { Kernel } from '../../kernel/kernel-ir.ts';
import { KernelFacts } from '../../kernel/kernel-facts.ts';
import { evaluateConstants } from '../../kernel/legalise/evaluate-constants.ts';
import { ByStructure } from '../../kernel/same-kernel.ts';

export interface KnownKernel {
  readonly kernel: Kernel;
  /** With operations on literals done, as legalisation does them: what its work is read off. */
  readonly evaluated: Kernel;
  /** Of the evaluated one. */
  readonly facts: KernelFacts;
}

export class KernelTable {
  readonly #shared = new ByStructure<Kernel>();
  readonly #known = new Map<Kernel, KnownKernel>();

  /** The kernel of this structure: the first one that was asked for. */
  shared(kernel: Kernel): Kernel {
    return this.#shared.get(kernel, (first) => first);
  }

  /** What is known of the kernel of this structure. */
  known(kernel: Kernel): KnownKernel {
    const shared = this.shared(kernel);
    const before = this.#known.get(shared);
    if (before !== undefined) return before;
    const evaluated = evaluateConstants(shared);
    const known = { kernel: shared, evaluated, facts: new KernelFacts(evaluated) };
    this.#known.set(shared, known);
    return known;
  }
}
