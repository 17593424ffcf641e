/** The verifier of plans: what plan.ts promises, and that every kernel is well formed and fits the target. */
import { printKernel } from '../../kernel/print-kernel.ts';
import { asNumber } from '../../../dsl/types/size.ts';
import { isAtomic, lanesOf, loadedType } from '../../kernel/kernel-typing.ts';
import { verifyKernel } from '../../kernel/verify-kernel.ts';
import { webgpuCore } from '../../target.ts';
import type { Target } from '../../target.ts';
import { accessOf, buffersOf, formsOf } from './plan.ts';
import type { Kernel } from '../../kernel/kernel-ir.ts';
import type { AllocationId, BufferId, Launch, Plan, PlanBuffer, PlanResult } from './plan.ts';

/** What is wrong with a plan, one sentence each; empty if nothing is. */
export function verifyPlan(plan: Plan, target: Target): readonly string[] {
  return [...kernelFaults(plan, target), ...planFaults(plan)];
}

/** Of what is around the kernels: every compilation looks at those itself, once they are legal. */
export function planFaults(plan: Plan): readonly string[] {
  return [...referenceFaults(plan), ...bindingFaults(plan), ...formFaults(plan), ...lifeFaults(plan)];
}

/** Buffers that are named are there, and no kernel is there twice. */
function referenceFaults(plan: Plan): readonly string[] {
  const there = (buffer: BufferId, what: string): readonly string[] =>
    plan.buffers[buffer] === undefined ? [`${what} is in no buffer (${buffer})`] : [];
  return [
    ...(new Set(plan.kernels).size < plan.kernels.length ? ['a kernel is there twice'] : []),
    ...plan.steps.flatMap((step) => {
      const { reads, writes } = accessOf(plan, step);
      return [...reads, ...writes].flatMap((buffer) => there(buffer, `what ${step.label} uses`));
    }),
    ...plan.results.flatMap((result) => returnedBy(result).flatMap((b) => there(b, `result ${result.name}`))),
    ...(plan.status.length > 0 && !plan.buffers.some((b) => b.role.kind === 'status') ? ['faults have no words'] : []),
  ];
}

function kernelFaults(plan: Plan, target: Target): readonly string[] {
  const texts = new Set<string>();
  return plan.kernels.flatMap((kernel, i) => {
    const faults = verifyKernel(kernel, target.limits).map((fault) => `kernel ${i} ${kernel.name}: ${fault}`);
    const text = printKernel(kernel);
    if (texts.has(text)) faults.push(`kernel ${i} ${kernel.name} is there twice`);
    texts.add(text);
    return faults;
  });
}

/** Buffers and uniforms of launches agree with their kernels. */
function bindingFaults(plan: Plan): readonly string[] {
  const faults: string[] = [];
  for (const step of plan.steps.flatMap(formsOf)) {
    const kernel = plan.kernels[step.kernel];
    if (kernel === undefined) {
      faults.push(`${step.label}: no kernel ${step.kernel}`);
      continue;
    }
    if (kernel.buffers.length !== step.buffers.length)
      faults.push(`${step.label}: ${step.buffers.length} buffers for ${kernel.buffers.length}`);
    if (kernel.uniforms.length !== step.uniforms.length)
      faults.push(`${step.label}: ${step.uniforms.length} uniforms for ${kernel.uniforms.length}`);
    faults.push(...gridFaults(step, kernel));
    for (const [i, decl] of kernel.buffers.entries()) {
      const bound = step.buffers[i];
      const buffer = bound === undefined ? undefined : plan.buffers[bound];
      if (buffer === undefined) faults.push(`${step.label}: ${decl.name} is bound to no buffer`);
      else if (loadedType(decl.element) !== buffer.storageType)
        faults.push(`${step.label}: ${decl.name} is ${decl.element}, ${buffer.label} ${buffer.storageType}`);
      else if (!holdsVectors(buffer, lanesOf(decl)))
        faults.push(
          `${step.label}: ${decl.name} is read by ${lanesOf(decl)}, of which ${buffer.label} has no whole number`,
        );
      else if (isAtomic(decl.element) && buffer.role.kind !== 'status')
        faults.push(`${step.label}: ${buffer.label} is atomic and no status`);
    }
  }
  return faults;
}

/** A form reads and writes what its launch does, or less: who frees memory and orders launches looks at those alone. */
function formFaults(plan: Plan): readonly string[] {
  return plan.steps.flatMap((step) => {
    const [portable, ...forms] = formsOf(step);
    if (portable === undefined) return [];
    const { reads, writes } = accessOf(plan, portable);
    return forms.flatMap((form) => {
      const own = accessOf(plan, form);
      const same = own.writes.length === writes.length && own.writes.every((b) => writes.includes(b));
      return same && own.reads.every((b) => reads.includes(b)) ? [] : [`${form.label}: other memory than the launch's`];
    });
  });
}

/** A launch has the grid that its kernel's shape asks for, within what every device has as far as sizes are known. */
function gridFaults({ label, grid }: Launch, { name, sides }: Kernel): readonly string[] {
  if ((grid === undefined) !== (sides === undefined)) return [`${label}: ${name} asks for a grid of other dimensions`];
  return (grid ?? []).flatMap((side, i) => {
    const known = asNumber(side);
    const fits = known === null || known <= webgpuCore.limits.maxComputeWorkgroupsPerDimension;
    return fits ? [] : [`${label}: ${known} workgroups along ${'xyz'.charAt(i)}, more than a device has`];
  });
}

/** Whether a buffer is a whole number of vectors, as far as its size is known; the runtime looks at what a run decides. */
function holdsVectors({ elements }: PlanBuffer, lanes: number): boolean {
  const known = asNumber(elements);
  return known === null || known % lanes === 0;
}

/** Nothing is read before it is written, written where it is also read, or returned without being written. */
function lifeFaults(plan: Plan): readonly string[] {
  const faults: string[] = [];
  const ready = new Set<BufferId>();
  const allocationOwner = new Map<AllocationId, BufferId>();
  const allocationOf = (buffer: BufferId) => {
    const role = plan.buffers[buffer]?.role;
    return role?.kind === 'scratch' ? role.allocation : null;
  };
  const label = (buffer: BufferId) => plan.buffers[buffer]?.label ?? `buffer ${buffer}`;
  for (const [id, { role }] of buffersOf(plan)) {
    const filled =
      role.kind === 'input' || role.kind === 'status' || (role.kind === 'store' && role.store !== 'control');
    if (filled) ready.add(id);
    if (role.kind === 'scratch' && (role.allocation < 0 || role.allocation >= plan.allocations))
      faults.push(`${label(id)} has no allocation ${role.allocation}`);
  }
  const controls = buffersOf(plan).flatMap(([id, { role }]) =>
    role.kind === 'store' && role.store === 'control' ? [id] : [],
  );
  for (const step of plan.steps) {
    const { reads, writes } = accessOf(plan, step);
    for (const read of reads) {
      const allocation = allocationOf(read);
      const control = controls.includes(read);
      if (!ready.has(read) && !control) faults.push(`${step.label} reads ${label(read)} before it is written`);
      if (allocation !== null && allocationOwner.get(allocation) !== read && ready.has(read))
        faults.push(`${step.label} reads ${label(read)}, whose allocation was given away`);
      if (writes.includes(read)) faults.push(`${step.label} reads and writes ${label(read)}`);
      if (allocation !== null && writes.some((w) => w !== read && allocationOf(w) === allocation))
        faults.push(`${step.label} writes into the memory of ${label(read)}`);
    }
    if (new Set(writes.map((w) => allocationOf(w) ?? `buffer ${w}`)).size < new Set(writes).size)
      faults.push(`${step.label} writes one memory twice`);
    for (const w of writes) {
      ready.add(w);
      const allocation = allocationOf(w);
      if (allocation !== null) allocationOwner.set(allocation, w);
    }
  }
  for (const result of plan.results) {
    for (const buffer of returnedBy(result))
      if (!ready.has(buffer)) faults.push(`result ${result.name} is never written`);
  }
  return faults;
}

function returnedBy(result: PlanResult): readonly BufferId[] {
  return result.kind === 'tensor' ? [result.buffer] : [result.present, result.weight, result.rank];
}
