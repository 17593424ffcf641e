/**
 * Numbers with 64 significant bits, in integers: what an angle or an exponent needs, whose rounding to f32 would show.
 *
 * A wide number is ± (hi · 2^32 + lo) · 2^(exponent - 64), with the top bit of `hi` set; 0 has no bit set. Each operation is within
 * a few units of 2^-62 of its result. Nothing here is float arithmetic, so no driver can reassociate, fuse or flush it.
 *
 * There are no infinities: operands are finite; what becomes of others is for the caller.
 */
import {
  add, and, bitAnd, bitOr, bitcast, bool, convert, div, eq, f32, ge, gt, i32, lt, max, min, ne, neg, or, select, shl, shr,
  sub, u32,
} from '../make-expressions.ts'; // prettier-ignore
import type { KernelExpr } from '../kernel-ir.ts';
import type { KernelBuilder } from '../kernel-builder.ts';
import { boolOf, numberOf } from '../simplify.ts';
import { scaled } from './scale.ts';
import { difference, either, leadingZeros, leadingZerosOf, shiftedDown, shiftedUp, sum, upper, upperPair, ZERO } from './words.ts'; // prettier-ignore
import type { Pair } from './words.ts';

export interface Wide extends Pair {
  readonly negative: KernelExpr;
  readonly exponent: KernelExpr;
}

const NOTHING: Wide = { ...ZERO, negative: bool(false), exponent: i32(0) };
/** Below every exponent that occurs: what is 0 is added to nothing. */
const LOWEST = -100_000;

/** A number known when compiling: 53 bits of it. */
export function wideConstant(value: number): Wide {
  return constantOf(value < 0, ...bitsOf(Math.abs(value)));
}

/** 1 / value, to 64 bits; `value` is not 0. */
export function wideReciprocal(value: number): Wide {
  const [significand, exponent] = bitsOf(Math.abs(value));
  // significand is in [2^63, 2^64): 2^127 / significand is in (2^63, 2^64].
  const quotient = (1n << 127n) / significand;
  const whole = quotient >= 1n << 64n;
  return constantOf(value < 0, whole ? 1n << 63n : quotient, whole ? 2 - exponent : 1 - exponent);
}

function constantOf(negative: boolean, significand: bigint, exponent: number): Wide {
  if (significand === 0n) return NOTHING;
  const [hi, lo] = [significand >> 32n, significand & 0xffffffffn].map(Number);
  return { hi: u32(hi ?? 0), lo: u32(lo ?? 0), negative: bool(negative), exponent: i32(exponent) };
}

/** A positive number as significand in [2^63, 2^64) and exponent: significand · 2^(exponent - 64). */
function bitsOf(value: number): [bigint, number] {
  if (value === 0) return [0n, 0];
  let exponent = Math.floor(Math.log2(value)) + 1;
  // Math.log2 may be off by one beside a power of two.
  while (value >= 2 ** exponent) exponent++;
  while (value < 2 ** (exponent - 1)) exponent--;
  return [BigInt((value / 2 ** exponent) * 2 ** 53) << 11n, exponent];
}

/** A finite f32; subnormal ones included. */
export function wideOfFloat(k: KernelBuilder, value: KernelExpr): Wide {
  const known = numberOf(value);
  if (known !== undefined) return wideConstant(known);
  const bits = k.let(bitcast('u32', value));
  const field = k.let(bitAnd(shr(bits, u32(23)), u32(255)));
  const fraction = k.let(shl(bitAnd(bits, u32(0x7fffff)), u32(8)));
  const zeros = leadingZeros(k, fraction);
  const small = k.let(eq(field, u32(0)));
  const nothing = and(small, eq(fraction, u32(0)));
  const hi = select(
    small,
    select(eq(fraction, u32(0)), u32(0), shl(fraction, zeros)),
    bitOr(fraction, u32(0x80000000)),
  );
  const exponent = select(small, sub(i32(-125), convert('i32', zeros)), sub(convert('i32', field), i32(126)));
  return {
    hi: k.let(hi),
    lo: u32(0),
    negative: k.let(ge(bits, u32(0x80000000))),
    exponent: k.let(select(nothing, i32(LOWEST), exponent)),
  };
}

/** An i32, exactly. */
export function wideOfInteger(k: KernelBuilder, value: KernelExpr): Wide {
  const known = numberOf(value);
  if (known !== undefined) return wideConstant(known);
  const whole = value.type === 'i32' ? value : convert('i32', value);
  const negative = k.let(lt(whole, i32(0)));
  const size = k.let(bitcast('u32', select(negative, neg(whole), whole)));
  const zeros = leadingZeros(k, size);
  const nothing = eq(size, u32(0));
  return {
    hi: k.let(select(nothing, u32(0), shl(size, zeros))),
    lo: u32(0),
    negative,
    exponent: k.let(select(nothing, i32(LOWEST), sub(i32(32), convert('i32', zeros)))),
  };
}

export function wideNegated(a: Wide): Wide {
  const known = boolOf(a.negative);
  return { ...a, negative: known === undefined ? eq(a.negative, bool(false)) : bool(!known) };
}

export function wideProduct(k: KernelBuilder, a: Wide, b: Wide): Wide {
  if (numberOf(a.hi) === 0 || numberOf(b.hi) === 0) return NOTHING;
  const whole = upperPair(k, a, b);
  const full = k.let(ge(whole.hi, u32(0x80000000)));
  const doubled = { hi: bitOr(shl(whole.hi, u32(1)), shr(whole.lo, u32(31))), lo: shl(whole.lo, u32(1)) };
  const nothing = eq(whole.hi, u32(0));
  const exponent = add(a.exponent, b.exponent);
  return {
    ...either(k, full, whole, doubled),
    negative: k.let(ne(a.negative, b.negative)),
    exponent: k.let(select(nothing, i32(LOWEST), select(full, exponent, sub(exponent, i32(1))))),
  };
}

export function wideSum(k: KernelBuilder, a: Wide, b: Wide): Wide {
  const first = k.let(ge(a.exponent, b.exponent));
  const [large, small] = [either(k, first, a, b), either(k, first, b, a)];
  const top = k.let(max(a.exponent, b.exponent));
  const apart = convert('u32', min(sub(top, min(a.exponent, b.exponent)), i32(64)));
  // One place down makes room for a carry.
  const one = shiftedDown(k, large, u32(1));
  const other = shiftedDown(k, small, add(apart, u32(1)));
  const opposite = k.let(ne(a.negative, b.negative));
  const added = either(k, opposite, difference(k, one, other), sum(k, one, other));
  // Of nearly equal sizes the second may be the larger one: the difference then has its sign.
  const turned = k.let(and(opposite, ge(added.hi, u32(0x80000000))));
  const size = either(k, turned, difference(k, ZERO, added), added);
  const zeros = leadingZerosOf(k, size);
  return {
    ...shiftedUp(k, size, zeros),
    negative: k.let(ne(select(first, a.negative, b.negative), turned)),
    exponent: k.let(select(ge(zeros, u32(64)), i32(LOWEST), sub(add(top, i32(1)), convert('i32', zeros)))),
  };
}

/** a / b for b not 0: Newton's steps from an f32 reciprocal, each of which doubles the digits. */
export function wideQuotient(k: KernelBuilder, a: Wide, b: Wide): Wide {
  const unit: Wide = { ...b, exponent: i32(0), negative: bool(false) };
  let inverse = wideOfFloat(k, k.let(div(f32(1), f32Of(k, unit))));
  for (let step = 0; step < 2; step++) {
    const rest = wideSum(k, wideConstant(1), wideNegated(wideProduct(k, unit, inverse)));
    inverse = wideSum(k, inverse, wideProduct(k, inverse, rest));
  }
  const whole: Wide = { ...inverse, exponent: k.let(sub(inverse.exponent, b.exponent)), negative: b.negative };
  return wideProduct(k, a, whole);
}

/** The nearest f32, or a neighbour of it; infinity if it is too large. */
export function f32Of(k: KernelBuilder, a: Wide): KernelExpr {
  const size = scaled(k, convert('f32', a.hi), sub(a.exponent, i32(32)));
  return k.let(select(a.negative, neg(size), size));
}

/** 2^(k/16) · 2^63, rounded down. */
const SIXTEENTHS: readonly bigint[] = [
  0x8000000000000000n, 0x85aac367cc487b14n, 0x8b95c1e3ea8bd6e6n, 0x91c3d373ab11c336n, 0x9837f0518db8a96fn, 0x9ef5326091a111adn,
  0xa5fed6a9b15138ean, 0xad583eea42a14ac6n, 0xb504f333f9de6484n, 0xbd08a39f580c36ben, 0xc5672a115506daddn, 0xce248c151f8480e3n,
  0xd744fccad69d6af4n, 0xe0ccdeec2a94e111n, 0xeac0c6e7dd24392en, 0xf5257d152486cc2cn,
]; // prettier-ignore

/** One of sixteen words, by four bits. */
function chosen(k: KernelBuilder, words: readonly KernelExpr[], index: KernelExpr): KernelExpr {
  let rest = words;
  for (let bit = 0; rest.length > 1; bit++) {
    const odd = k.let(eq(bitAnd(shr(index, u32(bit)), u32(1)), u32(1)));
    rest = rest.flatMap((even, i) => (i % 2 === 0 ? [k.let(select(odd, rest[i + 1] ?? even, even))] : []));
  }
  return rest[0] ?? u32(0);
}

const LN2: Pair = { hi: u32(0xb17217f7), lo: u32(0xd1cf79ab) };

/** 2^a to within 2^-44 of itself; an exponent beyond ±2^12 stands for any further out. */
export function widePower2(k: KernelBuilder, a: Wide): Wide {
  // a = whole + fraction, the fraction in units of 2^-64.
  const exponent = k.let(min(a.exponent, i32(12)));
  const inside = k.let(gt(exponent, i32(0)));
  const bits = k.let(convert('u32', max(exponent, i32(0))));
  const above = k.let(select(inside, shr(a.hi, sub(u32(32), bits)), u32(0)));
  const below = either(
    k,
    inside,
    shiftedUp(k, a, bits),
    shiftedDown(k, a, convert('u32', min(neg(min(exponent, i32(0))), i32(64)))),
  );
  const some = k.let(or(ne(below.hi, u32(0)), ne(below.lo, u32(0))));
  const whole = convert('i32', above);
  const downward = k.let(select(some, sub(i32(-1), whole), neg(whole)));
  const fraction = either(k, a.negative, difference(k, ZERO, below), below);
  const step = k.let(shr(fraction.hi, u32(28)));

  // 2^rest = exp(z) for rest < 1/16: z < 2^-4.5, in units of 2^-64.
  const rest: Pair = { hi: k.let(bitAnd(fraction.hi, u32(0x0fffffff))), lo: fraction.lo };
  const z = upperPair(k, rest, LN2);
  const unit = (value: number): KernelExpr => u32(Math.round(value * 2 ** 32));
  const tail = [1 / 720, 1 / 120, 1 / 24, 1 / 6].map(unit);
  const cubic = tail.reduce((sum, c) => k.let(add(c, upper(k, sum, z.hi))), unit(1 / 5040));
  const half = sum(k, { hi: u32(0x80000000), lo: u32(0) }, upperPair(k, z, { hi: cubic, lo: u32(0) }));
  const more = sum(k, z, upperPair(k, upperPair(k, z, z), half));

  const [highs, lows] = [(s: bigint) => s >> 32n, (s: bigint) => s & 0xffffffffn].map((part) =>
    SIXTEENTHS.map((s) => u32(Number(part(s)))),
  );
  const table: Pair = { hi: chosen(k, highs ?? [], step), lo: chosen(k, lows ?? [], step) };
  const power = sum(k, table, upperPair(k, table, more));
  // Below 2 by definition, but next to it the error may carry it over: then it is 2.
  const over = k.let(lt(power.hi, u32(0x80000000)));
  const exponentOf = add(select(a.negative, downward, whole), select(over, i32(2), i32(1)));
  return {
    hi: k.let(select(over, u32(0x80000000), power.hi)),
    lo: k.let(select(over, u32(0), power.lo)),
    negative: bool(false),
    exponent: k.let(exponentOf),
  };
}
