/**
 * The syntax of declarations: axes, constants, stored tensors and where a checkpoint has them, and everything that can
 * be called (experts, routers, functions; as a body, as an instance of a template, as a union of members).
 *
 * What the forms have in common is kept as it is written: whether `= Name` is an instance or a union, and whether a
 * callable is a template, is told by the fields that are there or absent. See ast.ts for the invariants of the tree.
 */
import type { AxisName, Body, Ident, AstNode, TypeExpr } from './ast.ts';
import type { AstExpr, Index, StringLiteral } from './ast-expressions.ts';

export type Decl = AxesDecl | ConstsDecl | VariableDecl | CallableDecl | ExternDecl;

/** `axis D = 64, T, Set = (shared, watch)` */
export interface AxesDecl extends AstNode {
  readonly kind: 'Axes';
  readonly bindings: readonly AxisBinding[];
  readonly docs?: string;
}

/** At most one of `size` and `points` is there; with neither the axis is dynamic. */
export interface AxisBinding extends AstNode {
  readonly name: Ident;
  readonly size?: AstExpr;
  /** Named points, in order: `axis Set = (shared, watch)`; one is `(only,)`. */
  readonly points?: readonly Ident[];
}

/** `const K = 2, score = "sigmoid"` */
export interface ConstsDecl extends AstNode {
  readonly kind: 'Consts';
  readonly bindings: readonly ConstBinding[];
  readonly docs?: string;
}

export interface ConstBinding extends AstNode {
  readonly name: Ident;
  /** Absent: it must be given from outside. */
  readonly value?: AstExpr;
}

/** `param w: [E, D], b: [E] = 0`, `state …`, `input …` */
export interface VariableDecl extends AstNode {
  readonly kind: 'Variable';
  readonly keyword: 'param' | 'state' | 'input';
  readonly slots: readonly Slot[];
  readonly docs?: string;
}

export interface Slot extends AstNode {
  readonly name: Ident;
  readonly type: TypeExpr;
  readonly initial?: AstExpr;
  readonly frozen: boolean;
  readonly source?: Source;
}

/** Where a stored tensor comes from: `"a.weight"`, `mxfp4("a.blocks", "a.scales")`, `"a" as [(0 of 2, F), D]`. */
export interface Source extends AstNode {
  readonly kind: 'Source';
  /** The decoder of a stored encoding. */
  readonly decoder?: Ident;
  /** One name, or the arguments of the decoder. Never empty. */
  readonly names: readonly StringLiteral[];
  /** The stored order, outermost dimension first; absent: the declared order. */
  readonly order?: readonly Dim[];
}

/** One stored dimension: one part, or several packed, outer first. Never empty. */
export interface Dim extends AstNode {
  readonly parts: readonly AstStoredPart[];
}

/** `F`, or a number: `1` (a unit), `0 of 2`, `0 .. 16 of 22`. */
export type AstStoredPart = AxisPart | UnitPart | RangePart;

export interface AxisPart extends AstNode {
  readonly kind: 'AxisPart';
  readonly axis: AxisName;
}

export interface UnitPart extends AstNode {
  readonly kind: 'UnitPart';
}

/** Elements `[from, to)` of `of`. `i of n` is the range `[i, i + 1)`, written short. */
export interface RangePart extends AstNode {
  readonly kind: 'RangePart';
  readonly from: number;
  readonly to: number;
  readonly of: number;
}

/**
 * `expert f<F>(x: [D]) -> [D] { … }`, `experts ffn[L, E] = f<F>`, `router gate[L](…) -> … { … }`, `fn block[l in L](…)
 * …`. Checked here: an `expert` is a function without a family; `experts` are an instance or a union.
 */
export interface CallableDecl extends AstNode {
  readonly kind: 'Callable';
  readonly role: 'expert' | 'experts' | 'router' | 'fn';
  readonly name: Ident;
  /**
   * Present, perhaps empty, exactly if `<…>` is written: the difference between a template and an instance for fn and
   * router.
   */
  readonly generics?: readonly Generic[];
  /** Axes of the family; absent or empty: a single instance. */
  readonly family?: readonly AstFamilyAxis[];
  readonly definition: FunctionDefinition | InstanceDefinition | UnionDefinition;
  readonly docs?: string;
}

/** A parameter of a template: an axis or a number, with a default or not. */
export interface Generic extends AstNode {
  readonly name: Ident;
  readonly initial?: AstExpr;
}

/** `L`, or `l in L`: the axis and, if named, the index along it. */
export interface AstFamilyAxis extends AstNode {
  readonly axis: AxisName;
  readonly index?: Ident;
}

export interface FunctionDefinition extends AstNode {
  readonly kind: 'Function';
  readonly signature: Signature;
  readonly body: Body;
}

/**
 * `= SwiGLU<F, D: Model> from "mlp.{E}." { w1: "gate" }`. With neither `<…>` nor `from`, `= Name` is written the same for an
 * instance of a template and for a union with one member: the checker decides by what Name is.
 */
export interface InstanceDefinition extends AstNode {
  readonly kind: 'Instance';
  readonly template: Ident;
  /** Absent: no `<…>` is written. */
  readonly args?: readonly GenericArg[];
  readonly from?: AstInstanceSource;
}

/** `[NAME :] sum` in `<…>`; the value of an axis parameter is a Name or a size. */
export interface GenericArg extends AstNode {
  readonly name?: Ident;
  readonly value: AstExpr;
}

/** A pattern with `{param}`, or a prefix and the names that follow it. */
export interface AstInstanceSource extends AstNode {
  readonly prefix: StringLiteral;
  readonly bindings?: readonly SourceBinding[];
  /** `frozen` after the whole binding: every param of the instance. */
  readonly frozen: boolean;
}

/** `w1: "gate_proj.weight"`, `norm.weight: "ln"`: the path of a param inside the template. */
export interface SourceBinding extends AstNode {
  readonly path: readonly Ident[];
  readonly source: Source;
  readonly frozen: boolean;
}

/** `= ffn | consts[l] | copy`; a single member has a subscript (else it is written as an instance). */
export interface UnionDefinition extends AstNode {
  readonly kind: 'Union';
  readonly members: readonly Member[];
}

export interface Member extends AstNode {
  readonly name: Ident;
  readonly indices?: readonly Index[];
}

/** `extern expert f[M](x: [D]) -> [D]` */
export interface ExternDecl extends AstNode {
  readonly kind: 'Extern';
  readonly role: 'expert' | 'fn';
  readonly name: Ident;
  readonly family?: readonly AstFamilyAxis[];
  readonly signature: Signature;
  readonly docs?: string;
}

export interface Signature extends AstNode {
  readonly formals: readonly AstFormal[];
  /**
   * One unnamed result is a plain value; several, or one with a name, are a tuple, which is a record if they have
   * names. Checked here: all of them have names or none has. Never empty.
   */
  readonly results: readonly ResultType[];
}

export interface AstFormal extends AstNode {
  readonly name: Ident;
  readonly type: TypeExpr;
}

export interface ResultType extends AstNode {
  readonly name?: Ident;
  readonly type: TypeExpr;
}
