/**
 * Error bounds of recurrences: the bound of what a step carries on is what the next step's own bound starts from, so it grows with the
 * steps as far as the step lets it: a decay below 1 keeps it bounded, a factor above 1 multiplies it. Where a run has what a step
 * carried on in memory, the next step starts from that, exactly: then a bound is that of one step.
 */
import { at, noNumber } from '../../dsl/diagnostics/invariants.ts';
import { CompilerBug } from '../../dsl/diagnostics/bug.ts';
import type { AxisId, Fold, Graph, GraphOutput, NodeId } from './graph-ir.ts';
import { RowMajorOffsets, type NumbersWithBounds } from './row-major-offsets.ts';

/** Evaluates a step, its inputs by name with their bounds. */
export type BoundStep = (
  body: Graph,
  inputs: ReadonlyMap<string, NumbersWithBounds>,
) => ReadonlyMap<NodeId, NumbersWithBounds>;

/** What a run carried out of a step, row-major over the axes it is carried in; null where that is not in its memory. */
export type CarriedOn = (carried: number, step: number) => Float64Array | null;

/** All results of a fold of these operands. */
export function boundFold(
  { axis, carried, body }: Fold,
  operands: readonly NumbersWithBounds[],
  sizes: ReadonlyMap<string, number>,
  step: BoundStep,
  carriedOn: CarriedOn = () => null,
): readonly NumbersWithBounds[] {
  const offsets = new RowMajorOffsets(body, sizes);
  const steps = offsets.length(axis);
  const inputs = body.inputs.slice(1);
  let now = inputs.slice(0, carried).map(({ axes }, i) => inOrder(offsets, operand(operands, i), axes));
  const collected = body.outputs.slice(carried).map((output): NumbersWithBounds => {
    const axes = [axis, ...axesOf(output)];
    return { axes, value: new Float64Array(offsets.count(axes)), delta: new Float64Array(offsets.count(axes)) };
  });
  for (let t = 0; t < steps; t++) {
    const number = { axes: [], value: Float64Array.of(t), delta: Float64Array.of(0) };
    if (t > 0)
      now = now.map((value, k) => {
        const known = carriedOn(k, t - 1);
        return known === null ? value : { ...value, value: known, delta: new Float64Array(known.length) };
      });
    const named = inputs.map(({ name }, i) => [name, i < carried ? operand(now, i) : operand(operands, i)] as const);
    const values = step(body, new Map([[at(body.inputs, 0, 'error bounds: step').name, number], ...named]));
    const given = body.outputs.map((output) => {
      const value = output.kind === 'tensor' ? values.get(output.node) : undefined;
      if (value === undefined) throw new CompilerBug('error bounds', `a step does not give ${output.name}`);
      return inOrder(offsets, value, axesOf(output));
    });
    now = given.slice(0, carried);
    given.slice(carried).forEach((each, k) => {
      collected[k]?.value.set(each.value, t * each.value.length);
      collected[k]?.delta.set(each.delta, t * each.delta.length);
    });
  }
  return [...now, ...collected];
}

const operand = (list: readonly NumbersWithBounds[], i: number): NumbersWithBounds =>
  at(list, i, 'error bounds: operand of a fold');

const axesOf = (output: GraphOutput): readonly AxisId[] => (output.kind === 'tensor' ? output.axes : []);

function inOrder(offsets: RowMajorOffsets, v: NumbersWithBounds, axes: readonly AxisId[]): NumbersWithBounds {
  const from = offsets.of(axes, v.axes);
  const take = (list: Float64Array): Float64Array => Float64Array.from(from, (i) => list[i] ?? noNumber());
  return { axes, value: take(v.value), delta: take(v.delta) };
}
