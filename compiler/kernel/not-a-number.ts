/**
 * NaN by its bits.
 *
 * WGSL may assume that there is no NaN: its `max` and `min` give the other operand, and `x != x` may be folded to false. The bits
 * say it on every driver: a float is NaN if its bits without the sign are above those of infinity. So the greatest of several
 * such numbers is itself the bits of a NaN if there is one among them, which is how a NaN passes what would drop it.
 */
import { bitAnd, bitcast, gt, max, select, u32 } from './make-expressions.ts';
import type { KernelExpr } from './kernel-ir.ts';

const MAGNITUDE = 0x7fffffff;
const INFINITY_BITS = 0x7f800000;

/** The bits of an f32 without its sign, u32: they order as the sizes of the numbers do, NaN above all. */
export function magnitudeBits(value: KernelExpr): KernelExpr {
  return bitAnd(bitcast('u32', value), u32(MAGNITUDE));
}

/** Whether bits without sign are those of a NaN. */
export function isNaNMagnitude(bits: KernelExpr): KernelExpr {
  return gt(bits, u32(INFINITY_BITS));
}

/** Whether an f32 is NaN, by its bits: right on drivers for which `x != x` is not. */
export function isNaNBits(value: KernelExpr): KernelExpr {
  return isNaNMagnitude(magnitudeBits(value));
}

/** Whether an expression may be NaN: not one that is no float, a literal, a uniform (sizes) or a converted integer. */
export function canBeNaN(expr: KernelExpr): boolean {
  if (expr.type !== 'f32') return false;
  switch (expr.kind) {
    case 'literal':
      return Number.isNaN(expr.value);
    case 'uniform':
      return false;
    case 'convert':
      return canBeNaN(expr.operand);
    case 'select':
      return canBeNaN(expr.then) || canBeNaN(expr.else);
    default:
      return true;
  }
}

/** `value`, a function of `x` that drops a NaN, made to keep it. */
export function unlessNaN(x: KernelExpr, value: KernelExpr): KernelExpr {
  return canBeNaN(x) ? select(isNaNBits(x), x, value) : value;
}

/**
 * `value`, but NaN where one of the operands is: for a `value` made of operations that drop it. `share` gives an expression in a
 * form that may be repeated; operands are repeated as they are. One comparison, whatever the number of operands.
 */
export function keepingNaN(
  operands: readonly KernelExpr[],
  value: KernelExpr,
  share: (expr: KernelExpr) => KernelExpr,
): KernelExpr {
  const [first, ...rest] = operands.filter(canBeNaN);
  if (first === undefined) return value;
  if (rest.length === 0) return unlessNaN(first, value);
  const largest = share(rest.reduce((bits, operand) => max(bits, magnitudeBits(operand)), magnitudeBits(first)));
  return select(isNaNMagnitude(largest), bitcast('f32', largest), value);
}
