/** An axis N of so many points, as all that a graph has: for bounds of lists of numbers. */
import { RowMajorOffsets } from '../../compiler/graph/row-major-offsets.ts';
import { exact } from '../../dsl/types/size.ts';

export const line = (n: number): RowMajorOffsets =>
  new RowMajorOffsets(
    {
      name: 'line',
      axes: new Map([[0, { id: 0, name: 'N', size: exact(n) }]]),
      leaves: [],
      externs: [],
      nodes: [],
      roots: [],
      checks: [],
    },
    new Map(),
  );
