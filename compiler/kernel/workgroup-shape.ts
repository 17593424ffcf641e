/** The shape of a kernel's workgroups: what limits say of it, and what a subgroup asks of it. */
import type { TargetLimits } from '../target.ts';
import type { Kernel, Sides } from './kernel-ir.ts';

/** The sides of a workgroup along x, y and z. */
export function sidesOf({ sides, workgroupSize }: Pick<Kernel, 'sides' | 'workgroupSize'>): Sides {
  return sides ?? [workgroupSize, 1, 1];
}

/** Features that a device must have for a kernel, by WebGPU's names. */
export function featuresOf({ subgroupSize }: Pick<Kernel, 'subgroupSize'>): readonly string[] {
  return subgroupSize === undefined ? [] : ['subgroups'];
}

/** What is wrong with the shape of a kernel's workgroups, one sentence each. */
export function shapeViolations(kernel: Kernel, limits: TargetLimits): readonly string[] {
  const { workgroupSize, subgroupSize } = kernel;
  const sides = sidesOf(kernel);
  const found: string[] = [];
  const atMost = (what: string, value: number, limit: number): void => {
    if (value > limit) found.push(`${what}: ${value}, and the limit is ${limit}`);
  };
  const [x, y, z] = sides;
  atMost('workgroup size', x, limits.maxComputeWorkgroupSizeX);
  atMost('workgroup size along y', y, limits.maxComputeWorkgroupSizeY);
  atMost('workgroup size along z', z, limits.maxComputeWorkgroupSizeZ);
  atMost('threads per workgroup', workgroupSize, limits.maxComputeInvocationsPerWorkgroup);
  if (!sides.every((side) => Number.isInteger(side) && side >= 1))
    found.push(`the workgroup size is ${sides.join(' x ')}`);
  if (x * y * z !== workgroupSize) found.push(`${workgroupSize} threads are no workgroup of ${sides.join(' x ')}`);
  if (subgroupSize === undefined) return found;
  if (![4, 8, 16, 32, 64, 128].includes(subgroupSize)) found.push(`no device has subgroups of ${subgroupSize}`);
  else if (x % subgroupSize !== 0) found.push(`a side of ${x} is no number of subgroups of ${subgroupSize}`);
  return found;
}
