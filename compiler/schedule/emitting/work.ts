/**
 * What a launch does at most, read off its kernel: float operations, and rounds of innermost loops. A sum over the statements of what
 * each does, times the rounds of the loops around it, as a formula of the sizes that the launch is given.
 *
 * Every statement is met with the frames around it: the threads, then each loop. Frames are multiplied, but for what together covers
 * a line once: 32 terms of a block and the blocks of a sum are all its terms, and the chunks of all threads are all positions.
 * A condition on the thread's number leaves so many threads, one that is true every 32nd time divides; any other is taken to hold
 * always, and of two branches the costlier counts. Rows that memory counts are as many as their bound allows. So a formula is exact
 * where neither memory nor the edge of a tile has a say, and never less than what is done.
 *
 * A loop whose limits say nothing is a bug of the family that writes it: it has to say how often it may run (`forRange`).
 */
import { CompilerBug } from '../../../dsl/diagnostics/bug.ts';
import { apply, asInteger, ceilDiv, exact, multiply, one, zero } from '../../../dsl/types/size.ts';
import type { Size } from '../../../dsl/types/size.ts';
import type { KernelExpr, KernelStmt } from '../../kernel/kernel-ir.ts';
import { expressionsOf } from '../../kernel/visit-kernel.ts';
import { floatOperations, hasLoop } from '../../kernel/kernel-facts.ts';
import type { KernelFacts } from '../../kernel/kernel-facts.ts';
import type { UniformValue } from '../memory/plan.ts';
import type { KnownKernel } from './kernel-table.ts';
import type { Ways } from './launch-builder.ts';
import { GrowingSum, larger, nothing, plus, sizeOfSum, termOf, times } from './size-sum.ts';
import type { SizeSum } from './size-sum.ts';

/** A launch, and what its kernel's text does not say. */
export interface LaunchText {
  readonly known: KnownKernel;
  readonly uniforms: readonly UniformValue[];
  readonly invocations: Size;
  /** How often a loop runs at most, by its counter. */
  readonly maxTrips: ReadonlyMap<string, number>;
  /** How far the end of a range that memory holds is from its start at most, by the local that has the end. */
  readonly spans: ReadonlyMap<string, Size>;
  /** How many threads go which way, by the bool that decides. */
  readonly ways: ReadonlyMap<string, Ways>;
}

export interface WorkDone {
  readonly flops: Size;
  readonly tripCount: Size;
}

/** How often a part of a kernel runs: once for each thread, or so often in a loop. */
type Frame =
  | { readonly kind: 'threads'; readonly first: Size; readonly size: Size }
  | { readonly kind: 'loop'; readonly size: Size; readonly span: Size; readonly loop: Loop }
  | { readonly kind: 'times'; readonly size: Size };

type Loop = Extract<KernelStmt, { readonly kind: 'for' }>;
type Branch = Extract<KernelStmt, { readonly kind: 'if' }>;

interface Tally {
  readonly flops: SizeSum;
  readonly tripCount: SizeSum;
}

/** Bytes of buffers of so many elements. */
export function bytesOf(elements: readonly Size[]): Size {
  return sizeOfSum(elements.map((n) => termOf([n], 4)).reduce(plus, nothing));
}

/** Operations on literals are none: legalisation does them. */
export function workOf(text: LaunchText): WorkDone {
  const { flops, tripCount } = new Reader(text).block(text.known.evaluated.body, [
    { kind: 'threads', first: zero, size: text.invocations },
  ]);
  return { flops: sizeOfSum(flops), tripCount: sizeOfSum(tripCount) };
}

class Reader {
  readonly #launch: LaunchText;
  readonly #facts: KernelFacts;
  readonly #uniforms: ReadonlyMap<string, Size>;
  /** Of each mutable local: the frames it is declared in, and those of its last assignment. */
  readonly #declared = new Map<string, number>();
  readonly #counted = new Map<string, readonly Frame[]>();

  constructor(launch: LaunchText) {
    this.#launch = launch;
    this.#facts = launch.known.facts;
    this.#uniforms = new Map(
      launch.known.kernel.uniforms.flatMap(({ name }, i) => {
        const value = launch.uniforms[i];
        return value?.kind === 'size' ? [[name, value.size] as const] : [];
      }),
    );
  }

  block(body: readonly KernelStmt[], frames: readonly Frame[]): Tally {
    const flops = new GrowingSum();
    const tripCount = new GrowingSum();
    const round = termOf(sizesOf(frames));
    for (const statement of body) {
      const done = this.#statement(statement, frames, round);
      flops.add(done.flops);
      tripCount.add(done.tripCount);
    }
    return { flops: flops.sum, tripCount: tripCount.sum };
  }

  /** `round`: how often it is met with these frames around it. */
  #statement(statement: KernelStmt, frames: readonly Frame[], round: SizeSum): Tally {
    if (statement.kind === 'for') return this.#loop(statement, frames);
    const own = floatOperations(expressionsOf(statement));
    const flops = own === 0 ? nothing : times(round, own);
    if (statement.kind === 'var') this.#declared.set(statement.name, frames.length);
    if (statement.kind === 'assign') this.#counted.set(statement.name, frames);
    if (statement.kind !== 'if') return { flops, tripCount: nothing };
    const ways = statement.condition.kind === 'local' ? this.#launch.ways.get(statement.condition.name) : undefined;
    if (ways !== undefined) return this.#either(statement, ways, frames);
    const then = this.block(statement.then, this.#under(statement.condition, frames));
    const rest = this.#above(statement.condition, frames);
    const otherwise = this.block(statement.else, rest ?? frames);
    const either = rest === null ? larger : plus;
    return {
      flops: plus(flops, either(then.flops, otherwise.flops)),
      tripCount: either(then.tripCount, otherwise.tripCount),
    };
  }

  /** A branch of which it is known how many threads take it. */
  #either({ then, else: otherwise }: Branch, { holds, fails, both }: Ways, frames: readonly Frame[]): Tally {
    const of = (size: Size): readonly Frame[] =>
      frames.map((f) => (f.kind === 'threads' ? { kind: 'times', size } : f));
    const [left, right] = [this.block(then, of(holds)), this.block(otherwise, of(fails))];
    const together = both ? plus : larger;
    return { flops: together(left.flops, right.flops), tripCount: together(left.tripCount, right.tripCount) };
  }

  /** The frames where a condition on the thread's number does not hold, if it is one: the threads that are left. */
  #above(test: KernelExpr, frames: readonly Frame[]): readonly Frame[] | null {
    const condition = this.#facts.condition(test);
    const limit = condition.kind === 'below' ? this.#value(condition.limit) : null;
    if (limit === null) return null;
    return frames.map((f) => {
      if (f.kind !== 'threads') return f;
      const size = apply('max', zero, apply('sub', apply('add', f.first, f.size), limit));
      return { kind: 'threads', first: limit, size };
    });
  }

  /** The frames of a branch that is taken where a condition holds. */
  #under(test: KernelExpr, frames: readonly Frame[]): readonly Frame[] {
    const condition = this.#facts.condition(test);
    switch (condition.kind) {
      case 'rows':
      case 'open':
        return frames;
      case 'one':
        return frames.map((f) => (f.kind === 'threads' ? { kind: 'times', size: one } : f));
      case 'share': {
        const { workgroupSize } = this.#launch.known.kernel;
        return frames.map((f, i) => (i > 0 ? f : shareOf(f, condition.of, workgroupSize)));
      }
      case 'below': {
        const size = this.#value(condition.limit);
        if (size === null) return frames;
        return frames.map((f) => (f.kind === 'threads' ? { ...f, size: apply('sub', size, f.first) } : f));
      }
      case 'every': {
        // The local starts anew wherever it is declared; from there on it is counted up once each time it is assigned.
        const counted = this.#counted.get(condition.local);
        const depth = this.#declared.get(condition.local);
        if (counted === undefined || depth === undefined) return frames;
        const total = multiply([exact(condition.by), ...sizesOf(counted.slice(depth))]);
        const size = apply('floor', apply('div', total, exact(condition.period)));
        return [...counted.slice(0, depth), { kind: 'times', size }];
      }
    }
  }

  #loop(loop: Loop, frames: readonly Frame[]): Tally {
    const inside = this.#inside(loop, frames);
    const done = this.block(loop.body, inside);
    return hasLoop(loop.body) ? done : { ...done, tripCount: plus(done.tripCount, termOf(sizesOf(inside))) };
  }

  /** The frames of a loop's body. */
  #inside(loop: Loop, frames: readonly Frame[]): readonly Frame[] {
    const covered = this.#covered(loop, frames) ?? this.#strided(loop, frames) ?? this.#below(loop, frames);
    if (covered !== null) return covered;
    const said = this.#launch.maxTrips.get(loop.name);
    const span = said === undefined ? this.#span(loop.from, loop.to) : exact(said);
    const step = said === undefined ? this.#value(loop.step) : one;
    if (span === null || step === null)
      throw new CompilerBug(
        'schedule',
        `how often ${loop.name} of ${this.#launch.known.kernel.name} runs is not known`,
      );
    const size = ceilDiv(span, step);
    return [...frames, { kind: 'loop', size, span, loop }];
  }

  /**
   * A loop over its share of a line, `first .. min(first + n, end)`, where the shares of the loop around it, or of all threads, are
   * the line from one end to the other: together they run as often as the line is long.
   */
  #covered(loop: Loop, frames: readonly Frame[]): readonly Frame[] | null {
    const to = this.#facts.behind(loop.to);
    if (to.kind !== 'binary' || to.op !== 'min' || !isNumber(loop.step, 1)) return null;
    const [end, limit] = [this.#facts.behind(to.left), to.right];
    if (end.kind !== 'binary' || end.op !== 'add' || !this.#facts.same(end.left, loop.from)) return null;
    const around = frames.findIndex(
      (f) =>
        f.kind === 'loop' &&
        loop.from.kind === 'local' &&
        f.loop.name === loop.from.name &&
        this.#facts.same(f.loop.step, end.right) &&
        this.#facts.same(f.loop.to, limit),
    );
    const outer = frames[around];
    if (outer?.kind === 'loop') return replaced(frames, around, { kind: 'times', size: outer.span });
    const threads = frames.findIndex((f) => f.kind === 'threads');
    const whole = this.#value(limit);
    if (threads < 0 || whole === null || !this.#isShareOf(loop.from, end.right, limit)) return null;
    return replaced(frames, threads, { kind: 'times', size: whole });
  }

  /** A loop of the threads of a workgroup, each from its own number on by as many as there are: together they go over a line once. */
  #strided(loop: Loop, frames: readonly Frame[]): readonly Frame[] | null {
    const { workgroupSize } = this.#launch.known.kernel;
    if (!this.#facts.isLocalThread(loop.from) || !isNumber(loop.step, workgroupSize)) return null;
    const threads = frames.findIndex((f) => f.kind === 'threads');
    const [frame, length] = [frames[threads], this.#value(loop.to)];
    if (frame === undefined || length === null) return null;
    const size = apply('div', multiply([frame.size, length]), exact(workgroupSize));
    return replaced(frames, threads, { kind: 'times', size });
  }

  /** Whether an expression is where a thread's share of so many begins, or the end of the line if that comes first. */
  #isShareOf(from: KernelExpr, share: KernelExpr, limit: KernelExpr): boolean {
    const start = this.#facts.behind(from);
    if (start.kind !== 'binary') return false;
    if (start.op === 'min' && this.#facts.same(start.right, limit)) return this.#isShareOf(start.left, share, limit);
    return start.op === 'mul' && this.#isThread(start.left) && this.#facts.same(start.right, share);
  }

  /** A loop over the threads before one's own: n (n - 1) / 2 rounds in all. */
  #below(loop: Loop, frames: readonly Frame[]): readonly Frame[] | null {
    if (!isNumber(loop.from, 0) || !isNumber(loop.step, 1) || !this.#isThread(loop.to)) return null;
    const threads = frames.findIndex((f) => f.kind === 'threads');
    const frame = frames[threads];
    if (frame === undefined) return null;
    const pairs = multiply([frame.size, apply('sub', frame.size, one)]);
    return replaced(frames, threads, { kind: 'times', size: apply('div', pairs, exact(2)) });
  }

  /** Whether an expression numbers all threads there are. */
  #isThread(expr: KernelExpr): boolean {
    const single = asInteger(this.#launch.invocations) === this.#launch.known.kernel.workgroupSize;
    return this.#facts.isThread(expr) || (single && this.#facts.isLocalThread(expr));
  }

  /** How far `to` is from `from` at most; null where that cannot be seen. */
  #span(from: KernelExpr, to: KernelExpr): Size | null {
    const said = to.kind === 'local' ? this.#launch.spans.get(to.name) : undefined;
    if (said !== undefined) return said;
    if (this.#facts.same(from, to)) return zero;
    const end = this.#facts.behind(to);
    if (end.kind === 'binary' && end.op === 'min') return this.#span(from, end.left) ?? this.#span(from, end.right);
    if (end.kind === 'binary' && end.op === 'add') {
      const before = this.#span(from, end.left);
      const more = this.#value(end.right);
      if (before !== null && more !== null) return apply('add', before, more);
    }
    const [first, last] = [this.#value(from), this.#value(to)];
    return first === null || last === null ? null : apply('sub', last, first);
  }

  /** The size an integer expression is, the same for all threads; null where it is not one. */
  #value(expr: KernelExpr): Size | null {
    const value = this.#facts.behind(expr);
    if (value.kind === 'literal') return typeof value.value === 'number' ? exact(value.value) : null;
    if (value.kind === 'uniform') return this.#uniforms.get(value.name) ?? null;
    if (value.kind !== 'binary' || value.type === 'f32') return null;
    const { op } = value;
    if (op !== 'add' && op !== 'sub' && op !== 'mul' && op !== 'div' && op !== 'min' && op !== 'max') return null;
    const [left, right] = [this.#value(value.left), this.#value(value.right)];
    if (left === null || right === null) return null;
    if (op !== 'div') return apply(op, left, right);
    const up = this.#roundedUp(value.left, right);
    return up === null ? apply('floor', apply('div', left, right)) : ceilDiv(up, right);
  }

  /** What `x + (n - 1)` has for x: divided by n it is x / n rounded up. */
  #roundedUp(expr: KernelExpr, by: Size): Size | null {
    const value = this.#facts.behind(expr);
    const n = asInteger(by);
    if (n === null || value.kind !== 'binary' || value.op !== 'add') return null;
    return isNumber(this.#facts.behind(value.right), n - 1) ? this.#value(value.left) : null;
  }
}

/** So many threads of each workgroup, of all that a frame has. */
function shareOf({ size }: Frame, threads: number, workgroup: number): Frame {
  return { kind: 'times', size: apply('div', multiply([size, exact(threads)]), exact(workgroup)) };
}

function sizesOf(frames: readonly Frame[]): readonly Size[] {
  return frames.map((f) => f.size);
}

function replaced(frames: readonly Frame[], at: number, frame: Frame): readonly Frame[] {
  return frames.map((f, i) => (i === at ? frame : f));
}

function isNumber(expr: KernelExpr, value: number): boolean {
  return expr.kind === 'literal' && expr.value === value;
}
