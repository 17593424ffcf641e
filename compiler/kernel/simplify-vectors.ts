/**
 * Simplification of vectors: what WGSL would evaluate when a shader is created is done here, component by component, by the rules
 * of scalars; and a component of what was put together is what was put there.
 */
import { missing } from '../../dsl/diagnostics/invariants.ts';
import type { KernelBinaryOp, KernelExpr, VectorType } from './kernel-ir.ts';
import { scalarOf, widthOf } from './kernel-typing.ts';

/** The components of a vector of literals, else `undefined`. */
export function literalParts(expr: KernelExpr): readonly KernelExpr[] | undefined {
  if (expr.kind === 'vector') return expr.parts.every((p) => p.kind === 'literal') ? expr.parts : undefined;
  if (expr.kind !== 'splat' || expr.operand.kind !== 'literal') return undefined;
  return Array.from({ length: widthOf(expr.type) }, () => expr.operand);
}

/** An operation on vectors of literals only, as a vector of the operation on each component. */
export function foldVectors(
  type: VectorType,
  operands: readonly KernelExpr[],
  scalar: (...parts: readonly KernelExpr[]) => KernelExpr,
): KernelExpr | undefined {
  const literals = operands.map(literalParts);
  if (literals.includes(undefined)) return undefined;
  const part = (i: number): KernelExpr =>
    scalar(...literals.map((parts) => parts?.[i] ?? missing('kernel: component', i)));
  return { kind: 'vector', type, parts: Array.from({ length: widthOf(type) }, (_, i) => part(i)) };
}

/**
 * The right side of an integer operation, without the constants that are errors at shader creation: dividing by 0 is dividing by 1,
 * and a shift counts modulo 32 (arithmetic.ts).
 */
export function acceptedRight(op: KernelBinaryOp, right: KernelExpr): KernelExpr {
  const divides = (op === 'div' || op === 'rem') && scalarOf(right.type) !== 'f32';
  const accepted = (value: number): number => {
    if (divides) return value === 0 ? 1 : value;
    return op === 'shl' || op === 'shr' ? value % 32 : value;
  };
  const part = (expr: KernelExpr): KernelExpr =>
    expr.kind === 'literal' && typeof expr.value === 'number' ? { ...expr, value: accepted(expr.value) } : expr;
  if (right.kind === 'splat') return { ...right, operand: part(right.operand) };
  return right.kind === 'vector' ? { ...right, parts: right.parts.map(part) } : right;
}

/** Component `index` of `operand`, simplified. */
export function simplifyComponent(operand: KernelExpr, index: number): KernelExpr {
  if (operand.kind === 'splat') return operand.operand;
  if (operand.kind === 'vector') return operand.parts[index] ?? missing('kernel: component', index);
  return { kind: 'component', type: scalarOf(operand.type), operand, index };
}
