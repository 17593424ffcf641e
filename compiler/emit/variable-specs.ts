/** Variables as the manifest describes them: shape, checkpoint slices, and what stands there when no checkpoint has them. */
import type { AxisSpec, WeightSliceSpec, VariableSpec } from '../../runtime/contract/manifest.ts';
import type { Axis } from '../../dsl/types/axis.ts';
import type { WeightSlice } from '../../dsl/meaning/weight-slices.ts';
import type { UsedVariable } from '../../dsl/meaning/instances.ts';
import { sizeFormula } from './size-formula.ts';

export function axisSpec(axis: Axis): AxisSpec {
  return { name: axis.name, size: sizeFormula(axis.size) };
}

/** A variable that the instantiated program reads, where a checkpoint has it, and whether initial values alone read it. */
export interface DescribedVariable {
  readonly used: UsedVariable;
  readonly slices: readonly WeightSlice[] | null;
  readonly onlyForInitials: boolean;
}

export function variableSpec(
  { used, slices, onlyForInitials }: DescribedVariable,
  initial: VariableSpec['initial'],
): VariableSpec {
  const { variable } = used;
  return {
    path: variable.path,
    kind: variable.declaration.role,
    element: variable.element,
    axes: [...variable.family, ...variable.declared].map(axisSpec),
    within: variable.within === null ? null : axisSpec(variable.within),
    frozen: variable.declaration.frozen,
    cells: slices === null ? null : slices.map(weightSliceSpec),
    initial,
    ...(onlyForInitials ? { onlyForInitials: true } : {}),
  };
}

function weightSliceSpec(slice: WeightSlice): WeightSliceSpec {
  return {
    tensor: slice.tensor,
    shape: slice.shape,
    decoder: slice.decoder,
    scales: slice.others[0] ?? null,
    from: slice.from,
    offset: slice.offset,
    dims: slice.dims,
  };
}
