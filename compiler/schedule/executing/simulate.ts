/**
 * simulate: a plan on the CPU, launch by launch, with the kernel interpreter (`--on kernels`). The same meaning as the runtime has on
 * a device: shared scratch slots, skipped defaults, status words, the host's part of externs.
 *
 * Memory is hostile here: every scratch buffer and result is filled with a NaN pattern when its life begins, so that a value nobody
 * wrote shows. Accesses out of bounds are errors, and with `races` also two threads that meet on one element.
 */
import { foldGrid, WORKGROUPS_PER_DIMENSION } from '../../../runtime/contract/grid.ts';
import { at } from '../../../dsl/diagnostics/invariants.ts';
import { CompilerBug } from '../../../dsl/diagnostics/bug.ts';
import { asInteger, asNumber, formatSize, substitute } from '../../../dsl/types/size.ts';
import type { Size } from '../../../dsl/types/size.ts';
import type { ElementType, OutputRole } from '../../graph/graph-ir.ts';
import { compileKernel } from '../../kernel/interpret-kernel.ts';
import type { KernelProgram } from '../../kernel/interpret-kernel.ts';
import type { Kernel } from '../../kernel/kernel-ir.ts';
import { COUNTERS, countsOf, withCounters } from './count-work.ts';
import type { WorkCounted } from './count-work.ts';
import { lifetimes } from '../memory/assign-buffers.ts';
import { accessOf } from '../memory/plan.ts';
import type { ExternStep, Launch, Plan, PlanAxis, PlanBuffer, PlanResult, FaultWord } from '../memory/plan.ts';
import { typed, write, type WordArray } from './words.ts';

export interface SimulatedTensor {
  readonly element: ElementType;
  /** Row-major. */
  readonly shape: readonly number[];
  /** bool: 0 or 1. */
  readonly data: WordArray;
}

interface SizedAxis {
  readonly name: string;
  readonly size: number;
}

export interface SimulatedExtern {
  readonly name: string;
  /** Of the call. */
  readonly place: string;
  /** Every axis its type mentions. */
  readonly sizes: readonly SizedAxis[];
  /** The axes the call carries. */
  readonly carried: readonly string[];
  /** Axes of the family whose instances are called. */
  readonly family: readonly SizedAxis[];
  /** Carried axes of an expert; null: a function. */
  readonly points: readonly SizedAxis[] | null;
  readonly operands: readonly (SimulatedTensor & {
    readonly name: string;
    readonly axes: readonly string[];
    readonly within: SizedAxis | null;
  })[];
  /** 0 or 1 over the family's axes, then the carried ones; null: wanted everywhere. */
  readonly mask: (SimulatedTensor & { readonly axes: readonly string[] }) | null;
  readonly results: readonly {
    readonly element: ElementType;
    readonly axes: readonly string[];
    readonly shape: readonly number[];
    readonly within: SizedAxis | null;
  }[];
}

export interface SimulatedRun {
  /** By name; row-major. */
  readonly inputs: ReadonlyMap<string, ArrayLike<number>>;
  /** Params, states, and the controls this run is given; by path. */
  readonly stores: ReadonlyMap<string, ArrayLike<number>>;
  /** Sizes of the dynamic axes. */
  readonly sizes: ReadonlyMap<string, number>;
  readonly seed?: number;
  /** What is asked for besides results; everything unless said. An error counts only where one of these needs the value. */
  readonly asked?: ReadonlySet<OutputRole>;
  /** Told after every step that ran, with a way to look at the plan's buffers as they are then. */
  readonly after?: (step: number, words: (buffer: number) => Uint32Array) => void;
  /** Computes the results of an extern, whole. */
  readonly extern?: (call: SimulatedExtern) => readonly ArrayLike<number>[] | Promise<readonly ArrayLike<number>[]>;
}

export interface SimulationChecks {
  readonly races?: boolean;
  /** Counts what each step does (count-work.ts). */
  readonly counts?: boolean;
}

export type SimulatedResult = { readonly group: OutputRole } & (
  | ({ readonly kind: 'tensor' } & SimulatedTensor)
  | {
      readonly kind: 'route';
      readonly present: SimulatedTensor;
      readonly weight: SimulatedTensor;
      readonly rank: SimulatedTensor;
    }
);

/** What a result is called beside all others of a run: `loss.PATH`, `state.PATH`, results and outputs by their own name. */
export function shownName({ group, name }: Pick<PlanResult, 'group' | 'name'>): string {
  return group === 'loss' ? `loss.${name}` : group === 'update' ? `state.${name}` : name;
}

export interface Simulated {
  /** By the name it is shown under. */
  readonly results: ReadonlyMap<string, SimulatedResult>;
  /** What went wrong, with the first point where it did. */
  readonly errors: readonly {
    readonly status: FaultWord;
    readonly message: string;
    readonly point: readonly number[];
  }[];
  /** With `counts`: for each step; null for externs, and for what was skipped. */
  readonly counts: readonly (WorkCounted | null)[];
  /** Bytes of scratch memory, by slot. */
  readonly slotBytes: readonly number[];
}

const POISON = 0x7fc0dead;
const NOTHING = 0xffffffff;

/** Runs a plan once. */
export async function simulatePlan(plan: Plan, run: SimulatedRun, checks: SimulationChecks = {}): Promise<Simulated> {
  return new Simulator(plan, checks).run(run);
}

/** A plan with its kernels compiled, for any number of runs. */
export class Simulator {
  readonly #plan: Plan;
  readonly #checks: SimulationChecks;
  readonly #kernels: readonly Kernel[];
  readonly #programs: readonly KernelProgram[];
  /** Buffers whose life begins at a step. */
  readonly #born: readonly (readonly number[])[];

  constructor(plan: Plan, checks: SimulationChecks = {}) {
    this.#plan = plan;
    this.#checks = checks;
    this.#kernels = plan.kernels.map((kernel) => (checks.counts === true ? withCounters(kernel) : kernel));
    this.#programs = this.#kernels.map(compileKernel);
    const life = lifetimes(
      plan.steps.map((step) => {
        const { reads, writes } = accessOf(plan, step);
        return { buffers: [...reads, ...writes] };
      }),
    );
    this.#born = plan.steps.map((_, i) =>
      [...life].filter(([buffer, { first }]) => first === i && isOurs(plan.buffers[buffer])).map(([buffer]) => buffer),
    );
  }

  async run(run: SimulatedRun): Promise<Simulated> {
    const { slots, memory } = this.#allocate(run);
    const counts: (WorkCounted | null)[] = [];
    for (const [i, step] of this.#plan.steps.entries()) {
      for (const buffer of at(this.#born, i, 'simulate: step')) at(memory, buffer, 'simulate: buffer').fill(POISON);
      if (step.kind === 'extern') {
        await this.#extern(step, memory, run);
        counts.push(null);
      } else {
        counts.push(this.#launch(step, memory, run));
      }
      run.after?.(i, (buffer) => at(memory, buffer, 'simulate: buffer'));
    }
    return {
      results: this.#results(memory, run),
      errors: this.#errors(memory, run),
      counts,
      slotBytes: slots.map((s) => s.byteLength),
    };
  }

  #allocate(run: SimulatedRun): { slots: readonly Uint32Array[]; memory: readonly Uint32Array[] } {
    const { buffers } = this.#plan;
    const lengths = buffers.map((b) => Math.max(1, integer(b.elements, run, b.label)));
    const slots = Array.from({ length: this.#plan.slots }, (_, slot) => {
      const own = lengths.filter((_, i) => {
        const role = buffers[i]?.role;
        return role?.kind === 'scratch' && role.slot === slot;
      });
      return new Uint32Array(Math.max(1, ...own)).fill(POISON);
    });
    const memory = buffers.map((buffer, i) => {
      const length = at(lengths, i, 'simulate: length of a buffer');
      const { role } = buffer;
      switch (role.kind) {
        case 'scratch':
          return at(slots, role.slot, 'simulate: slot').subarray(0, length);
        case 'result':
          return new Uint32Array(length).fill(POISON);
        case 'status':
          return new Uint32Array(length).fill(NOTHING);
        case 'input':
          return given(buffer, run.inputs.get(role.name), integer(buffer.elements, run, buffer.label));
        case 'store': {
          const value = run.stores.get(role.path);
          if (value === undefined && role.store === 'control') return new Uint32Array(length).fill(POISON);
          return given(buffer, value, integer(buffer.elements, run, buffer.label));
        }
      }
    });
    return { slots, memory };
  }

  #launch(step: Launch, memory: readonly Uint32Array[], run: SimulatedRun): WorkCounted | null {
    if (step.unless !== null && run.stores.has(step.unless)) return null;
    const kernel = this.#kernels[step.kernel];
    const program = this.#programs[step.kernel];
    if (kernel === undefined || program === undefined) throw new CompilerBug('simulate', `no kernel ${step.kernel}`);
    const groups = Math.ceil(integer(step.threads, run, step.label) / kernel.workgroupSize);
    const counter = new Uint32Array(COUNTERS);
    if (groups === 0) return countsOf(counter);
    // An interpreted kernel may count its work in a buffer behind those of the step.
    const bound = [...step.buffers.map((buffer) => at(memory, buffer, 'simulate: buffer')), counter];
    const buffers = new Map(
      kernel.buffers.map((decl, i) => [decl.name, { data: at(bound, i, 'simulate: bound buffer') }]),
    );
    const uniforms = new Map(
      kernel.uniforms.map((field, i) => {
        const value = step.uniforms[i];
        if (value === undefined) throw new CompilerBug('simulate', `${step.label}: uniform ${field.name} has no value`);
        if (value.kind === 'seed') return [field.name, (run.seed ?? 0) >>> 0];
        return [
          field.name,
          field.type === 'f32' ? real(value.size, run, step.label) : integer(value.size, run, step.label),
        ];
      }),
    );
    const grid = foldGrid(groups, WORKGROUPS_PER_DIMENSION);
    if (grid === null)
      throw new CompilerBug('simulate', `${step.label}: ${groups} workgroups are more than a device has`);
    program({
      workgroups: grid,
      buffers,
      uniforms,
      checks: { races: this.#checks.races ?? false },
    });
    return countsOf(counter);
  }

  async #extern(step: ExternStep, memory: readonly Uint32Array[], run: SimulatedRun): Promise<void> {
    if (run.extern === undefined) throw new CompilerBug('simulate', `nothing computes ${step.name}`);
    const view = (spec: { readonly buffer: number; readonly axes: readonly PlanAxis[] }, element: ElementType) => ({
      ...tensor(at(memory, spec.buffer, 'simulate: buffer'), element, spec.axes, run),
      axes: spec.axes.map((a) => a.name),
    });
    const sized = (axes: readonly PlanAxis[]) => {
      const shape = shapeOf(axes, run);
      return axes.map((a, i) => ({ name: a.name, size: at(shape, i, 'simulate: extent') }));
    };
    const within = (axis: PlanAxis | null): SizedAxis | null =>
      axis === null ? null : at(sized([axis]), 0, 'simulate: axis');
    const results = await run.extern({
      name: step.name,
      place: step.place,
      sizes: sized(step.sizes),
      carried: step.carried,
      family: sized(step.family),
      points: step.points === null ? null : sized(step.points),
      operands: step.operands.map((o) => ({ ...view(o, o.element), name: o.name, within: within(o.within) })),
      mask: step.mask === null ? null : view(step.mask, 'bool'),
      results: step.results.map((r) => ({
        element: r.element,
        axes: r.axes.map((a) => a.name),
        shape: shapeOf(r.axes, run),
        within: within(r.within),
      })),
    });
    for (const [i, spec] of step.results.entries()) {
      const numbers = results[i];
      if (numbers === undefined) throw new CompilerBug('simulate', `${step.name} gave no result ${i}`);
      write(at(memory, spec.buffer, 'simulate: buffer'), spec.element, numbers);
    }
  }

  #results(memory: readonly Uint32Array[], run: SimulatedRun): ReadonlyMap<string, SimulatedResult> {
    return new Map(
      this.#plan.results.map((r): [string, SimulatedResult] => {
        const read = (buffer: number, element: ElementType, axes: readonly PlanAxis[]) =>
          tensor(at(memory, buffer, 'simulate: buffer'), element, axes, run);
        const name = shownName(r);
        if (r.kind === 'tensor')
          return [name, { kind: 'tensor', group: r.group, ...read(r.buffer, r.element, r.axes) }];
        const support = [...r.sources, ...r.targets];
        return [
          name,
          {
            kind: 'route',
            group: r.group,
            present: read(r.present, 'bool', support),
            weight: read(r.weight, r.element, [...support, ...r.payload]),
            rank: read(r.rank, 'i32', support),
          },
        ];
      }),
    );
  }

  #errors(memory: readonly Uint32Array[], run: SimulatedRun): Simulated['errors'] {
    const words = this.#plan.buffers.flatMap((b, i) =>
      b.role.kind === 'status' ? [at(memory, i, 'simulate: buffer')] : [],
    )[0];
    if (words === undefined) return [];
    const counts = ({ group, unless }: FaultWord): boolean =>
      (run.asked?.has(group) ?? true) && !unless.some((control) => run.stores.has(control));
    return this.#plan.status.filter(counts).flatMap((status) => {
      let linear = at(words, status.word, 'simulate: word of the status');
      if (linear === NOTHING) return [];
      const point: number[] = [];
      for (const size of [...shapeOf(status.axes, run)].reverse()) {
        point.unshift(linear % size);
        linear = Math.floor(linear / size);
      }
      const shown = status.shown.map((each) =>
        'size' in each
          ? String(real(each.size, run, status.code))
          : shownNumber(at(typed(words, each.element), each.word, 'simulate: word of the status'), each.element),
      );
      const part = (_: string, i: string): string => at(shown, Number(i), 'simulate: part of a message');
      return [{ status, message: status.message.replace(/\{(\d+)\}/g, part), point }];
    });
  }
}

function shownNumber(value: number, element: ElementType): string {
  return element === 'bool' ? String(value !== 0) : String(value);
}

function isOurs(buffer: PlanBuffer | undefined): boolean {
  return buffer?.role.kind === 'scratch' || buffer?.role.kind === 'result';
}

/** The integer a formula is in this run. */
function integer(size: Size, run: SimulatedRun, what: string): number {
  const value = asInteger(substitute(size, run.sizes));
  if (value === null) throw new CompilerBug('simulate', `${what}: ${formatSize(size)} is no integer`);
  return value;
}

function real(size: Size, run: SimulatedRun, what: string): number {
  const value = asNumber(substitute(size, run.sizes));
  if (value === null) throw new CompilerBug('simulate', `${what}: ${formatSize(size)} is not known`);
  return value;
}

function shapeOf(axes: readonly PlanAxis[], run: SimulatedRun): readonly number[] {
  return axes.map((a) => integer(a.size, run, a.name));
}

function tensor(
  words: Uint32Array,
  element: ElementType,
  axes: readonly PlanAxis[],
  run: SimulatedRun,
): SimulatedTensor {
  const shape = shapeOf(axes, run);
  const own = words.slice(0, shape.reduce((a, b) => a * b, 1)); // prettier-ignore
  return { element, shape, data: typed(own, element) };
}

/** Memory for what a run is given. */
function given(buffer: PlanBuffer, numbers: ArrayLike<number> | undefined, elements: number): Uint32Array {
  if (numbers === undefined) throw new CompilerBug('simulate', `${buffer.label} is not given`);
  if (numbers.length !== elements)
    throw new CompilerBug('simulate', `${buffer.label} has ${numbers.length} elements, not ${elements}`);
  const words = new Uint32Array(Math.max(1, elements));
  write(words, buffer.word === 'f32' ? 'f32' : buffer.word === 'i32' ? 'i32' : 'bool', numbers);
  return words;
}
