/**
 * Plans as text (`--emit=plan`): what a run is given, each launch with its points, its work and its buffers, and what each buffer's
 * life is. Formulas stay formulas; `describeLaunches` gives the same per launch as data, with numbers where sizes are given.
 *
 *   plan forward: 3 launches, 2 kernels, 1 slot
 *   given
 *     %0 x: f32[T * 5]                                 input
 *   launches
 *     0 matmul  contract: mixtral.moe:210    over T × E
 *         grid T * 2 threads, 64 a workgroup
 *         work at most 20 * T flops in 10 * T rounds, 36 * T bytes
 *         inner = 5, rows = T
 *         %0 %1 → %2
 */
import { asNumber, formatSize, substitute } from '../../../dsl/types/size.ts';
import type { Size } from '../../../dsl/types/size.ts';
import { lifetimes } from './assign-buffers.ts';
import { accessOf, buffersOf } from './plan.ts';
import type { BufferId, ClassForm, Launch, LaunchForm, Plan, PlanBuffer, PlanResult, Step } from './plan.ts';
import type { Kernel } from '../../kernel/kernel-ir.ts';

/** A plan as text, ending in a newline. */
export function printPlan(plan: Plan): string {
  const launches = plan.steps.filter((s) => s.kind === 'launch').length;
  const life = lifetimes(plan.steps.map((step) => ({ buffers: touched(plan, step) })));
  const lines = [
    `plan ${plan.name}: ${count(launches, 'launch', 'launches')}, ${count(plan.kernels.length, 'kernel')}, ${count(plan.allocations, 'slot')}`,
    'given',
    ...buffersOf(plan).flatMap(([id, b]) =>
      b.role.kind === 'input' || b.role.kind === 'store' ? [`  ${bufferLine(b, id)}`] : [],
    ),
    'launches',
    ...plan.steps.flatMap((step, i) => printStep(plan, step, i)),
    'memory',
    ...buffersOf(plan).flatMap(([id, b]) => {
      if (b.role.kind === 'input' || b.role.kind === 'store') return [];
      const lives = life.get(id);
      return [`  ${bufferLine(b, id)}${lives === undefined ? '' : `, lives ${lives.first} to ${lives.last}`}`];
    }),
    ...(plan.status.length === 0 ? [] : ['status']),
    ...plan.status.map(
      (s) =>
        `  ${s.word}: ${s.code} ${s.message}, over (${s.axes.map((a) => a.name).join(', ')}), for ${s.group}${s.unless.map((c) => `, skip if ${c} given`).join('')}: ${s.place}`,
    ),
    'results',
    ...plan.results.map((r) => `  ${printResult(r)}`),
  ];
  return `${lines.join('\n')}\n`;
}

function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}

function touched(plan: Plan, step: Step): readonly BufferId[] {
  const { reads, writes } = accessOf(plan, step);
  return [...reads, ...writes];
}

function bufferLine(buffer: PlanBuffer, id: BufferId): string {
  const { role } = buffer;
  const memory = role.kind === 'scratch' ? `slot ${role.allocation}` : role.kind === 'store' ? role.store : role.kind;
  return `%${id} ${buffer.label}: ${buffer.storageType}[${formatSize(buffer.elements)}], ${memory}`;
}

function printStep(plan: Plan, step: Step, i: number): readonly string[] {
  const { reads, writes } = accessOf(plan, step);
  const flow = `${reads.map((b) => `%${b}`).join(' ')} → ${writes.map((b) => `%${b}`).join(' ')}`.trim();
  if (step.kind === 'extern') return [`  ${i} ${step.label}`, `      ${flow}`];
  const kernel = plan.kernels[step.kernel];
  const skip = step.skipIfGiven === null ? '' : `, skip if ${step.skipIfGiven} given`;
  return [
    `  ${i} ${kernel?.name ?? '?'}#${step.kernel}  ${step.label}`,
    `      over ${step.work.domain}: ${formatSize(step.invocations)} threads, ${kernel?.sides?.join(' x ') ?? kernel?.workgroupSize ?? '?'} a workgroup${skip}`,
    `      at most ${formatSize(step.work.flops)} flops${inTrips(step)}, ${formatSize(step.work.bytes)} bytes`,
    ...(step.uniforms.length === 0 ? [] : [`      ${printUniforms(step, kernel)}`]),
    `      ${flow}`,
    ...step.forms.flatMap((form) => printForm(plan, form)),
  ];
}

/** How a class of devices does a launch. */
function printForm(plan: Plan, form: ClassForm): readonly string[] {
  const kernel = plan.kernels[form.kernel];
  return [
    `      ${form.class}: ${kernel?.name ?? '?'}#${form.kernel}, ${formatSize(form.invocations)} threads, ${kernel?.workgroupSize ?? '?'} a workgroup`,
    ...(form.uniforms.length === 0 ? [] : [`          ${printUniforms(form, kernel)}`]),
    `          ${form.buffers.map((b) => `%${b}`).join(' ')}`,
  ];
}

/** How often the innermost loops run, where there are any. */
function inTrips({ work }: Launch): string {
  return asNumber(work.tripCount) === 0 ? '' : ` in ${formatSize(work.tripCount)} rounds`;
}

/** The sizes, strides and offsets that the kernel is given: one formula that is off shows here. */
function printUniforms(step: LaunchForm, kernel: Kernel | undefined): string {
  return step.uniforms
    .map((value, i) => {
      const name = kernel?.uniforms[i]?.name ?? '?';
      return `${name} = ${value.kind === 'seed' ? 'the seed' : formatSize(value.size)}`;
    })
    .join(', ');
}

function printResult(result: PlanResult): string {
  const axes = (list: readonly { readonly name: string }[]) => list.map((a) => a.name).join(', ');
  if (result.kind === 'tensor')
    return `${result.group} ${result.name}: ${result.element}[${axes(result.axes)}] = %${result.buffer}`;
  const { sources, targets, present, weight, rank } = result;
  return `${result.group} ${result.name}: route[${axes(sources)} -> ${axes(targets)}] = %${present} %${weight} %${rank}`;
}

export interface LaunchDescription {
  readonly step: number;
  readonly kernel: string;
  readonly label: string;
  readonly domain: string;
  readonly points: string;
  readonly threads: string;
  readonly rounds: string;
  readonly flops: string;
  readonly bytes: string;
}

/** What each launch does, in words and numbers; formulas where an axis has no size. */
export function describeLaunches(
  plan: Plan,
  sizes: ReadonlyMap<string, number> = new Map(),
): readonly LaunchDescription[] {
  const shown = (size: Size): string => {
    const known = substitute(size, sizes);
    return String(asNumber(known) ?? formatSize(known));
  };
  return plan.steps.flatMap((step, i) => {
    if (step.kind === 'extern') return [];
    const { invocations: threads, work, label } = step;
    const kernel = plan.kernels[step.kernel]?.name ?? '?';
    return [
      {
        step: i,
        kernel,
        label,
        domain: work.domain,
        points: shown(work.points),
        threads: shown(threads),
        rounds: shown(work.tripCount),
        flops: shown(work.flops),
        bytes: shown(work.bytes),
      },
    ];
  });
}
