/** Axes and element types that an operation of the graph gives, from those of its operands; and the parts of operations that have several. */
import type { Size } from '../../dsl/types/size.ts';
import { at, missing } from '../../dsl/diagnostics/invariants.ts';
import type { AxisId, ElementType, Fold, MapOp, NodeId } from './graph-ir.ts';

export interface OrderKey {
  readonly node: NodeId;
  readonly descending: boolean;
}
export interface ConcatPart {
  readonly node: NodeId;
  readonly axis: AxisId | null;
}
export interface DrawRoot {
  readonly axis: AxisId;
  readonly name: string;
  readonly offset: Size;
}

const truths: ReadonlySet<MapOp> = new Set(['eq', 'ne', 'lt', 'le', 'gt', 'ge', 'and', 'or', 'not']);

/** Elementwise: comparisons are bool, numbers f32 as soon as one of them is a float. The condition of `where` has no say. */
export function elementOfMap(op: MapOp, operands: readonly ElementType[]): ElementType {
  if (truths.has(op)) return 'bool';
  const elements = op === 'where' ? operands.slice(1) : operands;
  if (elements.some((e) => e === 'f32' || e === 'f16')) return 'f32';
  return elements[0] ?? 'f32';
}

/** Sums of f16 are kept in f32. */
export function elementOfSum(operand: ElementType): ElementType {
  return operand === 'f16' ? 'f32' : operand;
}

/** The concatenated axis stands where that of the leading part does, among the axes that its parts share. */
export function axesOfConcat(
  lead: readonly AxisId[],
  own: AxisId | null,
  others: readonly AxisId[],
  axis: AxisId,
): readonly AxisId[] {
  const before = own === null ? -1 : lead.indexOf(own);
  const position = before < 0 ? 0 : lead.slice(0, before).filter((a) => others.includes(a)).length;
  return [...others.slice(0, position), axis, ...others.slice(position)];
}

/** Of a result of a recurrence: what is carried is as it enters a step, what is collected has the axis of the steps in front. */
export function typeOfFold(
  { axis, carried, body }: Fold,
  result: number,
): { readonly element: ElementType; readonly axes: readonly AxisId[] } {
  if (result < carried) {
    const { element, axes } = at(body.inputs, result + 1, 'graph: carried value');
    return { element, axes };
  }
  const output = at(body.outputs, result, 'graph: result of a fold');
  if (output.kind !== 'tensor') return missing('graph: tensor among the results of a fold', result);
  return { element: at(body.nodes, output.node, 'graph: result of a step').element, axes: [axis, ...output.axes] };
}
