/**
 * What a primitive of the language is: its names, its parameters, its typing rule, its meaning in float64, its
 * documentation. Each primitive is one value of type `Primitive`; `primitive-table.ts` lists them all.
 *
 * The life of a call, `softmax(s, over: E)`:
 *   1. the checker finds the candidates of a name (`primitivesNamed` in primitive-table.ts), binds written arguments to
 *      parameters, and asks `infer`, which answers with a type or with one problem in the program's axis names;
 *   2. `infer` may fill in what was left out (`over:` of a tensor of one axis): the program holds the full form;
 *   3. when sizes are known, instantiation (dsl/meaning) checks that they fit;
 *   4. the interpreter calls `evaluate`; the compiler has a lowering for each `PrimitiveName`.
 *
 * Typing sees visible axes only, as `AxisVar`s, compared by declaration and primes. Evaluation sees concrete axes,
 * carried ones included, so an evaluation never assumes that its operands have only the axes that typing saw.
 */
import type { Code } from '../diagnostics/diagnostic.ts';
import type { F64Call, F64Operand } from '../tensors/operand.ts';
import type { AxisVar, ElementType, ValueType } from '../types/program.ts';
import type { Axis } from '../types/axis.ts';
import type { PrimitiveName } from '../types/primitive-names.ts';

/**
 * A parameter. `value` is a tensor or route operand, `axes` one axis or several, `static` a number or bool known at
 * elaboration, `either` a static if the argument is one, else a value (the k of `top_k`).
 */
export interface Parameter {
  readonly name: string;
  readonly kind: 'value' | 'axes' | 'static' | 'either';
  /** May be given by position (in the order of the list) as well as by name. */
  readonly positional: boolean;
  readonly optional: boolean;
  /** Takes a tuple too: its items are the operands `name0`, `name1`, … (a single value is `name0`). */
  readonly many?: boolean;
  /** A literal or size given here is this element type; otherwise it adopts what the other operands have, or f32. */
  readonly element?: ElementType;
  /** Says nothing of the element type of the others: keys that something is ordered by. */
  readonly apart?: boolean;
  readonly documentation: string;
}

export interface Documentation {
  /** One line: what it gives. */
  readonly summary: string;
  /** The rest: axes, edges, what happens to routes. */
  readonly detail: string;
  /** A line or two of .moe. */
  readonly example: string;
  /** Paper or source of the operation, when there is one. */
  readonly source?: string;
}

/**
 * How a call is written: `a + b` (operator), `f(x, over: E)` (call), `zeros[H]` (made), `x[T: 0]` (index), or with
 * `left: right` pairs of axes, `rename(x, T: T')`: then `pairs` names the axes parameters of the two sides.
 */
export type Syntax = 'operator' | 'call' | 'made' | 'index' | 'pairs';

/** A call as the typing rule sees it: arguments that were left out are absent keys. */
export interface TypeCall {
  readonly args: ReadonlyMap<string, ValueType>;
  readonly axes: ReadonlyMap<string, readonly AxisVar[]>;
  readonly attributes: ReadonlySet<string>;
  /** `convert`: the element type it names. Untyped primitives: what the context wants, null if nothing does. */
  readonly element: ElementType | null;
  nameOf(axis: AxisVar): string;
}

/** A type, and the axes parameters that were left out and have a default. */
export interface Inferred {
  readonly type: ValueType;
  readonly axes?: ReadonlyMap<string, readonly AxisVar[]>;
}

/** What is wrong with a call. The message is one lower-case sentence without a full stop. */
export interface TypeProblem {
  readonly code: Code;
  readonly message: string;
  /** The parameter whose argument is at fault; the whole call if absent. */
  readonly at?: string;
  readonly help?: string;
}

/** What an evaluation may use and report to. */
export interface EvaluationContext {
  readonly seed: number;
  /** What stands at absent points of a route: 0, or NaN when poisoned. It must never influence a result. */
  readonly absent: number;
  /** The result is meaningless at one point of `axes` (at everything over them); reported if that is needed. */
  problem(code: Code, message: string, axes: readonly Axis[], point: readonly number[]): void;
  /** Assignments that `limit` or `slots` dropped. */
  dropped(count: number): void;
}

export interface Primitive {
  readonly name: PrimitiveName;
  /** What it is called in the language (`max` is a reduction and, of two values, elementwise); operators by their sign. */
  readonly surface: readonly string[];
  readonly syntax: Syntax;
  readonly pairs?: { readonly left: string; readonly right: string };
  readonly parameters: readonly Parameter[];
  /** The element type of the result is what the context wants (`element` of the call), f32 if it wants nothing. */
  readonly untyped: boolean;
  /** The parameter with which it does not: what gives the result its numbers, and with them its element type. */
  readonly unless?: string;
  readonly documentation: Documentation;
  infer(call: TypeCall): Inferred | TypeProblem;
  evaluate(call: F64Call, run: EvaluationContext): F64Operand;
}

export function isProblem<T>(answer: T | TypeProblem): answer is TypeProblem {
  return typeof answer === 'object' && answer !== null && 'code' in answer && 'message' in answer;
}
