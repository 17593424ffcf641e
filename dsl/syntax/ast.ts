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
 * - No path in a tree is longer than `limits.row` (text-limits.ts): recursion over the tree is safe.
 *
 * Here are names, files, types and bodies; declarations are in ast-declarations.ts, expressions in ast-expressions.ts, and
 * all of them are exported from here. The grammar is in grammar.ts, beside each rule.
 */
import type { Decl, Signature } from './ast-declarations.ts';
import type { AstExpr, StringLiteral } from './ast-expressions.ts';
import type { Span } from '../diagnostics/source-file.ts';

export type * from './ast-declarations.ts';
export type * from './ast-expressions.ts';
export type { Span } from '../diagnostics/source-file.ts';

export interface AstNode {
  readonly span: Span;
}

// ------------------------------------------------------------------------------------------------------------ names

/** A name where it is declared, or where something that cannot be an axis is meant. Never has primes. */
export interface Ident extends AstNode {
  readonly text: string;
}

/** A reference to an axis: `T''` is `{ name: 'T', primes: 2 }`, the second twin of T. */
export interface AxisName extends AstNode {
  readonly name: string;
  readonly primes: number;
}

// ------------------------------------------------------------------------------------------------------------- file

/** A file. Each list is in the order of the text; across the lists, spans tell what comes first. */
export interface File extends AstNode {
  readonly kind: 'File';
  readonly imports: readonly Import[];
  readonly models: readonly AstModel[];
  /** Declarations outside a model: templates and constants. */
  readonly decls: readonly Decl[];
}

/** `import { SwiGLU, RmsNorm } from "std"` */
export interface Import extends AstNode {
  readonly kind: 'Import';
  readonly names: readonly Ident[];
  readonly from: StringLiteral;
}

/** `model Mixtral { … }`; a `///` comment before the imports documents the first model or declaration after them. */
export interface AstModel extends AstNode {
  readonly kind: 'Model';
  readonly name: Ident;
  readonly items: readonly (Decl | Entry)[];
  readonly docs?: string;
}

/** `forward(x: [T, D]) -> [T, D] { … }`: a function without a keyword, called from outside. */
export interface Entry extends AstNode {
  readonly kind: 'Entry';
  readonly name: Ident;
  readonly signature: Signature;
  readonly body: Body;
  readonly docs?: string;
}

// ------------------------------------------------------------------------------------------------------------ types

export type TypeExpr = AstTensorType | AstRouteType;

/** `[D]`, `f16[D]`, `f32`, `i32[T] in V` */
export interface AstTensorType extends AstNode {
  readonly kind: 'TensorType';
  /** Absent: f32. Any name; the checker knows which are element types. */
  readonly element?: Ident;
  readonly axes: readonly AxisName[];
  /** The axis that integers index: `i32[T] in V`. */
  readonly within?: AxisName;
}

/** `route[E]`, `route[T -> E]`, `route[T -> E] of [D]`; without an arrow all axes are targets. */
export interface AstRouteType extends AstNode {
  readonly kind: 'RouteType';
  readonly sources: readonly AxisName[];
  readonly targets: readonly AxisName[];
  readonly payload: readonly AxisName[];
}

// ----------------------------------------------------------------------------------------------------------- bodies

export interface Body extends AstNode {
  readonly kind: 'Body';
  readonly items: readonly BodyItem[];
  readonly result: AstExpr;
}

export type BodyItem = AstStmt | Decl;
export type AstStmt = Let | Update | Loss | Output | Require;

/** `let (r, h): type = value` */
export interface Let extends AstNode {
  readonly kind: 'Let';
  readonly pattern: Pattern;
  readonly type?: TypeExpr;
  readonly value: AstExpr;
}

/** One name, or several which take a tuple apart; `_` discards. Never empty. */
export interface Pattern extends AstNode {
  readonly names: readonly Ident[];
}

/** `update bias = …` */
export interface Update extends AstNode {
  readonly kind: 'Update';
  readonly name: Ident;
  readonly value: AstExpr;
}

/** `loss balance = …` */
export interface Loss extends AstNode {
  readonly kind: 'Loss';
  readonly name: Ident;
  readonly value: AstExpr;
}

/** `require past + T <= S else "{past} places are taken"` */
export interface Require extends AstNode {
  readonly kind: 'Require';
  readonly condition: AstExpr;
  readonly message?: StringLiteral;
}

/** `output gate = …` */
export interface Output extends AstNode {
  readonly kind: 'Output';
  readonly name: Ident;
  readonly value: AstExpr;
}
