/**
 * Sums side by side of which all that was added up so far is multiplied by a factor whenever another block of 32 terms is closed: the terms
 * of a block one after the other, as in every sum (sums.ts), and then block after block. A tree over the blocks would need accumulators that
 * are multiplied as well, each time; and every one of these products rounds as an addition does, so a term would pass as many roundings.
 */
import { at } from '../../dsl/diagnostics/invariants.ts';
import type { KernelExpr } from '../kernel/kernel-ir.ts';
import type { KernelBuilder } from '../kernel/kernel-builder.ts';
import { add, f32, mul } from '../kernel/make-expressions.ts';

export class ScaledSums {
  readonly #k: KernelBuilder;
  readonly #closed: readonly KernelExpr[];
  #open: readonly KernelExpr[] = [];

  /** So many sums of a thread, all 0. */
  constructor(k: KernelBuilder, count: number) {
    this.#k = k;
    this.#closed = Array.from({ length: count }, () => k.var(f32(0), 'sum'));
  }

  /** Begins a block. */
  begin(): void {
    this.#open = this.#closed.map(() => this.#k.var(f32(0), 'open'));
  }

  add(number: number, term: KernelExpr): void {
    const sum = at(this.#open, number, 'kernels: open sum');
    this.#k.assign(sum, add(sum, term));
  }

  /** Closes a block: what closed ones come to is multiplied, and it is added. */
  close(factorOf: (number: number) => KernelExpr): void {
    this.#closed.forEach((sum, n) =>
      this.#k.assign(sum, add(mul(sum, factorOf(n)), at(this.#open, n, 'kernels: open sum'))),
    );
  }

  /** What a sum comes to: every block is closed. */
  total(number: number): KernelExpr {
    return at(this.#closed, number, 'kernels: closed sum');
  }
}
