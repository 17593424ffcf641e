/**
 * What names refer to, and where they are seen.
 *
 * There is one namespace. A scope is a block of text: the language's own names, a file, a model, the head of a callable, a
 * body. Declarations of a scope are seen everywhere in it, in any order; values only after their `let`. A callable sees the
 * declarations and the statics around it, but no values: a body is typed with exactly what its signature names.
 */
import type { Span } from '../diagnostics/diagnostic.ts';
import type { DeclarationId, IndexId, LocalId, ProgramAxisId } from '../types/ids.ts';
import type {
  AxisVar,
  Block,
  CallableDeclaration,
  Declaration,
  ElementType,
  Expr,
  FamilyExpr,
  InstanceSource,
  Static,
  StaticType,
  Stmt,
  VariableDeclaration,
  ValueType,
} from '../types/program.ts';

/** What a family does that its callers have to know. Filled in when its body has been checked, before any caller's. */
export interface Traits {
  /** Span of an update in the body or, through calls, below it; null if there is none. */
  readonly updates: { readonly state: string; readonly span: Span } | null;
  /** The result is a route whose weights are all 1 (`pick`, `mask`): it adopts the element type it meets. */
  readonly untyped: boolean;
  /** Params, states and inputs of its own, or in instances it declares. */
  readonly hasVariables: boolean;
}

export const noTraits: Traits = { updates: null, untyped: false, hasVariables: false };

/** Params and instances that can be named from outside: `ffn.w1`, `norm.weight`. */
export type Inner = ReadonlyMap<string, InnerMember>;
export type InnerMember =
  | { readonly kind: 'variable'; readonly declaration: VariableDeclaration }
  | { readonly kind: 'family'; readonly family: Family }
  /** Declared with a mistake. */
  | { readonly kind: 'error' };

/** A family of functions Fam[axes](formals) -> result, however it was made. A null type is one that had a mistake. */
export interface Family {
  readonly name: string;
  readonly role: 'expert' | 'router' | 'fn' | 'entry';
  readonly expr: FamilyExpr;
  /** The same slices, of the declaration at the root: differs from `expr` for a family bound by `let`. */
  readonly source: FamilyExpr;
  readonly axes: readonly AxisVar[];
  readonly formals: readonly FormalInfo[];
  readonly result: ValueType | null;
  readonly traits: Traits;
  /** The declaration at the root (of a slice too), for paths. */
  readonly decl: DeclarationId;
  readonly inner: Inner;
  /** Axes of a template → axes of this instance, for the types of `inner`. */
  readonly bound: ReadonlyMap<ProgramAxisId, AxisVar>;
  /** Axes of the family before any slice: `ffn.w1` has them in front. */
  readonly rootAxes: readonly AxisVar[];
  /** Of an instance: the template it is of. */
  readonly template?: string;
  /** Of an instance: where it says its weights are. */
  readonly from?: InstanceSource | null;
}

export interface FormalInfo {
  readonly name: string;
  readonly type: ValueType | null;
  readonly span: Span;
  /** In a call: the function called, for advice. */
  readonly of?: Family;
}

/** A parameter in `<…>` or, not `explicit`, an axis of the signature that the file does not declare. */
export interface TemplateAxis {
  readonly id: ProgramAxisId;
  readonly name: string;
  readonly explicit: boolean;
  readonly inSignature: boolean;
  readonly initial:
    { readonly kind: 'axis'; readonly axis: AxisVar } | { readonly kind: 'size'; readonly size: Static } | null;
}

export interface TemplateNumber {
  readonly id: DeclarationId;
  readonly name: string;
  readonly initial: Static | null;
}

export interface Template {
  readonly name: string;
  readonly role: 'expert' | 'router' | 'fn';
  readonly declaration: CallableDeclaration | null;
  readonly id: DeclarationId;
  readonly span: Span;
  /** In the order of `<…>`: what an argument by position binds. */
  readonly parameters: readonly { readonly name: string; readonly kind: 'axis' | 'number' }[];
  readonly axes: readonly TemplateAxis[];
  readonly numbers: readonly TemplateNumber[];
  readonly formals: readonly FormalInfo[];
  readonly result: ValueType | null;
  readonly traits: Traits;
  readonly inner: Inner;
}

export type Entity =
  /** Declared, but with a mistake: whatever uses it says nothing. */
  | { readonly kind: 'error' }
  /** Declared and not yet read: seen only inside a circle of declarations. */
  | { readonly kind: 'pending' }
  | { readonly kind: 'axis'; readonly axis: AxisVar }
  | { readonly kind: 'const'; readonly decl: DeclarationId; readonly type: StaticType }
  | { readonly kind: 'index'; readonly index: IndexId; readonly axis: AxisVar }
  | { readonly kind: 'local'; readonly local: LocalId; readonly type: ValueType; readonly untyped: boolean }
  /** A `let` of a static: the name stands for it. */
  | { readonly kind: 'static'; readonly value: Static }
  | { readonly kind: 'variable'; readonly declaration: VariableDeclaration }
  | { readonly kind: 'family'; readonly family: Family }
  | { readonly kind: 'template'; readonly template: Template };

/** A value of the checker: what an expression turned out to be. */
export type CheckedValue =
  /** A mistake has been reported. */
  | { readonly kind: 'error' }
  | { readonly kind: 'static'; readonly value: Static }
  /** A tensor or route, or a tuple that a call or chain gives. `typedAs`: its element type is not settled, this gives it another (f32 until then). */
  | { readonly kind: 'value'; readonly expr: Expr; readonly typedAs: ((element: ElementType) => Expr) | null }
  | { readonly kind: 'family'; readonly family: Family }
  /** A tuple or record as written: its items settle where they go. */
  | {
      readonly kind: 'tuple';
      readonly items: readonly CheckedValue[];
      readonly names: readonly (string | undefined)[];
      readonly span: Span;
    };

export const errorValue: CheckedValue = { kind: 'error' };

export interface NameBinding {
  readonly entity: Entity;
  readonly span: Span | null;
}

/** What a body belongs to. */
export interface Owner {
  /** Axes of all the families around, outermost first. */
  readonly family: readonly AxisVar[];
  /** Axes that signatures around name; null outside of callables: there everything may be read. */
  readonly named: readonly AxisVar[] | null;
  readonly name: string;
  readonly role: 'expert' | 'router' | 'fn' | 'entry' | 'model';
  /** Names of the results of a record, in the declared order. */
  readonly resultNames: readonly string[];
  /** What the body was found to do. */
  readonly found: { updates: Traits['updates'] };
}

export class NameScope {
  readonly parent: NameScope | null;
  readonly owner: Owner;
  /** The head of a callable: values outside are not seen from inside. */
  readonly boundary: boolean;
  /** Declarations made while checking the block, such as instances of templates called directly. */
  readonly made: Declaration[] = [];
  /** Names that a later `let` of the block will have. */
  readonly later = new Set<string>();
  readonly #names = new Map<string, NameBinding>();
  /** Points of named axes declared here: name → the axes that have it. */
  readonly #points = new Map<string, AxisVar[]>();

  constructor(parent: NameScope | null, owner: Owner, boundary = false) {
    this.parent = parent;
    this.owner = owner;
    this.boundary = boundary;
  }

  own(name: string): NameBinding | null {
    return this.#names.get(name) ?? null;
  }

  set(name: string, entity: Entity, span: Span | null): void {
    this.#names.set(name, { entity, span });
  }

  addPoint(name: string, axis: AxisVar): void {
    this.#points.set(name, [...(this.#points.get(name) ?? []), axis]);
  }

  /** The axes with a point of this name, nearest scope first. */
  pointAxes(name: string): readonly AxisVar[] {
    const here = this.#points.get(name) ?? [];
    return this.parent === null ? here : [...here, ...this.parent.pointAxes(name)];
  }

  lookup(name: string): { readonly binding: NameBinding; readonly hidden: boolean } | null {
    let hidden = false;
    for (let scope: NameScope | null = this; scope !== null; scope = scope.parent) {
      const binding = scope.#names.get(name);
      if (binding !== undefined) return { binding, hidden: hidden && binding.entity.kind === 'local' };
      if (scope.boundary) hidden = true;
    }
    return null;
  }

  /** Names declared here with a mistake. */
  brokenNames(): readonly string[] {
    return [...this.#names].flatMap(([name, binding]) => (binding.entity.kind === 'error' ? [name] : []));
  }

  /** Whether a `let` of a body around has this name, further down. */
  comesLater(name: string): boolean {
    for (let scope: NameScope | null = this; scope !== null; scope = scope.parent)
      if (scope.later.has(name)) return true;
    return false;
  }

  /** Every name seen from here, nearest first: for suggestions. */
  visibleNames(accept: (entity: Entity) => boolean): string[] {
    const found: string[] = [];
    for (let scope: NameScope | null = this; scope !== null; scope = scope.parent) {
      for (const [name, binding] of scope.#names) if (accept(binding.entity)) found.push(name);
    }
    return found;
  }
}

/** Where an expression stands. */
export interface ExprContext {
  readonly scope: NameScope;
  /** In an index along this axis: a bare name may be one of its points. */
  readonly points: AxisVar | null;
}

/** A checked body whose result has not been given a type yet. */
export interface CheckedBody {
  readonly scope: NameScope;
  readonly declarations: readonly Declaration[];
  readonly statements: readonly Stmt[];
  readonly result: CheckedValue;
  readonly span: Span;
}

/** The body with its result settled; null if the result has a mistake. */
export function finishBody(body: CheckedBody, result: Expr | null): Block | null {
  return result === null ? null : { declarations: body.declarations, statements: body.statements, result };
}
