/**
 * The typed program: what the checker hands on. Every name is resolved to a declaration, every sugar is gone, every
 * contraction says which axes it contracts, every index says its axis. Sizes are still formulas: they are known when
 * the program is instantiated (dsl/meaning), because constants and axes may be overridden from outside.
 *
 * Invariants:
 * - `id`s are unique in a program: declarations, locals and static indices share one number space.
 * - Types list *visible* axes only. The axes a call carries and the axes of a family never show (SEMANTICS 3.1).
 * - An `AxisVar` is a declared axis and a number of primes, not yet a concrete axis: which one it is depends on the instance.
 */
import type { Span } from '../diagnostics/diagnostic.ts';
import type { DeclarationId, IndexId, LocalId, ProgramAxisId } from './ids.ts';
import type { SizeOp } from './size.ts';
import type { PrimitiveName } from './primitive-names.ts';

/** An axis as the program names it: a declaration and the number of primes (T' is a twin of T). */
export interface AxisVar {
  readonly axis: ProgramAxisId;
  readonly primes: number;
}

export const elementTypes = ['f32', 'f16', 'i32', 'bool'] as const;
export type ElementType = (typeof elementTypes)[number];

export interface TensorType {
  readonly kind: 'tensor';
  readonly element: ElementType;
  readonly axes: readonly AxisVar[];
  /** `i32[...] in V`: the values index this axis, -1 is none. */
  readonly within?: AxisVar;
}

/** A partial tensor over sources and targets; `payload` axes are dense at each present point. */
export interface RouteType {
  readonly kind: 'route';
  readonly element: ElementType;
  readonly sources: readonly AxisVar[];
  readonly targets: readonly AxisVar[];
  readonly payload: readonly AxisVar[];
  /**
   * Axes that a `pick(…, along:)` consumed: no part of the type, but what meets it along them is a mistake (MOE0453). A signature
   * cannot write it, so a route loses it at a call, and substitution of a template's axes (`substituteType`) leaves it alone.
   */
  readonly consumed?: readonly AxisVar[];
}

export interface TupleType {
  readonly kind: 'tuple';
  /** `span`: where a signature names the item. */
  readonly items: readonly { readonly name?: string; readonly type: ValueType; readonly span?: Span }[];
}

export type ValueType = TensorType | RouteType | TupleType;

// ---------------------------------------------------------------------------------------------------------------
// Static expressions: numbers, bools and strings known when the program is instantiated (a size may stay a formula of
// the sizes of dynamic axes).

export type StaticOp =
  SizeOp | 'neg' | 'clamp' | 'rsqrt' | 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge' | 'and' | 'or' | 'not';

export type StaticType = 'number' | 'bool' | 'string';

export type Static = { readonly span: Span; readonly type: StaticType } &
  /** An exact rational in lowest terms, denominator > 0. */
  (
    | { readonly kind: 'number'; readonly numerator: bigint; readonly denominator: bigint }
    | { readonly kind: 'infinity' }
    | { readonly kind: 'bool'; readonly value: boolean }
    | { readonly kind: 'string'; readonly value: string }
    /** A const declaration, or a number parameter of the template around. */
    | { readonly kind: 'const'; readonly decl: DeclarationId }
    /** The size of an axis. */
    | { readonly kind: 'size'; readonly axis: AxisVar }
    /** A chain's index or the index a family names (`fn f[l in L]`). */
    | { readonly kind: 'index'; readonly index: IndexId }
    /** A named point of an axis: its position. */
    | { readonly kind: 'point'; readonly axis: AxisVar; readonly position: number }
    | { readonly kind: 'op'; readonly op: StaticOp; readonly args: readonly Static[] }
    | { readonly kind: 'if'; readonly condition: Static; readonly then: Static; readonly else: Static }
  );

// ---------------------------------------------------------------------------------------------------------------
// Expressions

/**
 * A call of a primitive. `args` are value operands by parameter name (see dsl/primitives), `axes` axis attributes,
 * `attributes` numbers and bools known at elaboration. Absent optional parameters are absent keys.
 */
export interface PrimitiveExpr {
  readonly kind: 'primitive';
  readonly name: PrimitiveName;
  readonly args: ReadonlyMap<string, Expr>;
  readonly axes: ReadonlyMap<string, readonly AxisVar[]>;
  readonly attributes: ReadonlyMap<string, Static>;
}

export type Expr = { readonly type: ValueType; readonly span: Span } &
  /** A static number or bool standing where a tensor is wanted: a scalar of the type's element. */
  (
    | { readonly kind: 'static'; readonly value: Static }
    | { readonly kind: 'local'; readonly local: LocalId; readonly name: string }
    /** A param, state or control; `via` is the path of declarations when named from outside (`ffn.w1`), outermost first. */
    | { readonly kind: 'variable'; readonly decl: DeclarationId; readonly via: readonly DeclarationId[] }
    | PrimitiveExpr
    | { readonly kind: 'call'; readonly callee: FamilyExpr; readonly args: readonly Expr[] }
    /** Result: the tuple's or record's items in order. */
    | { readonly kind: 'tuple'; readonly items: readonly Expr[] }
    /** Compile-time choice: only the taken side is elaborated. */
    | { readonly kind: 'if'; readonly condition: Static; readonly then: Block; readonly else: Block }
    | ChainExpr
    /** Broadcast to the type's axes (a body's result, a carry's start, an annotated let); also re-orients a route. */
    | { readonly kind: 'coerce'; readonly value: Expr }
    /** A route over a part's axes taken as a route over the union axis (`part` is an index into the union's members). */
    | { readonly kind: 'embed'; readonly value: Expr; readonly union: AxisVar; readonly part: number }
  );

export interface ChainExpr {
  readonly kind: 'chain';
  readonly index: IndexId;
  /** Over an axis whose size a run decides, the number of a step is no index known when compiling but a value, an i32 in the axis. */
  readonly step: LocalId | null;
  readonly axis: AxisVar;
  readonly carries: readonly {
    readonly local: LocalId;
    readonly name: string;
    readonly type: ValueType;
    readonly start: Expr;
  }[];
  /** Result: as many values as there are carries (a tuple if several). */
  readonly body: Block;
  /** Locals of the body (its `let`s) collected over the steps, with the chain's axis in front. */
  readonly collecting: readonly { readonly local: LocalId; readonly name: string }[];
}

/** A family of functions: not a value, it may only be called, sliced, united or let-bound. */
export type FamilyExpr = { readonly span: Span } & (
  | { readonly kind: 'named'; readonly decl: DeclarationId }
  | { readonly kind: 'local_family'; readonly local: LocalId }
  | { readonly kind: 'at'; readonly family: FamilyExpr; readonly axis: AxisVar; readonly index: Static }
  | {
      readonly kind: 'window';
      readonly family: FamilyExpr;
      readonly axis: AxisVar;
      readonly from: Static;
      readonly to: Static;
      readonly as: AxisVar;
    }
);

// ---------------------------------------------------------------------------------------------------------------
// Statements and declarations

export type Stmt = { readonly span: Span } &
  /** `locals` has one entry for each item of the value (one if it is no tuple); null discards (`_`). */
  (
    | {
        readonly kind: 'let';
        readonly locals: readonly (LocalId | null)[];
        readonly names: readonly string[];
        readonly value: Expr;
      }
    | { readonly kind: 'let_family'; readonly local: LocalId; readonly name: string; readonly family: FamilyExpr }
    | { readonly kind: 'update'; readonly state: DeclarationId; readonly value: Expr }
    | { readonly kind: 'loss'; readonly name: string; readonly value: Expr }
    | { readonly kind: 'output'; readonly name: string; readonly value: Expr }
    /** `value` is a bool; `message` is said where it is false, with the numbers of scalars in it. */
    | { readonly kind: 'require'; readonly value: Expr; readonly message: readonly MessagePart[] }
  );

/** Text, or a scalar that is shown by its name and value. */
export type MessagePart = string | { readonly name: string; readonly value: Expr };

export interface Block {
  readonly declarations: readonly Declaration[];
  readonly statements: readonly Stmt[];
  readonly result: Expr;
}

export interface AxisDeclaration {
  readonly kind: 'axis';
  readonly id: ProgramAxisId;
  readonly name: string;
  readonly span: Span;
  readonly of:
    | { readonly kind: 'dynamic' }
    | { readonly kind: 'sized'; readonly size: Static }
    | { readonly kind: 'points'; readonly names: readonly string[] }
    /** The new axis of a union declaration. */
    | { readonly kind: 'union'; readonly union: DeclarationId }
    /** An axis parameter of a template: bound by each instance. */
    | { readonly kind: 'parameter' };
}

export interface ConstDeclaration {
  readonly kind: 'const';
  readonly id: DeclarationId;
  readonly name: string;
  readonly span: Span;
  readonly type: StaticType;
  /** null for a number parameter of a template (bound by each instance). */
  readonly value: Static | null;
}

/**
 * A checkpoint name with holes: texts and holes, alternating, with a text (which may be empty) at either end:
 * `texts.length === holes.length + 1`.
 */
export interface NamePattern {
  readonly texts: readonly string[];
  readonly holes: readonly NameHole[];
}
export type NameHole =
  /**
   * An integer expression, made for each slice of the weight. A `size` in it is no size: it stands for the slice's *position along
   * that axis*. `axes` are those that it mentions.
   */
  | { readonly kind: 'position'; readonly value: Static; readonly axes: readonly AxisVar[] }
  /** One axis alone whose points are named: the point's name. */
  | { readonly kind: 'point_name'; readonly axis: AxisVar }
  /** A constant that is a string; `axes` are those of the family indices that it depends on. */
  | { readonly kind: 'text'; readonly value: Static; readonly axes: readonly AxisVar[] }
  /** `{all E}`: the same tensor for all points of these axes; it leaves nothing in the name. */
  | { readonly kind: 'all'; readonly axes: readonly AxisVar[] }
  /** `{(G, M)}`: row-major position in a group of axes. */
  | { readonly kind: 'group'; readonly axes: readonly AxisVar[] }
  /** `{param}`: the name of the param (in an instance's pattern). */
  | { readonly kind: 'param' };

/** One stored dimension: axes, parts and units stored as one, outer first. */
export type StoredDim = readonly StoredPart[];
export type StoredPart =
  | { readonly kind: 'axis'; readonly axis: AxisVar }
  /** `i of n` is from = i, to = i + 1; `a .. b of n`; a unit `1` is 0 .. 1 of 1. */
  | { readonly kind: 'range'; readonly from: number; readonly to: number; readonly of: number };

/** An encoding of stored numbers: `mxfp4` has blocks and scales. */
export type Decoder = 'mxfp4';

export interface VariableSource {
  readonly span: Span;
  /** null for a plain tensor. */
  readonly decoder: Decoder | null;
  readonly patterns: readonly NamePattern[];
  /** `as [...]`, or null: the family's axes not in braces, then the declared ones. */
  readonly stored: readonly StoredDim[] | null;
}

/** Binding on an instance: a prefix with a record (keys are paths such as `norm.weight`), or one pattern with `{param}`. */
export interface InstanceSource {
  readonly span: Span;
  readonly prefix: NamePattern;
  readonly record: ReadonlyMap<string, VariableSource> | null;
  /** Keys of the record that are frozen here, or 'all' if the whole binding is. */
  readonly frozen?: 'all' | ReadonlySet<string>;
}

export interface VariableDeclaration {
  readonly kind: 'variable';
  /** A control is declared by `input`. */
  readonly role: 'param' | 'state' | 'control';
  readonly id: DeclarationId;
  readonly name: string;
  readonly span: Span;
  readonly type: TensorType;
  readonly initial: Expr | null;
  readonly frozen: boolean;
  readonly source: VariableSource | null;
}

/** The word that declares it, which messages use. */
export function keywordOf({ role }: VariableDeclaration): 'param' | 'state' | 'input' {
  return role === 'control' ? 'input' : role;
}

export interface FamilyAxis {
  readonly axis: AxisVar;
  /** `[l in L]`: the body is specialised for each point and knows its index. */
  readonly index: IndexId | null;
}

export interface Formal {
  readonly local: LocalId;
  readonly name: string;
  readonly span: Span;
  readonly type: ValueType;
}

/** A function with a body (or, for an extern, without): one instance, or a template when `template` is set. */
export interface CallableDeclaration {
  readonly kind: 'callable';
  readonly role: 'expert' | 'router' | 'fn' | 'entry';
  readonly id: DeclarationId;
  readonly name: string;
  readonly span: Span;
  readonly documentation: string;
  /** Axis and number parameters of a template (declarations of kind `parameter` axes and value-less consts), else null. */
  readonly template: {
    readonly axes: readonly AxisDeclaration[];
    readonly numbers: readonly ConstDeclaration[];
  } | null;
  readonly family: readonly FamilyAxis[];
  readonly formals: readonly Formal[];
  readonly result: ValueType;
  /** null for an extern: the host computes it. */
  readonly body: Block | null;
  /**
   * Every axis that some type in the signature or body has, or that the body mentions. A carried axis that is among
   * them is alpha-renamed when the call is instantiated, so that no operator of the body can meet it.
   */
  readonly uses: readonly AxisVar[];
}

/** `experts ffn[E] = SwiGLU<F> from "..."`: an instance of a template. */
export interface InstanceDeclaration {
  readonly kind: 'instance';
  readonly role: 'expert' | 'router' | 'fn';
  readonly id: DeclarationId;
  readonly name: string;
  readonly span: Span;
  readonly family: readonly FamilyAxis[];
  readonly template: DeclarationId;
  /** For each axis parameter: the axis it becomes, or a size of its own. */
  readonly axes: ReadonlyMap<
    ProgramAxisId,
    { readonly kind: 'axis'; readonly axis: AxisVar } | { readonly kind: 'size'; readonly size: Static }
  >;
  readonly numbers: ReadonlyMap<DeclarationId, Static>;
  readonly source: InstanceSource | null;
}

/**
 * `experts mix[L, P] = ffn | consts | copy`. `shared`: axes that every member has and the union keeps. Along `axis` stand the
 * members' other axes, row-major, one member after another.
 */
export interface UnionDeclaration {
  readonly kind: 'union';
  readonly id: DeclarationId;
  readonly name: string;
  readonly span: Span;
  readonly shared: readonly AxisVar[];
  readonly axis: AxisDeclaration;
  readonly members: readonly {
    readonly name: string;
    readonly family: FamilyExpr;
    /** The member's own axes that run along the union's axis, in its order (none: a single point). */
    readonly axes: readonly AxisVar[];
  }[];
}

export type Declaration =
  | AxisDeclaration
  | ConstDeclaration
  | VariableDeclaration
  | CallableDeclaration
  | InstanceDeclaration
  | UnionDeclaration;

export interface Program {
  readonly name: string;
  readonly documentation: string;
  readonly span: Span;
  /** Templates and constants outside of models, of all files that are read, the library's too. */
  readonly globals: readonly Declaration[];
  /** Of the model, but for its entries; `train` first. What is named is found by its id: the order says nothing of what needs what. */
  readonly declarations: readonly Declaration[];
  readonly entries: readonly CallableDeclaration[];
  /** The name of every axis, by id, wherever it is declared: for messages. */
  readonly axisNames: ReadonlyMap<ProgramAxisId, string>;
}
