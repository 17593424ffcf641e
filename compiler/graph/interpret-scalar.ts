/**
 * The elementwise operations of the graph as functions of numbers, in float64: the same definitions as the reference
 * interpreter's (dsl/primitives/elementwise-*.ts), by the operation's name. Bools are 0 and 1.
 *
 * With `poison`, NaN stands for "was never computed": comparisons of it are NaN too, instead of false, so that it
 * cannot be lost on the way to a result. `and` and `or` stay what hardware does with garbage: false and x is false.
 */
import { CompilerBug } from '../../dsl/diagnostics/bug.ts';
import {
  erf,
  erfc,
  geluTanh,
  inverseRoot,
  power,
  quotient,
  rest,
  sigmoid,
} from '../../dsl/primitives/special-functions.ts';
import { roundToF16 } from '../../dsl/tensors/round-to-f16.ts';
import type { ElementType, MapOp } from './graph-ir.ts';

type Fn = (a: number, b: number, c: number) => number;

const compare =
  (test: (a: number, b: number) => boolean): Fn =>
  (a, b) =>
    test(a, b) ? 1 : 0;

const functions: Record<MapOp, Fn> = {
  neg: (x) => -x,
  not: (x) => 1 - x,
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  rsqrt: inverseRoot,
  tanh: Math.tanh,
  sigmoid,
  silu: (x) => x * sigmoid(x),
  gelu: (x) => 0.5 * x * erfc(-x / Math.SQRT2),
  gelu_tanh: geluTanh,
  relu: (x) => (x < 0 ? 0 : x),
  softplus: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  erf,
  abs: Math.abs,
  sign: Math.sign,
  floor: Math.floor,
  ceil: Math.ceil,
  sin: Math.sin,
  cos: Math.cos,
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: quotient,
  mod: rest,
  pow: power,
  eq: compare((a, b) => a === b),
  ne: compare((a, b) => a !== b),
  lt: compare((a, b) => a < b),
  le: compare((a, b) => a <= b),
  gt: compare((a, b) => a > b),
  ge: compare((a, b) => a >= b),
  and: (a, b) => (a === 0 || b === 0 ? 0 : a * b),
  or: (a, b) => (a === 1 || b === 1 ? 1 : Math.max(a, b)),
  minimum: (a, b) => Math.min(a, b),
  maximum: (a, b) => Math.max(a, b),
  where: (c, a, b) => (Number.isNaN(c) ? NaN : c !== 0 ? a : b),
  clamp: (x, low, high) => Math.min(Math.max(x, low), high),
  convert: (x) => x,
};

const integer: Partial<Record<MapOp, Fn>> = {
  mul: Math.imul,
  div: (a, b) => (b === 0 ? a : Math.floor(a / b)),
  mod: (a, b) => (b === 0 ? 0 : a - Math.floor(a / b) * b),
};

const ordering: ReadonlySet<MapOp> = new Set(['eq', 'ne', 'lt', 'le', 'gt', 'ge']);

/** A number as the element type holds it; NaN (never computed) stays what it is. */
export function keep(element: ElementType, value: number): number {
  if (Number.isNaN(value)) return value;
  switch (element) {
    case 'f32':
      return value;
    case 'f16':
      return roundToF16(value);
    case 'i32':
      return Math.trunc(value) | 0;
    case 'bool':
      return value === 0 ? 0 : 1;
  }
}

/** The function of a map; `operand` is the element type it computes in, `result` the one it gives. */
export function scalarFunction(op: MapOp, operand: ElementType, result: ElementType, poison: boolean): Fn {
  const f = (operand === 'i32' ? integer[op] : undefined) ?? functions[op];
  if (f === undefined) throw new CompilerBug('graph', `no meaning of ${op}`);
  if (poison && ordering.has(op)) return (a, b) => (Number.isNaN(a) || Number.isNaN(b) ? NaN : f(a, b, 0));
  if (poison && operand === 'i32') {
    const some = op === 'div' || op === 'mul' || op === 'mod';
    if (some) return (a, b) => (Number.isNaN(a) || Number.isNaN(b) ? NaN : keep(result, f(a, b, 0)));
  }
  return result === 'f32' ? f : (a, b, c) => keep(result, f(a, b, c));
}
