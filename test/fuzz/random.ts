/** Deterministic random choices: the same seed gives the same program, on every machine. */

export class Random {
  #state: number;

  constructor(...seeds: readonly number[]) {
    this.#state = 0x9e3779b9;
    for (const seed of seeds) {
      this.#state = scramble((this.#state ^ (seed | 0)) + 0x6d2b79f5);
    }
  }

  /** Uniform in [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    return (scramble(this.#state) >>> 0) / 2 ** 32;
  }

  /** A whole number from 0 to n - 1. */
  below(n: number): number {
    return Math.floor(this.next() * n);
  }

  /** A whole number from low to high, both included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  chance(p: number): boolean {
    return this.next() < p;
  }

  pick<X>(list: readonly X[]): X {
    const x = list[this.below(list.length)];
    if (x === undefined) throw new Error('nothing to pick from');
    return x;
  }

  /** One of those there are, or null. */
  some<X>(list: readonly X[]): X | null {
    return list.length === 0 ? null : this.pick(list);
  }

  /** Prefers what stands late in the list: programs grow deep, not wide. */
  late<X>(list: readonly X[]): X | null {
    if (list.length === 0) return null;
    return list[list.length - 1 - Math.floor(list.length * this.next() ** 2)] ?? null;
  }

  weighted<X>(list: readonly (readonly [weight: number, x: X])[]): X {
    let at = this.next() * list.reduce((sum, [w]) => sum + w, 0);
    for (const [w, x] of list) {
      at -= w;
      if (at < 0) return x;
    }
    return this.pick(list)[1];
  }

  shuffled<X>(list: readonly X[]): X[] {
    const out = [...list];
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const [a, b] = [out[i], out[j]];
      if (a !== undefined && b !== undefined) [out[i], out[j]] = [b, a];
    }
    return out;
  }

  /** Each with its chance, in order. */
  subset<X>(list: readonly X[], p = 0.5): X[] {
    return list.filter(() => this.chance(p));
  }
}

function scramble(x: number): number {
  let t = Math.imul(x ^ (x >>> 15), x | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return (t ^ (t >>> 14)) | 0;
}
