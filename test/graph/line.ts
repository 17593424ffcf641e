/** An axis N of so many points, as all that a graph has: for bounds of lists of numbers. */
import { RowMajorOffsets } from '../../compiler/graph/row-major-offsets.ts';
import type { AxisId, Graph } from '../../compiler/graph/graph-ir.ts';
import { idOf } from '../../dsl/types/ids.ts';
import { exact } from '../../dsl/types/size.ts';

export const N = idOf<AxisId>(0);

export const lineGraph = (n: number): Graph => ({
  name: 'line',
  axes: new Map([[N, { id: N, name: 'N', size: exact(n) }]]),
  inputs: [],
  externs: [],
  folds: [],
  nodes: [],
  outputs: [],
  checks: [],
});

export const line = (n: number): RowMajorOffsets => new RowMajorOffsets(lineGraph(n), new Map());
