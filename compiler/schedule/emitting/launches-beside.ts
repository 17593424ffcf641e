/** Launches side by side, as one (kernel/side-by-side.ts): what they bind, each buffer once, and the numbers that they are given. */
import { at } from '../../../dsl/diagnostics/invariants.ts';
import { ceilDiv, exact, multiply, type Size } from '../../../dsl/types/size.ts';
import type { Kernel } from '../../kernel/kernel-ir.ts';
import { lanesOf } from '../../kernel/kernel-typing.ts';
import { arrayKind, type KernelPart } from '../../kernel/side-by-side.ts';
import { forEachStatement } from '../../kernel/visit-kernel.ts';
import type { LaunchShape } from '../deciding/choose-beside.ts';
import type { BufferId, UniformValue } from '../memory/plan.ts';
import { sumOf } from './size-sum.ts';

/** A launch, or a form of it. */
export interface WrittenLaunch {
  readonly kernel: Kernel;
  readonly buffers: readonly BufferId[];
  readonly uniforms: readonly UniformValue[];
  readonly invocations: Size;
}

/** How each buffer is bound: those that parts bind in the same way are bound once. */
function bindingsOf({ kernel, buffers }: Pick<WrittenLaunch, 'kernel' | 'buffers'>): readonly string[] {
  return kernel.buffers.map((decl, i) => `${at(buffers, i, 'schedule: buffer of a launch')} by ${lanesOf(decl)}`);
}

export function shapeOf(
  { kernel, buffers }: Pick<WrittenLaunch, 'kernel' | 'buffers'>,
  classes: LaunchShape['classes'],
): LaunchShape {
  let length = 0;
  forEachStatement(kernel.body, () => (length += 1));
  const { workgroupSize, arrays } = kernel;
  const bindings = new Map(bindingsOf({ kernel, buffers }).map((name, i) => [name, at(buffers, i, 'schedule: buffer')]));
  return { workgroupSize, classes, bindings, arrays: arrays.map(arrayKind).toSorted(), length };
} // prettier-ignore

/** The first of them has the first workgroups. `kernelOf`: the kernel of such parts (kernel/side-by-side.ts). */
export function besideOneAnother(
  parts: readonly WrittenLaunch[],
  kernelOf: (parts: readonly KernelPart[]) => Kernel,
): WrittenLaunch {
  const names = new Map<string, string>();
  const bound: BufferId[] = [];
  const named = parts.map((part) => ({
    kernel: part.kernel,
    buffers: bindingsOf(part).map((binding, i) => {
      const known = names.get(binding);
      if (known !== undefined) return known;
      const name = `b${bound.push(at(part.buffers, i, 'schedule: buffer of a launch')) - 1}`;
      names.set(binding, name);
      return name;
    }),
  }));
  const kernel = kernelOf(named);
  const { workgroupSize } = kernel;
  const groups = parts.map(({ invocations }) => ceilDiv(invocations, workgroupSize));
  const counts = groups.slice(0, -1).map((size): UniformValue => ({ kind: 'size', size }));
  return {
    kernel,
    buffers: bound,
    uniforms: [...parts.flatMap(({ uniforms }) => uniforms), ...counts],
    invocations: multiply([sumOf(groups), exact(workgroupSize)]),
  };
}
