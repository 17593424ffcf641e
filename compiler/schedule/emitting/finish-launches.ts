/**
 * The launches of a plan that is kept: those that stand side by side become one, launches of equal structure share a kernel, classes of
 * devices get their forms, and each says what it does.
 */
import { at } from '../../../dsl/diagnostics/invariants.ts';
import { CompilerBug } from '../../../dsl/diagnostics/bug.ts';
import { idOf } from '../../../dsl/types/ids.ts';
import type { Kernel } from '../../kernel/kernel-ir.ts';
import type { DeviceClass } from '../../target.ts';
import type { BufferId, ClassForm, KernelId, Launch, Step, Work } from '../memory/plan.ts';
import { ExprEmitter } from './expression-emitter.ts';
import type { KernelTable } from './kernel-table.ts';
import { LaunchBuilder, type BuiltLaunch } from './launch-builder.ts';
import { besideOneAnother, type WrittenLaunch } from './launches-beside.ts';
import type { DraftLaunch, DraftStep, FormOptions, PlanBuilder } from './plan-builder.ts';
import { sumOf } from './size-sum.ts';
import { bytesOf, workOf } from './work.ts';

export interface FinishedLaunches {
  readonly kernels: readonly Kernel[];
  readonly steps: readonly Step[];
}

/** The steps of a plan, those of an inner list side by side. */
export function finishLaunches(
  plan: PlanBuilder,
  steps: readonly (DraftStep | readonly DraftLaunch[])[],
  known: KernelTable,
): FinishedLaunches {
  return new Finishing(plan, known).run(steps);
}

class Finishing {
  readonly #plan: PlanBuilder;
  readonly #known: KernelTable;
  readonly #kernels: Kernel[] = [];
  readonly #ids = new Map<Kernel, KernelId>();

  constructor(plan: PlanBuilder, known: KernelTable) {
    this.#plan = plan;
    this.#known = known;
  }

  run(steps: readonly (DraftStep | readonly DraftLaunch[])[]): FinishedLaunches {
    const finished = steps.map((step): Step => {
      if (!('kind' in step)) return this.#launch(step);
      return step.kind === 'extern' ? step : this.#launch([step]);
    });
    return { kernels: this.#kernels, steps: finished };
  }

  /** A launch of its own, or several as one. */
  #launch(parts: readonly DraftLaunch[]): Launch {
    const first = at(parts, 0, 'schedule: part of a launch');
    const labels = parts.map(({ options }) =>
      options.span === null ? options.what : `${options.what}: ${this.#plan.locationOf(options.span)}`,
    );
    const written = this.#together(parts.map(writtenOf));
    return {
      kind: 'launch',
      span: first.span,
      skipIfGiven: first.skipIfGiven,
      ...this.#form(written),
      label: labels.join(', beside '),
      forms: classesOf(parts).map((own): ClassForm => {
        const forms = parts.map((part) => this.#formOf(part, own));
        return { class: own.name, ...this.#form(this.#together(forms)) };
      }),
      work: this.#workOf(parts, written.buffers),
    };
  }

  #form({ kernel, ...rest }: WrittenLaunch): Omit<WrittenLaunch, 'kernel'> & { readonly kernel: KernelId } {
    return { ...rest, kernel: this.#idOf(this.#known.shared(kernel)) };
  }

  /** Of all parts, each by its own kernel. */
  #workOf(parts: readonly DraftLaunch[], buffers: readonly BufferId[]): Work {
    const works = parts.map(({ built, invocations }) =>
      workOf({ ...built, known: this.#known.known(built.kernel), invocations }),
    );
    return {
      domain: parts.map(({ options }) => options.domain).join(', and '),
      points: sumOf(parts.map(({ options }) => options.points)),
      flops: sumOf(works.map(({ flops }) => flops)),
      tripCount: sumOf(works.map(({ tripCount }) => tripCount)),
      // Buffers may grow until the last launch is made.
      bytes: bytesOf(buffers.map((b) => this.#plan.table.at(b).elements)),
    };
  }

  /** A form of a launch: it asks for no memory that the launch does not. */
  #formOf(launch: DraftLaunch, own: DeviceClass): WrittenLaunch {
    const { built, options } = launch;
    const { name, subgroupSize } = own;
    const form = formFor(launch, own);
    const { invocations, shape } = form;
    const write = (): BuiltLaunch => {
      const builder = new LaunchBuilder(`${options.family}_${name}`, subgroupSize, this.#plan.table, subgroupSize);
      form.write(new ExprEmitter(builder, this.#plan));
      return builder.finish();
    };
    const portable = { ...built, kernel: this.#known.shared(built.kernel) };
    return { ...this.#known.form(portable, own, shape, write), invocations };
  }

  #together(parts: readonly WrittenLaunch[]): WrittenLaunch {
    if (parts.length > 1) return besideOneAnother(parts, (kernels) => this.#known.beside(kernels));
    const { kernel, buffers, uniforms, invocations } = at(parts, 0, 'schedule: part of a launch');
    return { kernel, buffers, uniforms, invocations };
  }

  #idOf(kernel: Kernel): KernelId {
    const id = this.#ids.get(kernel) ?? idOf<KernelId>(this.#kernels.push(kernel) - 1);
    this.#ids.set(kernel, id);
    return id;
  }
}

/** The classes that have forms of one of several launches, which are the same for all that have forms. */
function classesOf(parts: readonly DraftLaunch[]): readonly DeviceClass[] {
  return (parts.find(({ forms }) => forms.length > 0)?.forms ?? []).map((form) => form.class);
}

/** The form of a launch for a class: its own, or the launch itself in workgroups as the class has them. */
function formFor({ forms, anySize, invocations }: DraftLaunch, own: DeviceClass): FormOptions {
  const form = forms.find((other) => other.class.name === own.name);
  if (form !== undefined) return form;
  if (anySize === null) throw new CompilerBug('schedule', `a launch beside others has no form for ${own.name}`);
  return { class: own, invocations, shape: null, write: anySize };
}

function writtenOf({ built: { kernel, buffers, uniforms }, invocations }: DraftLaunch): WrittenLaunch {
  return { kernel, buffers, uniforms, invocations };
}
