/**
 * The syntax of expressions: literals, names, calls, subscripts, operators, tuples, chains and `if`.
 *
 * One kind for each way of writing, not for each meaning: `x[T: 0]` and `ffn[e]` are both an `Index`, `a |> f` is not yet
 * a call. What is meant is found out by the checker. See ast.ts for the invariants of the tree.
 */
import type { AxisName, Body, Ident, AstNode, Pattern, TypeExpr } from './ast.ts';

export type AstExpr =
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
export interface NumberLiteral extends AstNode {
  readonly kind: 'Number';
  readonly text: string;
  readonly value: number;
}

/** `value` has its escapes resolved. */
export interface StringLiteral extends AstNode {
  readonly kind: 'String';
  readonly value: string;
}

export interface BoolLiteral extends AstNode {
  readonly kind: 'Bool';
  readonly value: boolean;
}

/**
 * `x`, `E`, `T'`: a value, a constant, an axis (as a size, or where an axis is meant), a family. Primes: certainly an
 * axis.
 */
export interface NameExpr extends AstNode {
  readonly kind: 'Name';
  readonly name: string;
  readonly primes: number;
}

/** `f(x, over: E)`. `f` is a name, an indexed family, a path. */
export interface Call extends AstNode {
  readonly kind: 'Call';
  readonly callee: AstExpr;
  readonly args: readonly Arg[];
}

/** `x`, `over: E`, `T: T'`, `E: (G, M)`, `(A, B): C`. */
export interface Arg extends AstNode {
  readonly label?: ArgLabel;
  readonly value: AstExpr;
}

/**
 * What stands left of `:`. `over` and the axis `T` look alike (`Name`); only an axis has primes. `Axes` is `(A, B)`.
 */
export type ArgLabel = NameLabel | AxesLabel;

export interface NameLabel extends AstNode {
  readonly kind: 'NameLabel';
  readonly name: string;
  readonly primes: number;
}

export interface AxesLabel extends AstNode {
  readonly kind: 'AxesLabel';
  readonly axes: readonly AxisName[];
}

/** `x[T: 0]`, `ffn[a .. b as W]`, `mix[l]`, `normal[]`, `uniform[T, E]`. */
export interface IndexExpr extends AstNode {
  readonly kind: 'Index';
  readonly target: AstExpr;
  readonly indices: readonly Index[];
}

/** `[axis:] index [.. to as AXIS]` */
export interface Index extends AstNode {
  /** The axis indexed, if it is written. */
  readonly axis?: AxisName;
  /** The index, or the start of the range. */
  readonly index: AstExpr;
  readonly range?: IndexRange;
}

export interface IndexRange {
  readonly to: AstExpr;
  /** The axis the range makes. */
  readonly as: AxisName;
}

/** `ffn.w1` */
export interface PathExpr extends AstNode {
  readonly kind: 'Path';
  readonly target: AstExpr;
  readonly name: Ident;
}

export interface Unary extends AstNode {
  readonly kind: 'Unary';
  readonly op: '-' | 'not';
  readonly operand: AstExpr;
}

export type AstBinaryOp = '+' | '-' | '*' | '/' | '%' | '**';

/** Elementwise arithmetic. */
export interface Binary extends AstNode {
  readonly kind: 'Binary';
  readonly op: AstBinaryOp;
  readonly left: AstExpr;
  readonly right: AstExpr;
}

export type CompareOp = '==' | '!=' | '<' | '<=' | '>' | '>=';

export interface Compare extends AstNode {
  readonly kind: 'Compare';
  readonly op: CompareOp;
  readonly left: AstExpr;
  readonly right: AstExpr;
}

export interface Logical extends AstNode {
  readonly kind: 'Logical';
  readonly op: 'and' | 'or';
  readonly left: AstExpr;
  readonly right: AstExpr;
}

/** `left @ right`: contraction. */
export interface Dot extends AstNode {
  readonly kind: 'Dot';
  readonly left: AstExpr;
  readonly right: AstExpr;
}

/**
 * `input |> f(a)` means `f(input, a)`. The callee is a name, indexed or not; a bare name is a call without further
 * arguments.
 */
export interface Pipe extends AstNode {
  readonly kind: 'Pipe';
  readonly input: AstExpr;
  readonly callee: AstExpr;
  readonly args: readonly Arg[];
}

/** `(a, b)`: two items or more. */
export interface Tuple extends AstNode {
  readonly kind: 'Tuple';
  readonly items: readonly AstExpr[];
}

/** `(y: e, r: f)`, only as the result of a body. Never empty. */
export interface RecordExpr extends AstNode {
  readonly kind: 'Record';
  readonly fields: readonly RecordField[];
}

export interface RecordField extends AstNode {
  readonly name: Ident;
  readonly value: AstExpr;
}

/** `chain l in L carrying (x, h: [H] = 0) collecting p { … }` */
export interface Chain extends AstNode {
  readonly kind: 'Chain';
  readonly index: Ident;
  readonly axis: AxisName;
  /** Never empty. */
  readonly carries: readonly Carry[];
  readonly collecting?: Pattern;
  readonly body: Body;
}

/** `x` alone is written for `x = x`: `initial` is absent then. */
export interface Carry extends AstNode {
  readonly name: Ident;
  readonly type?: TypeExpr;
  readonly initial?: AstExpr;
}

/** `if c { … } else { … }`; `else if` is an If. */
export interface If extends AstNode {
  readonly kind: 'If';
  readonly condition: AstExpr;
  readonly then: Body;
  readonly otherwise: Body | If;
}

/** A hole left by a syntax error that has been reported. */
export interface ErrorExpr extends AstNode {
  readonly kind: 'Error';
}
