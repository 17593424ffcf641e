/**
 * The syntax of expressions: literals, names, calls, subscripts, operators, tuples, chains and `if`.
 *
 * One kind for each way of writing, not for each meaning: `x[T: 0]` and `ffn[e]` are both an `Index`, `a |> f` is not yet
 * a call. What is meant is found out by the checker. See ast.ts for the invariants of the tree.
 */
import type { AxisName, Body, Ident, Node, Pattern, TypeExpr } from './ast.ts';

export type Expr =
  | NumberLiteral
  | StringLiteral
  | BoolLiteral
  | NameExpr
  | Call
  | IndexExpr
  | PathExpr
  | Unary
  | Binary
  | Compare
  | Logical
  | Dot
  | Pipe
  | Tuple
  | RecordExpr
  | Chain
  | If
  | ErrorExpr;

/**
 * `text` is exactly as written: sizes and constants are exact rationals, to be read from it. `value` is the nearest
 * float64.
 */
export interface NumberLiteral extends Node {
  readonly kind: 'Number';
  readonly text: string;
  readonly value: number;
}

/** `value` has its escapes resolved. */
export interface StringLiteral extends Node {
  readonly kind: 'String';
  readonly value: string;
}

export interface BoolLiteral extends Node {
  readonly kind: 'Bool';
  readonly value: boolean;
}

/**
 * `x`, `E`, `T'`: a value, a constant, an axis (as a size, or where an axis is meant), a family. Primes: certainly an
 * axis.
 */
export interface NameExpr extends Node {
  readonly kind: 'Name';
  readonly name: string;
  readonly primes: number;
}

/** `f(x, over: E)`. `f` is a name, an indexed family, a path. */
export interface Call extends Node {
  readonly kind: 'Call';
  readonly callee: Expr;
  readonly args: readonly Arg[];
}

/** `x`, `over: E`, `T: T'`, `E: (G, M)`, `(A, B): C`. */
export interface Arg extends Node {
  readonly label?: ArgLabel;
  readonly value: Expr;
}

/**
 * What stands left of `:`. `over` and the axis `T` look alike (`Name`); only an axis has primes. `Axes` is `(A, B)`.
 */
export type ArgLabel = NameLabel | AxesLabel;

export interface NameLabel extends Node {
  readonly kind: 'NameLabel';
  readonly name: string;
  readonly primes: number;
}

export interface AxesLabel extends Node {
  readonly kind: 'AxesLabel';
  readonly axes: readonly AxisName[];
}

/** `x[T: 0]`, `ffn[a .. b as W]`, `mix[l]`, `normal[]`, `uniform[T, E]`. */
export interface IndexExpr extends Node {
  readonly kind: 'Index';
  readonly target: Expr;
  readonly indices: readonly Index[];
}

/** `[axis:] index [.. to as AXIS]` */
export interface Index extends Node {
  /** The axis indexed, if it is written. */
  readonly axis?: AxisName;
  /** The index, or the start of the range. */
  readonly index: Expr;
  readonly range?: IndexRange;
}

export interface IndexRange {
  readonly to: Expr;
  /** The axis the range makes. */
  readonly as: AxisName;
}

/** `ffn.w1` */
export interface PathExpr extends Node {
  readonly kind: 'Path';
  readonly target: Expr;
  readonly name: Ident;
}

export interface Unary extends Node {
  readonly kind: 'Unary';
  readonly op: '-' | 'not';
  readonly operand: Expr;
}

export type BinaryOp = '+' | '-' | '*' | '/' | '%' | '**';

/** Elementwise arithmetic. */
export interface Binary extends Node {
  readonly kind: 'Binary';
  readonly op: BinaryOp;
  readonly left: Expr;
  readonly right: Expr;
}

export type CompareOp = '==' | '!=' | '<' | '<=' | '>' | '>=';

export interface Compare extends Node {
  readonly kind: 'Compare';
  readonly op: CompareOp;
  readonly left: Expr;
  readonly right: Expr;
}

export interface Logical extends Node {
  readonly kind: 'Logical';
  readonly op: 'and' | 'or';
  readonly left: Expr;
  readonly right: Expr;
}

/** `left @ right`: contraction. */
export interface Dot extends Node {
  readonly kind: 'Dot';
  readonly left: Expr;
  readonly right: Expr;
}

/**
 * `input |> f(a)` means `f(input, a)`. The callee is a name, indexed or not; a bare name is a call without further
 * arguments.
 */
export interface Pipe extends Node {
  readonly kind: 'Pipe';
  readonly input: Expr;
  readonly callee: Expr;
  readonly args: readonly Arg[];
}

/** `(a, b)`: two items or more. */
export interface Tuple extends Node {
  readonly kind: 'Tuple';
  readonly items: readonly Expr[];
}

/** `(y: e, r: f)`, only as the result of a body. Never empty. */
export interface RecordExpr extends Node {
  readonly kind: 'Record';
  readonly fields: readonly RecordField[];
}

export interface RecordField extends Node {
  readonly name: Ident;
  readonly value: Expr;
}

/** `chain l in L carrying (x, h: [H] = 0) collecting p { … }` */
export interface Chain extends Node {
  readonly kind: 'Chain';
  readonly index: Ident;
  readonly axis: AxisName;
  /** Never empty. */
  readonly carries: readonly Carry[];
  readonly collecting?: Pattern;
  readonly body: Body;
}

/** `x` alone is written for `x = x`: `initial` is absent then. */
export interface Carry extends Node {
  readonly name: Ident;
  readonly type?: TypeExpr;
  readonly initial?: Expr;
}

/** `if c { … } else { … }`; `else if` is an If. */
export interface If extends Node {
  readonly kind: 'If';
  readonly condition: Expr;
  readonly then: Body;
  readonly otherwise: Body | If;
}

/** A hole left by a syntax error that has been reported. */
export interface ErrorExpr extends Node {
  readonly kind: 'Error';
}
