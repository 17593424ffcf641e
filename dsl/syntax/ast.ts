/**
 * The abstract syntax of `.moe`: what a file says, with every decision of spelling gone.
 *
 * Invariants
 * - Data, deeply readonly; alternatives are told apart by `kind`; every node has the span of its text.
 * - Parentheses that only group are not represented; `print-ast.ts` puts them back where the precedence needs them.
 * - Names are text. What a name refers to is the checker's business; it must keep them in `Map`s (`__proto__` is a
 *   legal name).
 * - Where the text could not be read an `Error` expression stands for it. A diagnostic has been given, so a checker
 *   treats it as agreeing with everything and says nothing.
 * - No tree is deeper than `limits.depth` (limits.ts): recursive walks are safe.
 *
 * The grammar is in grammar.ts, beside each rule.
 */
import type { Span } from './source.ts';

export type { Span } from './source.ts';

export interface Node {
  readonly span: Span;
}

// ------------------------------------------------------------------------------------------------------------ names

/** A name where it is declared, or where something that cannot be an axis is meant. Never has primes. */
export interface Ident extends Node {
  readonly text: string;
}

/** A reference to an axis: `T''` is `{ name: 'T', primes: 2 }`, the second twin of T. */
export interface AxisName extends Node {
  readonly name: string;
  readonly primes: number;
}

// ------------------------------------------------------------------------------------------------------------- file

/** A file. The order of the text is that of the spans; within each list it is kept. */
export interface File extends Node {
  readonly kind: 'File';
  readonly imports: readonly Import[];
  readonly models: readonly Model[];
  /** Declarations outside a model: templates and constants. */
  readonly decls: readonly Decl[];
}

/** `import { SwiGLU, RmsNorm } from "std"` */
export interface Import extends Node {
  readonly kind: 'Import';
  readonly names: readonly Ident[];
  readonly from: StringLiteral;
}

/** `model Mixtral { … }`; a `///` comment before the imports documents the first model or declaration after them. */
export interface Model extends Node {
  readonly kind: 'Model';
  readonly name: Ident;
  readonly items: readonly (Decl | Entry)[];
  readonly docs?: string;
}

/** `forward(x: [T, D]) -> [T, D] { … }`: a function without a keyword, called from outside. */
export interface Entry extends Node {
  readonly kind: 'Entry';
  readonly name: Ident;
  readonly signature: Signature;
  readonly body: Body;
  readonly docs?: string;
}

// ----------------------------------------------------------------------------------------------------- declarations

export type Decl = AxesDecl | ConstsDecl | StoreDecl | CallableDecl | ExternDecl;

/** `axis D = 64, T, Set = (shared, watch)` */
export interface AxesDecl extends Node {
  readonly kind: 'Axes';
  readonly bindings: readonly AxisBinding[];
  readonly docs?: string;
}

/** At most one of `size` and `points` is there; with neither the axis is dynamic. */
export interface AxisBinding extends Node {
  readonly name: Ident;
  readonly size?: Expr;
  /** Named points, in order: `axis Set = (shared, watch)`; one is `(only,)`. */
  readonly points?: readonly Ident[];
}

/** `const K = 2, score = "sigmoid"` */
export interface ConstsDecl extends Node {
  readonly kind: 'Consts';
  readonly bindings: readonly ConstBinding[];
  readonly docs?: string;
}

export interface ConstBinding extends Node {
  readonly name: Ident;
  /** Absent: it must be given from outside. */
  readonly value?: Expr;
}

/** `param w: [E, D], b: [E] = 0`, `state …`, `input …` */
export interface StoreDecl extends Node {
  readonly kind: 'Store';
  readonly store: 'param' | 'state' | 'input';
  readonly slots: readonly Slot[];
  readonly docs?: string;
}

export interface Slot extends Node {
  readonly name: Ident;
  readonly type: TypeExpr;
  readonly initial?: Expr;
  readonly frozen: boolean;
  readonly source?: Source;
}

/** Where a stored tensor comes from: `"a.weight"`, `mxfp4("a.blocks", "a.scales")`, `"a" as [(0 of 2, F), D]`. */
export interface Source extends Node {
  readonly kind: 'Source';
  /** The decoder of a stored encoding. */
  readonly decoder?: Ident;
  /** One name, or the arguments of the decoder. Never empty. */
  readonly names: readonly StringLiteral[];
  /** The stored order, outermost dimension first; absent: the declared order. */
  readonly order?: readonly Dim[];
}

/** One stored dimension: one part, or several packed, outer first. Never empty. */
export interface Dim extends Node {
  readonly parts: readonly Part[];
}

/** `F`, or a number: `1` (a unit), `0 of 2`, `0 .. 16 of 22`. */
export type Part = AxisPart | UnitPart | RangePart;

export interface AxisPart extends Node {
  readonly kind: 'AxisPart';
  readonly axis: AxisName;
}

export interface UnitPart extends Node {
  readonly kind: 'UnitPart';
}

/** Elements `[from, to)` of `of`. `i of n` is the range `[i, i + 1)`, written short. */
export interface RangePart extends Node {
  readonly kind: 'RangePart';
  readonly from: number;
  readonly to: number;
  readonly of: number;
}

/**
 * `expert f<F>(x: [D]) -> [D] { … }`, `experts ffn[L, E] = f<F>`, `router gate[L](…) -> … { … }`, `fn block[l in L](…)
 * …`. Checked here: an `expert` is a function without a family; `experts` are an instance or a union.
 */
export interface CallableDecl extends Node {
  readonly kind: 'Callable';
  readonly role: 'expert' | 'experts' | 'router' | 'fn';
  readonly name: Ident;
  /**
   * Present, perhaps empty, exactly if `<…>` is written: the difference between a template and an instance for fn and
   * router.
   */
  readonly generics?: readonly Generic[];
  /** Axes of the family; absent or empty: a single instance. */
  readonly family?: readonly FamilyAxis[];
  readonly definition: FunctionDefinition | InstanceDefinition | UnionDefinition;
  readonly docs?: string;
}

/** A parameter of a template: an axis or a number, with a default or not. */
export interface Generic extends Node {
  readonly name: Ident;
  readonly initial?: Expr;
}

/** `L`, or `l in L`: the axis and, if named, the index along it. */
export interface FamilyAxis extends Node {
  readonly axis: AxisName;
  readonly index?: Ident;
}

export interface FunctionDefinition extends Node {
  readonly kind: 'Function';
  readonly signature: Signature;
  readonly body: Body;
}

/**
 * `= SwiGLU<F, D: Model> from "mlp.{E}." { w1: "gate" }`. With neither `<…>` nor `from`, `= Name` is written the same for an
 * instance of a template and for a union with one member: the checker decides by what Name is.
 */
export interface InstanceDefinition extends Node {
  readonly kind: 'Instance';
  readonly template: Ident;
  /** Absent: no `<…>` is written. */
  readonly args?: readonly GenericArg[];
  readonly from?: InstanceSource;
}

/** `[NAME :] sum` in `<…>`; the value of an axis parameter is a Name or a size. */
export interface GenericArg extends Node {
  readonly name?: Ident;
  readonly value: Expr;
}

/** A pattern with `{param}`, or a prefix and the names that follow it. */
export interface InstanceSource extends Node {
  readonly prefix: StringLiteral;
  readonly bindings?: readonly SourceBinding[];
  /** `frozen` after the whole binding: every param of the instance. */
  readonly frozen: boolean;
}

/** `w1: "gate_proj.weight"`, `norm.weight: "ln"`: the path of a param inside the template. */
export interface SourceBinding extends Node {
  readonly path: readonly Ident[];
  readonly source: Source;
  readonly frozen: boolean;
}

/** `= ffn | consts[l] | copy`; a single member has a subscript (else it is written as an instance). */
export interface UnionDefinition extends Node {
  readonly kind: 'Union';
  readonly members: readonly Member[];
}

export interface Member extends Node {
  readonly name: Ident;
  readonly indices?: readonly Index[];
}

/** `extern expert f[M](x: [D]) -> [D]` */
export interface ExternDecl extends Node {
  readonly kind: 'Extern';
  readonly role: 'expert' | 'fn';
  readonly name: Ident;
  readonly family?: readonly FamilyAxis[];
  readonly signature: Signature;
  readonly docs?: string;
}

export interface Signature extends Node {
  readonly formals: readonly Formal[];
  /**
   * One unnamed result is a plain value; several, or one with a name, are a tuple, which is a record if they have
   * names. Checked here: all of them have names or none has. Never empty.
   */
  readonly results: readonly ResultType[];
}

export interface Formal extends Node {
  readonly name: Ident;
  readonly type: TypeExpr;
}

export interface ResultType extends Node {
  readonly name?: Ident;
  readonly type: TypeExpr;
}

// ------------------------------------------------------------------------------------------------------------ types

export type TypeExpr = TensorType | RouteType;

/** `[D]`, `f16[D]`, `f32`, `i32[T] in V` */
export interface TensorType extends Node {
  readonly kind: 'TensorType';
  /** Absent: f32. Any name; the checker knows which are element types. */
  readonly element?: Ident;
  readonly axes: readonly AxisName[];
  /** The axis that integers index: `i32[T] in V`. */
  readonly within?: AxisName;
}

/** `route[E]`, `route[T -> E]`, `route[T -> E] of [D]`; without an arrow all axes are targets. */
export interface RouteType extends Node {
  readonly kind: 'RouteType';
  readonly sources: readonly AxisName[];
  readonly targets: readonly AxisName[];
  readonly payload: readonly AxisName[];
}

// ----------------------------------------------------------------------------------------------------------- bodies

export interface Body extends Node {
  readonly kind: 'Body';
  readonly items: readonly BodyItem[];
  readonly result: Expr;
}

export type BodyItem = Stmt | Decl;
export type Stmt = Let | Update | Loss | Output;

/** `let (r, h): type = value` */
export interface Let extends Node {
  readonly kind: 'Let';
  readonly pattern: Pattern;
  readonly type?: TypeExpr;
  readonly value: Expr;
}

/** One name, or several which take a tuple apart; `_` discards. Never empty. */
export interface Pattern extends Node {
  readonly names: readonly Ident[];
}

/** `update bias = …` */
export interface Update extends Node {
  readonly kind: 'Update';
  readonly name: Ident;
  readonly value: Expr;
}

/** `loss balance = …` */
export interface Loss extends Node {
  readonly kind: 'Loss';
  readonly name: Ident;
  readonly value: Expr;
}

/** `output gate = …` */
export interface Output extends Node {
  readonly kind: 'Output';
  readonly name: Ident;
  readonly value: Expr;
}

// ------------------------------------------------------------------------------------------------------ expressions

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
