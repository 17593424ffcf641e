/** A call of a primitive with concrete axes, over the handles of any executor: T is a dense tensor, R a route. */
import type { Span } from '../diagnostics/diagnostic.ts';
import type { Axis } from './axis.ts';
import type { PrimitiveName } from './primitive-names.ts';
import type { ElementType } from './program.ts';
import type { Size } from './size.ts';

export type Operand<T, R> =
  { readonly kind: 'tensor'; readonly value: T } | { readonly kind: 'route'; readonly value: R };

/** A call of a primitive with concrete axes: see dsl/primitives for each one's parameters. */
export interface PrimitiveCall<T, R> {
  readonly name: PrimitiveName;
  readonly args: ReadonlyMap<string, Operand<T, R>>;
  readonly axes: ReadonlyMap<string, readonly Axis[]>;
  readonly attributes: ReadonlyMap<string, Size | boolean>;
  /** Result type: element, and for a route its orientation (visible sources, targets, payload). */
  readonly element: ElementType;
  readonly span: Span;
  /** Axes carried into the body around, and its family's: a draw has a number for each of their points. */
  readonly batchAxes: readonly Axis[];
  /** Textual place of the call (instance names, position in the text) with chain indices: seeds draws. */
  readonly seedKey: string;
}
