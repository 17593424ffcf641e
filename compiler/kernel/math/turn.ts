/**
 * sin and cos of any finite angle, within 4u absolutely (u = 2^-24), for f32 angles and for wide ones (wide.ts).
 *
 * The angle is reduced in integers (Payne, Hanek 1983): of angle · 1/(2π), whose whole part is dropped, 64 bits of the fraction are
 * kept, from as many bits of 1/(2π) as the exponent asks for. So 10^38 is no worse than 10, and nothing depends on how a driver
 * rounds. Angles below π/4 are not reduced, so that sin x of a small x keeps its digits. The rest is at most an eighth of a turn, for
 * which the polynomials of Cephes (sinf, cosf; S. Moshier) do. Results lie in [-1, 1]. NaN of infinities and of NaN.
 */
import {
  add, bitAnd, bitOr, bitcast, convert, eq, f32, ge, i32, lt, max, min, mul, neg, select, shl, shr, sub, u32,
} from '../make-expressions.ts'; // prettier-ignore
import type { KernelExpr } from '../kernel-ir.ts';
import type { KernelBuilder } from '../kernel-builder.ts';
import { magnitudeBits } from '../not-a-number.ts';
import { numberOf } from '../simplify.ts';
import { polynomial } from './polynomial.ts';
import type { Wide } from './wide.ts';
import { wideOfFloat } from './wide.ts';
import { difference, either, product, sum, ZERO } from './words.ts';
import type { Pair } from './words.ts';

/** 1/(2π), two words of nothing before the point and eight behind it. */
const TURN: readonly number[] = [
  0, 0, 0x28be60db, 0x9391054a, 0x7f09d5f4, 0x7d4d3770, 0x36d8a566, 0x4f10e410, 0x7f9458ea, 0xf7aef158,
]; // prettier-ignore

/** An angle less whole quarter turns: their number, 0 to 3, and the rest, at most π/4 in size. */
export interface Turned {
  readonly quarters: KernelExpr;
  readonly rest: KernelExpr;
  readonly finite: KernelExpr;
}

/** `angle`, whose exact value is `wide` where it was rounded on the way. */
export function turned(k: KernelBuilder, angle: KernelExpr, wide?: Wide): Turned {
  const x = k.let(angle);
  const size = k.let(magnitudeBits(x));
  const exact = wide ?? wideOfFloat(k, x);
  const parts = [fractionOf(k, exact.hi, sub(exact.exponent, i32(32)))];
  if (numberOf(exact.lo) !== 0) parts.push(fractionOf(k, exact.lo, sub(exact.exponent, i32(64))));
  const turns = parts.reduce((all, part) => sum(k, all, part));
  const { quarters, rest } = ofTurns(k, either(k, exact.negative, difference(k, ZERO, turns), turns));
  const small = k.let(lt(size, u32(0x3f490fdb)));
  return {
    quarters: k.let(select(small, u32(0), quarters)),
    rest: k.let(select(small, x, rest)),
    finite: k.let(lt(size, u32(0x7f800000))),
  };
}

/** The fraction of m · 2^places / (2π), in units of 2^-64 of a turn. */
function fractionOf(k: KernelBuilder, m: KernelExpr, bits: KernelExpr): Pair {
  // Bits of 1/(2π) before this one give whole turns. Beyond 2^96, where no f32 is, the last ones stand for all.
  const start = k.let(bitcast('u32', min(max(add(bits, i32(64)), i32(0)), i32(160))));
  const [word, bit] = [k.let(shr(start, u32(5))), k.let(bitAnd(start, u32(31)))];
  const at = (j: number): KernelExpr => {
    const words = TURN.slice(j, j + 6).map((w) => u32(w));
    const last = words.pop() ?? u32(0);
    return k.let(words.reduceRight((rest, w, i) => select(eq(word, u32(i)), w, rest), last));
  };
  const window = [0, 1, 2, 3].map(at);
  const [b0, b1, b2] = [0, 1, 2].map((j) => {
    const [high, low] = [window[j] ?? u32(0), window[j + 1] ?? u32(0)];
    return k.let(bitOr(shl(high, bit), shr(shr(low, u32(1)), sub(u32(31), bit))));
  });
  if (b0 === undefined || b1 === undefined || b2 === undefined) return ZERO;
  const middle = product(k, m, b1);
  const low = product(k, m, b2);
  const whole: Pair = { hi: k.let(add(k.let(mul(m, b0)), middle.hi)), lo: middle.lo };
  return sum(k, whole, { hi: u32(0), lo: low.hi });
}

/** A fraction of a turn as quarters and a rest. */
function ofTurns(k: KernelBuilder, turns: Pair): { quarters: KernelExpr; rest: KernelExpr } {
  const quarters = k.let(shr(add(turns.hi, u32(0x20000000)), u32(30)));
  const rest = k.let(bitcast('i32', sub(turns.hi, shl(quarters, u32(30)))));
  const float = add(mul(convert('f32', rest), f32(2 ** -32)), mul(convert('f32', turns.lo), f32(2 ** -64)));
  return { quarters, rest: k.let(mul(float, f32(2 * Math.PI))) };
}

/** A turn's fraction in units of 2^-32: for numbers that are made as turns. */
export function turnedBy(k: KernelBuilder, turns: KernelExpr): Turned {
  const { quarters, rest } = ofTurns(k, { hi: turns, lo: u32(0) });
  return { quarters, rest, finite: eq(u32(0), u32(0)) };
}

export const sine = (k: KernelBuilder, turned: Turned): KernelExpr => wave(k, turned, 0);
export const cosine = (k: KernelBuilder, turned: Turned): KernelExpr => wave(k, turned, 1);

/** sin(rest + (quarters + more) · π/2). */
function wave(k: KernelBuilder, { quarters, rest, finite }: Turned, more: number): KernelExpr {
  const z = k.let(mul(rest, rest));
  const odd = polynomial(k, z, [-1.6666654611e-1, 8.3321608736e-3, -1.9515295891e-4]);
  const even = polynomial(k, z, [4.166664568298827e-2, -1.388731625493765e-3, 2.443315711809948e-5]);
  const sin = k.let(add(mul(mul(odd, z), rest), rest));
  const cos = k.let(add(mul(mul(even, z), z), sub(f32(1), mul(z, 0.5))));
  const n = k.let(bitAnd(add(quarters, u32(more)), u32(3)));
  const value = k.let(select(eq(bitAnd(n, u32(1)), u32(0)), sin, cos));
  const signed = k.let(select(ge(n, u32(2)), neg(value), value));
  return k.let(select(finite, signed, f32(NaN)));
}
