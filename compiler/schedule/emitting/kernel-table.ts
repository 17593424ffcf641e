/**
 * KernelTable: the kernels of all plans of a program, each structure once. Launches of equal structure share one object, so that what
 * is asked of a kernel (its work, its legal form) is found out once for all of them.
 */
import type { Kernel } from '../../kernel/kernel-ir.ts';
import { KernelFacts } from '../../kernel/kernel-facts.ts';
import { evaluateConstants } from '../../kernel/legalise/evaluate-constants.ts';
import { printKernel } from '../../kernel/print-kernel.ts';

export interface KnownKernel {
  readonly kernel: Kernel;
  /** With operations on literals done, as legalisation does them: what its work is read off. */
  readonly evaluated: Kernel;
  /** Of the evaluated one. */
  readonly facts: KernelFacts;
}

export class KernelTable {
  readonly #byText = new Map<string, KnownKernel>();

  /** The kernel of this structure: the first one that was asked for. */
  known(kernel: Kernel): KnownKernel {
    const text = printKernel(kernel);
    const before = this.#byText.get(text);
    if (before !== undefined) return before;
    const evaluated = evaluateConstants(kernel);
    const known = { kernel, evaluated, facts: new KernelFacts(evaluated) };
    this.#byText.set(text, known);
    return known;
  }
}
