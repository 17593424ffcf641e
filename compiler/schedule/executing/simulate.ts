/**
 * simulate: a plan on the CPU, launch by launch (`--on kernels`). It runs what ships: the manifest's plan with its kernels legalised,
 * laid out by the runtime (sizes, bindings, grids, uniforms, fault words, calls of the host, results). Only how one kernel is run
 * differs: here the kernel interpreter does it.
 *
 * Memory is hostile: every scratch buffer and result is filled with a NaN pattern when its life begins, so that a value nobody wrote
 * shows. Accesses out of bounds are errors, and with `races` also two threads that meet on one element.
 */
import { CompilerBug } from '../../../dsl/diagnostics/bug.ts';
import { at, get } from '../../../dsl/diagnostics/invariants.ts';
import type { ExternFunction } from '../../../runtime/contract/ask-host.ts';
import {
  buffersForHost,
  isSkipped,
  kernelsOf,
  layOut,
  type LaunchLayout,
  type PlanLayout,
} from '../../../runtime/contract/buffer-layout.ts';
import type { RunError } from '../../../runtime/contract/errors.ts';
import { callExtern } from '../../../runtime/contract/externs.ts';
import { faultsOf, type FaultRun } from '../../../runtime/contract/faults.ts';
import { fitsGrid, foldGrid, WORKGROUPS_PER_DIMENSION } from '../../../runtime/contract/grid.ts';
import type { ExternSpec, KernelSpec, PlanSpec, VariableSpec } from '../../../runtime/contract/manifest.ts';
import { POISON } from '../../../runtime/contract/poison.ts';
import type { Sizes } from '../../../runtime/contract/sizes.ts';
import { compileKernel, type KernelProgram } from '../../kernel/interpret-kernel.ts';
import type { Kernel } from '../../kernel/kernel-ir.ts';
import { lifetimes } from '../memory/assign-buffers.ts';
import { allocate, uniformAt, uniformsOf, type GivenMemory } from './run-memory.ts';
import { COUNTERS, countsOf, withCounters, type WorkCounted } from './count-work.ts';

/** A plan as it ships, with what it names by number. */
export interface Executable {
  readonly plan: PlanSpec;
  readonly stores: readonly Pick<VariableSpec, 'kind'>[];
  readonly kernelSpecs: readonly KernelSpec[];
  /** The kernels that `kernelSpecs` describe, as the target has them. */
  readonly kernels: readonly Kernel[];
}

export interface SimulatedRun extends FaultRun, GivenMemory {
  /** Sizes of the dynamic axes. */
  readonly sizes: Sizes;
  readonly seed: number;
  /** A function of the host by its name. */
  readonly extern: (name: string) => ExternFunction;
  readonly signal?: AbortSignal | undefined;
  /** Told after every step, with a way to look at the plan's buffers as they are then. */
  readonly after?: ((step: number, words: (buffer: number) => Uint32Array) => void) | undefined;
}

export interface SimulationChecks {
  readonly races?: boolean;
  /** Counts what each step does (count-work.ts). */
  readonly counts?: boolean;
}

export interface Simulated {
  readonly layout: PlanLayout;
  /** What a buffer held at the end. */
  readonly words: (buffer: number) => Uint32Array<ArrayBuffer>;
  /** What went wrong, in the order of the plan. */
  readonly faults: readonly RunError[];
  /** With `counts`: for each step; null for externs, and for what was skipped. */
  readonly counts: readonly (WorkCounted | null)[];
}

/** An executable with its kernels compiled, for any number of runs. */
export class Simulator {
  readonly #executable: Executable;
  readonly #checks: SimulationChecks;
  /** The kernels that the plan launches, by their numbers: forms of other classes of devices are not compiled. */
  readonly #compiled: ReadonlyMap<number, { readonly kernel: Kernel; readonly program: KernelProgram }>;
  /** Buffers whose life begins at a step. */
  readonly #born: readonly (readonly number[])[];

  constructor(executable: Executable, checks: SimulationChecks = {}) {
    this.#executable = executable;
    this.#checks = checks;
    this.#compiled = new Map(
      [...new Set(kernelsOf(executable.plan))].map((number) => {
        const shipped = at(executable.kernels, number, 'simulate: kernel');
        const kernel = checks.counts === true ? withCounters(shipped) : shipped;
        return [number, { kernel, program: compileKernel(kernel) }] as const;
      }),
    );
    const { buffers, steps } = executable.plan;
    const life = lifetimes(
      steps.map((step) => ({ buffers: step.kind === 'launch' ? step.buffers : touchedByHost(step) })),
    );
    const isOurs = (buffer: number): boolean =>
      ['scratch', 'result'].includes(at(buffers, buffer, 'simulate: buffer').kind);
    this.#born = steps.map((_, i) =>
      [...life].flatMap(([buffer, { first }]) => (first === i && isOurs(buffer) ? [buffer] : [])),
    );
  }

  async run(run: SimulatedRun): Promise<Simulated> {
    const { plan, stores, kernelSpecs } = this.#executable;
    const layout = layOut({ stores, kernels: kernelSpecs }, plan, run.sizes);
    const memory = allocate(layout, run);
    const uniforms = uniformsOf(layout, run.seed);
    const words = (buffer: number): Uint32Array<ArrayBuffer> => at(memory, buffer, 'simulate: buffer');
    const used = (buffer: number): Uint32Array<ArrayBuffer> =>
      words(buffer).slice(0, at(layout.bindings, buffer, 'simulate: binding').usedBytes / 4);
    const counts: (WorkCounted | null)[] = [];
    for (const [i, step] of layout.steps.entries()) {
      for (const buffer of at(this.#born, i, 'simulate: step')) words(buffer).fill(POISON);
      if (step.kind === 'extern') await callHost(step.spec, run, used, words);
      counts.push(step.kind === 'extern' ? null : this.#launch(step.launch, run.given, words, uniforms));
      run.after?.(i, words);
    }
    const status = plan.buffers.findIndex((buffer) => buffer.kind === 'status');
    return { layout, words: used, faults: status < 0 ? [] : faultsOf(layout, run, words(status)), counts };
  }

  #launch(
    launch: LaunchLayout,
    given: ReadonlySet<string>,
    words: (buffer: number) => Uint32Array,
    uniforms: DataView,
  ): WorkCounted | null {
    const { spec, workgroups } = launch;
    if (launch.grid !== null && !fitsGrid(launch.grid, WORKGROUPS_PER_DIMENSION))
      throw new CompilerBug(
        'simulate',
        `${spec.label}: a grid of ${launch.grid.join(' x ')} is more than a device has`,
      );
    if (spec.unless !== null && given.has(spec.unless)) return null;
    const counter = new Uint32Array(COUNTERS);
    if (isSkipped(launch, given)) return countsOf(counter);
    const grid = launch.grid ?? foldGrid(workgroups, WORKGROUPS_PER_DIMENSION);
    if (grid === null)
      throw new CompilerBug('simulate', `${spec.label}: ${workgroups} workgroups are more than a device has`);
    const { kernel, program } = get(this.#compiled, spec.kernel, 'simulate: kernel');
    // A kernel that counts its work does so in a buffer behind those of the launch.
    const bound = [...spec.buffers.map(words), counter];
    const { offset } = launch.uniforms ?? { offset: 0 };
    program({
      workgroups: grid,
      buffers: new Map(kernel.buffers.map(({ name }, i) => [name, { data: at(bound, i, 'simulate: bound buffer') }])),
      uniforms: new Map(kernel.uniforms.map(({ name, type }, i) => [name, uniformAt(uniforms, offset + 4 * i, type)])),
      checks: { races: this.#checks.races ?? false },
    });
    return countsOf(counter);
  }
}

function touchedByHost(step: ExternSpec): readonly number[] {
  return [...buffersForHost(step), ...step.results.map(({ buffer }) => buffer)];
}

/** The host's part: its function called with what lies in memory (`used`), what it gives put there. */
async function callHost(
  spec: ExternSpec,
  run: SimulatedRun,
  used: (buffer: number) => Uint32Array<ArrayBuffer>,
  words: (buffer: number) => Uint32Array,
): Promise<void> {
  const given = {
    operands: spec.operands.map(({ buffer }) => used(buffer)),
    mask: spec.mask === null ? null : used(spec.mask.buffer),
  };
  const results = await callExtern(spec, run.sizes, given, run.extern(spec.name), run.signal);
  spec.results.forEach(({ buffer }, i) => words(buffer).set(at(results, i, 'simulate: result of an extern')));
}
