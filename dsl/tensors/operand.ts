/** Operands and calls of primitives in float64: what evaluation takes and gives. */
import type { Operand, PrimitiveCall } from '../types/call.ts';
import type { F64Route } from './route.ts';
import type { F64Tensor } from './tensor.ts';

export type F64Operand = Operand<F64Tensor, F64Route>;
export type F64Call = PrimitiveCall<F64Tensor, F64Route>;
