/**
 * Sums inside one thread, in the order of sums (dsl/tensors/sum-order.ts): blocks of 32 terms, blocks of 32 blocks, …
 *
 * A family is handed the *terms*: a loop nest that says where a block of 32 ends. It keeps an accumulator for each level, of
 * which only the first is touched at each term; closing a block enters it into the next level, and every 32nd time that
 * level into the one above. Where there are surely no more than 32 terms, one accumulator is left of all this, and of 1,024 two;
 * the numbers are the same.
 */
import { missing } from '../../dsl/diagnostics/invariants.ts';
import { SUM_BLOCK, SUM_LEVELS } from '../../dsl/tensors/sum-order.ts';
import type { ArrayDecl, KernelExpr, ScalarType } from '../kernel/kernel-ir.ts';
import type { KernelBuilder } from '../kernel/kernel-builder.ts';
import { add, asExpr, bitAnd, componentsOf, eq, loadArray, min, mul, u32 } from '../kernel/make-expressions.ts';
import { CompilerBug } from '../../dsl/diagnostics/bug.ts';

/** The terms of a sum at a point, as a loop nest inside one thread. */
export interface Terms<P, I = P> {
  /** How many there are at most; null if only a run knows. */
  readonly maxTerms: number | null;
  /**
   * Emits the nest: `body` once, at a term; `close` where 32 terms have been visited since the last time (or the last ones
   * there are: they may also be left open at the end). Without `close` a plain nest, for what is added up in any order.
   */
  readonly visit: (point: P, body: (inner: I) => void, close?: () => void) => void;
}

/**
 * Sums that are added up side by side over the same terms.
 *
 * Many of them may go _in blocks_: those of a block are locals of it, from `begin` to `close`, and what closed blocks come to lies in an
 * array of the thread. A loop over blocks then hands on no local, and what becomes of the sums afterwards is a loop over their numbers:
 * drivers that keep lanes side by side merge each local of a loop, lane by lane, every time it goes round.
 */
export class Sums {
  readonly #k: KernelBuilder;
  readonly #type: ScalarType;
  readonly #count: number;
  /** Of sums in blocks: the levels above the lowest, one after the other. */
  readonly #closed: ArrayDecl | null;
  /** From one of these levels to the next: the array may be of more sums. */
  readonly #stride: number;
  /** Of each level, the lowest first: one accumulator for each sum. */
  #levels: readonly (readonly KernelExpr[])[];
  /** Blocks closed so far; null where no level has 32. */
  readonly #blocks: KernelExpr | null;

  /**
   * `count` sums of at most `maxTerms` terms, all 0; in blocks with an array for those that are closed (`arrayForClosed`, of as many or
   * more sums).
   */
  constructor(
    k: KernelBuilder,
    type: ScalarType,
    count: number,
    maxTerms: number | null,
    closed: ArrayDecl | null = null,
  ) {
    this.#k = k;
    this.#type = type;
    this.#count = count;
    const levels = levelsFor(type, maxTerms);
    this.#closed = closed;
    this.#stride = closed === null ? count : closed.length / (levels - 1);
    this.#levels = Array.from({ length: levels }, (_, level) =>
      closed === null ? this.#locals() : level === 0 ? [] : this.#elements(closed, level),
    );
    for (const sum of this.#levels.slice(1).flat()) if (closed !== null) this.#set(sum, asExpr(0, type));
    this.#blocks = levels > 2 ? k.var(u32(0), 'blocks') : null;
  }

  /** Whether what they come to can be asked by a number that the run decides. */
  get areNumbered(): boolean {
    return this.#closed !== null;
  }

  /** What is to be called where a block begins, of sums in blocks. */
  get begin(): (() => void) | undefined {
    if (this.#closed === null) return undefined;
    return () => (this.#levels = [this.#locals(), ...this.#levels.slice(1)]);
  }

  /** What `Terms.visit` is to call where a block ends, if anything. */
  get close(): (() => void) | undefined {
    return this.#levels.length === 1 ? undefined : () => this.#close(1);
  }

  /** Adds a term to sum number `at`. */
  add(at: number, term: KernelExpr): void {
    const sum = this.open(at);
    this.#set(sum, add(sum, term));
  }

  /** Adds a product to sum number `at`; of vectors those of their components, the first first. */
  addProduct(at: number, x: KernelExpr, w: KernelExpr): void {
    this.addProducts(at, componentsOf(x), componentsOf(w));
  }

  /** As `addProduct`, of components that several sums share, and of several terms. */
  addProducts(at: number, x: readonly KernelExpr[], w: readonly KernelExpr[]): void {
    const sum = this.open(at);
    this.#set(sum, x.reduce((so, left, i) => add(so, mul(left, found(w[i]))), sum)); // prettier-ignore
  }

  /** What sum number `at` comes to; after the nest. */
  total(at: number): KernelExpr {
    if (this.#closed !== null) return this.totalOf(u32(at));
    return this.#levels.slice(1).reduce((sum, level) => add(found(level[at]), sum), this.open(at));
  }

  /** What numbered sums come to, of which every block is closed. */
  totalOf(at: KernelExpr): KernelExpr {
    const closed = found(this.#closed);
    const [first, ...others] = this.#levels.slice(1).map((_, i) => loadArray(closed, add(at, i * this.#stride)));
    return others.reduce((sum, level) => add(level, sum), found(first));
  }

  /** What the closed blocks of sum number `at` come to, where blocks are closed. */
  closed(at: number): KernelExpr {
    const [first, ...others] = this.#levels.slice(1).map((level) => found(level[at]));
    return others.reduce((sum, level) => add(level, sum), found(first));
  }

  /** What the open block of sum number `at` comes to. */
  open(at: number): KernelExpr {
    return found(this.#levels[0]?.[at]);
  }

  /** Enters a level's accumulators into the next one; every 32nd time that one goes on. */
  #close(into: number): void {
    const k = this.#k;
    const from = this.#levels[into - 1] ?? missing('kernels: level of sums', into - 1);
    const to = this.#levels[into] ?? missing('kernels: level of sums', into);
    for (const [at, sum] of from.entries()) {
      const above = found(to[at]);
      this.#set(above, add(above, sum));
      // Sums of a block end with it.
      if (into > 1 || this.#closed === null) this.#set(sum, asExpr(0, this.#type));
    }
    if (into + 1 >= this.#levels.length || this.#blocks === null) return;
    if (into === 1) k.assign(this.#blocks, add(this.#blocks, 1));
    const full = eq(bitAnd(this.#blocks, SUM_BLOCK ** into - 1), u32(0));
    k.when(full, () => this.#close(into + 1));
  }

  #locals(): readonly KernelExpr[] {
    return Array.from({ length: this.#count }, () => this.#k.var(asExpr(0, this.#type)));
  }

  #elements(closed: ArrayDecl, level: number): readonly KernelExpr[] {
    return Array.from({ length: this.#count }, (_, at) => loadArray(closed, (level - 1) * this.#stride + at));
  }

  #set(sum: KernelExpr, value: KernelExpr): void {
    if (sum.kind === 'load_array') this.#k.storeArray(found(this.#closed), sum.index, value);
    else this.#k.assign(sum, value);
  }
}

function found<T>(of: T | null | undefined): T {
  if (of === undefined || of === null) throw new CompilerBug('kernels', 'a sum has no accumulator');
  return of;
}

/** An array of the thread for the closed blocks of so many sums. None where blocks are of no use: one accumulator is enough. */
export function arrayForClosed(
  k: KernelBuilder,
  type: ScalarType,
  count: number,
  maxTerms: number | null,
): ArrayDecl | null {
  const levels = levelsFor(type, maxTerms);
  return levels === 1 ? null : k.array('thread', 'sums', 'f32', count * (levels - 1));
}

/** Levels of accumulators. Integers need one, and so do up to 32 terms. */
function levelsFor(type: ScalarType, maxTerms: number | null): number {
  if (type !== 'f32') return 1;
  let levels = 1;
  for (let n = maxTerms ?? Infinity; n > SUM_BLOCK && levels < SUM_LEVELS; n /= SUM_BLOCK) levels++;
  return levels;
}

/** One loop of a nest of terms: a counter from `from` to below `to`, and what is known with it. */
export interface TermLoop<S> {
  readonly from: KernelExpr;
  readonly to: KernelExpr;
  /** How often it runs, if that is known while building. */
  readonly size: number | null;
  readonly enter: (state: S, counter: KernelExpr) => S;
}

/**
 * A nest of loops, the first outermost, that closes every 32 terms. The innermost loops that make a part of 32 stay as
 * they are. The loop around them is cut into blocks, if blocks end where it ends: it is the outermost, or runs a multiple of
 * 32 terms. Else terms are counted. A round of the innermost loop may visit several terms, by which 32 can be divided.
 */
export function nestOfTerms<S>(
  k: KernelBuilder,
  loops: readonly TermLoop<S>[],
  start: S,
  body: (state: S) => void,
  close: (() => void) | undefined,
  termsOfRound: 1 | 2 | 4 = 1,
): void {
  const plain = (some: readonly TermLoop<S>[], state: S, inside: (state: S) => void): void => {
    const [loop, ...others] = some;
    if (loop === undefined) inside(state);
    else loopOf(k, loop, 1, (i) => plain(others, loop.enter(state, i), inside));
  };
  const { part, inner } = partOfBlock(loops, termsOfRound);
  const cut = loops[loops.length - inner.length - 1];
  if (close === undefined || cut === undefined) {
    plain(loops, start, body);
    return;
  }
  const outer = loops.slice(0, loops.length - inner.length - 1);
  if (outer.length === 0 || (cut.size !== null && (cut.size * part) % SUM_BLOCK === 0)) {
    plain(outer, start, (state) => {
      forBlocks(k, cut, SUM_BLOCK / part, (i) => plain(inner, cut.enter(state, i), body), close);
    });
    return;
  }
  const terms = k.var(u32(0), 'terms');
  plain([...outer, cut], start, (state) => {
    plain(inner, state, body);
    k.assign(terms, add(terms, part));
    k.when(eq(bitAnd(terms, SUM_BLOCK - 1), u32(0)), close);
  });
}

/** The innermost loops that together visit a number of terms by which 32 can be divided. */
function partOfBlock<S>(
  loops: readonly TermLoop<S>[],
  termsOfRound: number,
): {
  readonly part: number;
  readonly inner: readonly TermLoop<S>[];
} {
  let part = termsOfRound;
  let inner: readonly TermLoop<S>[] = [];
  for (const loop of [...loops].reverse()) {
    if (loop.size === null || loop.size === 0 || SUM_BLOCK % (part * loop.size) !== 0) break;
    part *= loop.size;
    inner = [loop, ...inner];
  }
  return { part, inner };
}

/** A loop that tests at its bottom if it surely runs. */
export function loopOf<S>(
  k: KernelBuilder,
  { from, to, size }: Pick<TermLoop<S>, 'from' | 'to' | 'size'>,
  step: number,
  body: (i: KernelExpr) => void,
): void {
  if (size !== null && size > 0) k.forOnce(from, to, step, body);
  else k.forRange(from, to, step, body);
}

/** A loop in blocks of so many rounds, `close` after each. */
function forBlocks<S>(
  k: KernelBuilder,
  loop: Pick<TermLoop<S>, 'from' | 'to' | 'size'>,
  rounds: number,
  body: (i: KernelExpr) => void,
  close: () => void,
): void {
  loopOf(k, loop, rounds, (first) => {
    if (rounds === 1) body(first);
    // A block has a round at least: the loop around it ends where there is none.
    else k.forOnce(first, min(add(first, rounds), loop.to), 1, body);
    close();
  });
}
