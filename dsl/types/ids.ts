/**
 * Ids that cannot be taken for one another. An id is a number, and a list may be indexed by it; but an axis is no node and a local
 * is no declaration, and a function that is given the wrong one does not compile.
 */
declare const brand: unique symbol;

/**
 * The id of what the name says. Each room names its own: the ids of programs below, of graphs in compiler/graph/graph-ir.ts, of
 * plans in compiler/schedule/memory/plan.ts.
 */
export type Id<Name extends string> = number & { readonly [brand]: Name };

/** An axis as the program declares it; what instantiation and the graph make of it has ids of its own. */
export type ProgramAxisId = Id<'axis of the program'>;
/** A const, param, state, input, callable, instance or union. */
export type DeclarationId = Id<'declaration'>;
/** What a program declares by a name: axes and all else. */
export type DeclaredId = ProgramAxisId | DeclarationId;
/** What a `let`, a formal or a carry binds. */
export type LocalId = Id<'local'>;
/** A chain's variable, or the index that a family names (`fn f[l in L]`). */
export type IndexId = Id<'index'>;
/** What the name of an axis stands for in one elaboration (axis.ts): one declaration may be many of them. */
export type ConcreteAxisId = Id<'concrete axis'>;
/** A param, state or input of one instance. */
export type VariableId = Id<'variable'>;
/** Whatever has an id in a program: they share one number space. */
export type ProgramId = DeclaredId | LocalId | IndexId;

/**
 * A number becomes an id where the thing it is the id of is made: by whoever counts them, reads them from text, or goes over a list whose
 * places they are. That is the one assertion: a brand exists in types only, so nothing could be tested.
 */
export function idOf<I extends Id<string>>(number: number): I {
  return number as I;
}
