/**
 * An f32 operation on literals only is done here, and what the constructors fold.
 *
 * Before: 1.0 / 0.0      After: inf, a literal that name-infinities makes at run time
 * Before: sqrt(2.0)      After: 1.4142135
 *
 * WGSL evaluates constant expressions at shader creation and refuses an infinity, a NaN or an overflow, which the constructors
 * therefore leave alone. Subnormals, which a GPU may flush, become 0 here: the same for every GPU.
 */
import { F32_MIN_NORMAL, bitcastValue, convertValue } from '../arithmetic.ts';
import { binaryFunction, isComparison, isLogic, unaryFunction } from '../arithmetic.ts';
import { f32 } from '../make-expressions.ts';
import type { KernelExpr, Kernel } from '../kernel-ir.ts';
import { numberOf } from '../simplify.ts';
import { isNumeric } from '../kernel-typing.ts';
import { reconstructed, rewriteExprs } from './rewrite.ts';

export function evaluateConstants(kernel: Kernel): Kernel {
  return rewriteExprs(kernel, (expr) => {
    // Who wrote a kernel without the constructors has not folded what they fold.
    const folded = reconstructed(expr);
    if (folded.kind !== 'vector') return evaluated(folded);
    // The parts of a vector of constants may be new here: the constructors have just made them (simplify-vectors.ts).
    const parts = folded.parts.map(evaluated);
    return parts.every((part, i) => part === folded.parts[i]) ? folded : { ...folded, parts };
  });
}

function evaluated(expr: KernelExpr): KernelExpr {
  const value = expr.type === 'f32' && expr.kind !== 'literal' ? constantValue(expr) : undefined;
  return value === undefined ? expr : f32(Math.abs(value) < F32_MIN_NORMAL ? 0 : value);
}

function constantValue(expr: KernelExpr): number | undefined {
  switch (expr.kind) {
    case 'unary': {
      const x = numberOf(expr.operand);
      return x === undefined || expr.op === 'not' ? undefined : unaryFunction(expr.op, 'f32')(x);
    }
    case 'binary': {
      const a = numberOf(expr.left);
      const b = numberOf(expr.right);
      if (a === undefined || b === undefined || isComparison(expr.op) || isLogic(expr.op)) return undefined;
      return binaryFunction(expr.op, 'f32')(a, b);
    }
    case 'convert':
    case 'bitcast': {
      const x = numberOf(expr.operand);
      const from = expr.operand.type;
      if (x === undefined || !isNumeric(from)) return undefined;
      return expr.kind === 'convert' ? convertValue(from, 'f32', x) : bitcastValue(from, 'f32', x);
    }
    case 'fma': {
      const [a, b, c] = [expr.a, expr.b, expr.c].map(numberOf);
      if (a === undefined || b === undefined || c === undefined) return undefined;
      return Math.fround(Math.fround(a * b) + c);
    }
    default:
      return undefined;
  }
}
