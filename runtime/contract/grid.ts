/** How many workgroups a dispatch has in each dimension: the same for every executor, so that kernels see the indices they will see. */

/** What every device allows in one dimension (WebGPU, `maxComputeWorkgroupsPerDimension`). */
export const WORKGROUPS_PER_DIMENSION = 65_535;

/** Whether a grid of three dimensions fits a device. */
export function fitsGrid(grid: readonly [number, number, number], limit: number): boolean {
  return grid.every((side) => side <= limit);
}

/** A grid of `workgroups` or a few more, within `most` in each dimension; kernels return past their work. null: there is none. */
export function foldGrid(workgroups: number, limit: number): readonly [number, number] | null {
  if (workgroups <= limit) return [workgroups, 1];
  const y = Math.ceil(workgroups / limit);
  return y > limit ? null : [Math.ceil(workgroups / y), y];
}
