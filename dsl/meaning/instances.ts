/**
 * Instances and frames: where a program's declarations live while it is instantiated.
 *
 * An *instance* is one appearance of a callable with its own declarations: the model itself, a router, one instance of a
 * template. Its params, states and inputs exist once, over the axes of all the families around it (`family`), however
 * often it is called. A *frame* is one call: which points or windows of the family axes are meant (`selection`), the
 * indices a family names, the locals, and what is carried.
 */
import type { ConcreteAxisId, DeclarationId, IndexId } from '../types/ids.ts';
import type { Axis } from '../types/axis.ts';
import type { Selection, Variable } from './backend.ts';
import type { Size } from '../types/size.ts';

export type StaticValue =
  | { readonly kind: 'number'; readonly size: Size }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'string'; readonly value: string };

export interface Instance {
  /** Host path, '' for the model. */
  readonly path: string;
  /** The callable whose body's declarations live here; null for the model (and for the library's globals). */
  readonly owner: DeclarationId | null;
  /** The instance in whose scope the callable (or template) is declared; null for the model. */
  readonly parent: Instance | null;
  /** The instance whose body says `= Template<...>`; the parent for anything else. */
  readonly instantiatedIn: Instance | null;
  /** The declaration that made this instance (an instance declaration or the callable itself), null for the model. */
  readonly declaration: DeclarationId | null;
  /** Root axes of all families around, outermost first. */
  readonly family: readonly Axis[];
  /** The points of families for which it was made, where its arguments depend on their indices; else empty. */
  readonly indices: ReadonlyMap<IndexId, number>;
  /** What was made so far, by declaration (and the indices it depends on). */
  readonly made: Map<string, Created>;
  /** Inner axis → outer axis, for axis parameters that had to be set apart (two of them bound to one axis). */
  readonly outer: Map<Axis, Axis>;
}

export type Created =
  | { readonly kind: 'axis'; readonly axis: Axis }
  | { readonly kind: 'static'; readonly value: StaticValue }
  | { readonly kind: 'variable'; readonly variable: UsedVariable }
  | { readonly kind: 'instance'; readonly instance: Instance }
  /** Being computed: meeting it again is a cycle. */
  | { readonly kind: 'pending' };

/** A variable and which of its members the instantiated program reads: only those are required of a checkpoint. */
export interface UsedVariable {
  readonly variable: Variable;
  readonly instance: Instance;
  /** Indices over the family axes, joined by commas; 'all' when a family axis has no constant size. */
  readonly members: Set<string>;
  /** The same variable as the other instances of its declaration know it: more than one where arguments depend on a family's index. */
  readonly variants: UsedVariable[];
}

/** How a union's members lie along its axis. */
export interface UnionLayout {
  readonly axis: Axis;
  readonly members: readonly { readonly axes: readonly Axis[]; readonly offset: Size; readonly length: Size }[];
}

export type FamilyValue<R> =
  | {
      readonly kind: 'function';
      readonly instance: Instance;
      readonly callable: DeclarationId;
      /** For every root family axis of the instance, by axis id. */
      readonly selection: ReadonlyMap<ConcreteAxisId, Selection>;
      readonly indices: ReadonlyMap<IndexId, number>;
      readonly span?: R;
    }
  | {
      readonly kind: 'union';
      readonly axis: Axis;
      readonly layout: UnionLayout;
      readonly members: readonly { readonly family: FamilyValue<R>; readonly axes: readonly Axis[] }[];
    };

/** Where two instances of one path come from two declarations: the outermost two that differ; null if they are of one. */
export function differentOrigin(
  a: Instance,
  b: Instance,
): { readonly first: DeclarationId | null; readonly second: DeclarationId | null } | null {
  if (a === b) return null;
  const outer =
    a.instantiatedIn === null || b.instantiatedIn === null ? null : differentOrigin(a.instantiatedIn, b.instantiatedIn);
  if (outer !== null) return outer;
  return a.declaration === b.declaration ? null : { first: a.declaration, second: b.declaration };
}
