/** Launches of test kernels: buffers and uniforms by name, bounds and races checked. */
import type { BufferBinding, KernelLaunch } from '../../compiler/kernel/interpret-kernel.ts';

export function launch(
  groups: number,
  buffers: Record<string, BufferBinding['data']>,
  uniforms: Record<string, number> = {},
): KernelLaunch {
  return {
    workgroups: [groups, 1],
    buffers: new Map(Object.entries(buffers).map(([name, data]) => [name, { data }])),
    uniforms: new Map(Object.entries(uniforms)),
    checks: { bounds: true, races: true },
  };
}
