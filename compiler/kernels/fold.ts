/**
 * fold: a recurrence along an axis in one launch. Each row of what is carried is independent of the others and goes through all steps by
 * itself: as one thread, or as one workgroup whose threads share the points of the row.
 *
 * What a row carries and what a step computes on the way lies in workgroup memory (a single number of a thread: in a register). A step is
 * a list of phases. Within a phase the threads read what phases before it wrote and write what none of them reads, so between phases of
 * a workgroup stands a barrier; one thread needs none, and has its own part of the memory, strided so that neighbours touch neighbours.
 *
 * A workgroup for each row is right for any size of a row that fits; it costs a barrier a phase, and where rows are few (a batch of
 * one) or shorter than a workgroup most of the device waits.
 */
import type { KernelExpr, ScalarType, WorkgroupDecl } from '../kernel/kernel-ir.ts';
import type { KernelBuilder } from '../kernel/kernel-builder.ts';
import { add, loadShared, localIdX, lt, mul, ne, u32 } from '../kernel/make-expressions.ts'; // prettier-ignore
import { forEachPoint, stored, workgroupNumber } from './space.ts';
import type { Space } from './space.ts';

/** Who goes through the steps of a row. */
export type FoldLanes = 'one' | 'group';

/** A value at the points of a row: where they are, what it is there, and where it is kept. */
export interface FoldValue<P> {
  readonly at: (around: P, index: KernelExpr) => P;
  readonly compute: (point: P) => KernelExpr;
  readonly keep: (point: P, index: KernelExpr, value: KernelExpr) => void;
}

/** Values at the same points, so many: all are computed at a point before one of them is kept there. */
export interface FoldLoop<P> {
  readonly size: number;
  readonly at: FoldValue<P>['at'];
  readonly values: readonly Omit<FoldValue<P>, 'at'>[];
}

export interface FoldConfig<P> {
  readonly lanes: FoldLanes;
  readonly rows: Space<P>;
  /** Number of steps, u32. */
  readonly steps: KernelExpr;
  /** What the memory of a row needs before anything is kept there. */
  readonly begin: () => void;
  readonly starts: readonly FoldLoop<P>[];
  readonly enterStep: (row: P, step: KernelExpr) => P;
  readonly phases: readonly (readonly FoldLoop<P>[])[];
  readonly ends: readonly FoldLoop<P>[];
}

export function fold<P>(k: KernelBuilder, config: FoldConfig<P>): void {
  const { lanes, rows, steps, starts, enterStep, phases, ends } = config;
  const sync = (): void => {
    if (lanes === 'group') k.barrier();
  };
  const all = (loops: readonly FoldLoop<P>[], around: P): void =>
    loops.forEach((loop) => goThrough(k, lanes, loop, around));
  eachRow(k, lanes, rows, (row) => {
    config.begin();
    all(starts, row);
    sync();
    k.forRange(u32(0), steps, 1, (number) => {
      const step = enterStep(row, number);
      for (const phase of phases) {
        all(phase, step);
        sync();
      }
    });
    all(ends, row);
  }); // prettier-ignore
}

function eachRow<P>(k: KernelBuilder, lanes: FoldLanes, rows: Space<P>, body: (row: P) => void): void {
  if (lanes === 'one') {
    forEachPoint(k, rows, body);
    return;
  }
  const group = k.let(workgroupNumber, 'row');
  k.when(lt(group, rows.total), () => rows.enter(group, body));
}

function goThrough<P>(k: KernelBuilder, lanes: FoldLanes, { size, at, values }: FoldLoop<P>, around: P): void {
  const visit = (index: KernelExpr): void => {
    const point = at(around, index);
    const computed = values.map(({ compute }) => k.let(compute(point)));
    values.forEach(({ keep }, i) => {
      const value = computed[i];
      if (value !== undefined) keep(point, index, value);
    });
  };
  if (lanes === 'group') k.forRange(localIdX, u32(size), k.workgroupSize, visit, Math.ceil(size / k.workgroupSize));
  else if (size === 1) visit(u32(0));
  else k.forRange(u32(0), u32(size), 1, visit);
}

/** The memory of one value of a row: `begin` where a row begins, then `load` and `store` by the place in the row. */
export class FoldCell {
  readonly size: number;
  readonly #k: KernelBuilder;
  readonly #lanes: FoldLanes;
  readonly #type: ScalarType;
  readonly #shared: WorkgroupDecl | null;
  #register: KernelExpr | null = null;

  constructor(k: KernelBuilder, lanes: FoldLanes, name: string, type: ScalarType, size: number) {
    this.#k = k;
    this.#lanes = lanes;
    this.#type = type;
    this.size = size;
    const length = lanes === 'one' ? size * k.workgroupSize : size;
    const inRegister = lanes === 'one' && size === 1;
    this.#shared = inRegister ? null : k.shared(name, type === 'bool' ? 'u32' : type, Math.max(length, 1));
  }

  begin(zero: KernelExpr): void {
    if (this.#shared === null) this.#register = this.#k.var(zero, 'carry');
  }

  load(index: KernelExpr): KernelExpr {
    if (this.#shared === null) return this.#register ?? u32(0);
    const value = loadShared(this.#shared, this.#place(index));
    return this.#type === 'bool' ? ne(value, u32(0)) : value;
  }

  store(index: KernelExpr, value: KernelExpr): void {
    if (this.#shared !== null) this.#k.storeShared(this.#shared, this.#place(index), stored(value));
    else if (this.#register !== null) this.#k.assign(this.#register, value);
  }

  #place(index: KernelExpr): KernelExpr {
    return this.#lanes === 'group' ? index : add(mul(index, this.#k.workgroupSize), localIdX);
  }
}
