/** Stores as the manifest describes them: shape, checkpoint cells, and what stands there when no checkpoint has them. */
import type { AxisSpec, WeightSliceSpec, VariableSpec } from '../../runtime/contract/manifest.ts';
import type { Axis } from '../../dsl/types/axis.ts';
import type { WeightSlice } from '../../dsl/meaning/weight-slices.ts';
import type { UsedVariable } from '../../dsl/meaning/instances.ts';
import { sizeFormula } from './size-formula.ts';

export function axisSpec(axis: Axis): AxisSpec {
  return { name: axis.name, size: sizeFormula(axis.size) };
}

/** A store that the walked program reads, where a checkpoint has it, and whether initial values alone read it. */
export interface DescribedVariable {
  readonly used: UsedVariable;
  readonly cells: readonly WeightSlice[] | null;
  readonly onlyForInitials: boolean;
}

export function variableSpec(
  { used, cells, onlyForInitials }: DescribedVariable,
  initial: VariableSpec['initial'],
): VariableSpec {
  const { store } = used;
  return {
    path: store.path,
    kind: store.declaration.store === 'input' ? 'control' : store.declaration.store,
    element: store.element,
    axes: [...store.family, ...store.declared].map(axisSpec),
    within: store.within === null ? null : axisSpec(store.within),
    frozen: store.declaration.frozen,
    cells: cells === null ? null : cells.map(cellSpec),
    initial,
    ...(onlyForInitials ? { onlyForInitials: true } : {}),
  };
}

function cellSpec(cell: WeightSlice): WeightSliceSpec {
  return {
    tensor: cell.tensor,
    shape: cell.shape,
    decoder: cell.decoder,
    scales: cell.others[0] ?? null,
    from: cell.from,
    offset: cell.offset,
    dims: cell.dims,
  };
}
