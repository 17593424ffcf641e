/**
 * row: several values at the points of a row, each made of those before it, in one launch. Rows have nothing to do with one another: a
 * row is done by one thread, or by one workgroup whose threads share the points of the row.
 *
 * What a value is at the points of a row lies in workgroup memory as long as others of the row read it (a single number of a thread: in a
 * register). The values come in phases. Within a phase the threads read what phases before it wrote and write what none of them reads, so
 * between phases of a workgroup stands a barrier; one thread needs none, and has its own part of the memory, strided so that neighbours
 * touch neighbours; or arrays of its own, where the device has them near (DeviceClass.threadArrays).
 *
 * A workgroup for each row is right for any size of a row that fits; it costs a barrier a phase, and where rows are shorter than
 * a workgroup most of it waits. Recurrences are done the same way, step by step (fold.ts).
 */
import type { KernelExpr, ScalarType, ArrayDecl } from '../kernel/kernel-ir.ts';
import type { KernelBuilder } from '../kernel/kernel-builder.ts';
import { add, loadArray, localIdX, lt, mul, ne, u32, workgroupNumber } from '../kernel/make-expressions.ts';
import { forEachPoint, stored } from './space.ts';
import type { Space } from './space.ts';

/** Who does a row. */
export type RowLanes = 'one' | 'group';

/** Who has a row, and whose arrays its values lie in: a workgroup's, or those of the one thread that has the row. */
export interface RowMemory {
  readonly lanes: RowLanes;
  readonly scope: ArrayDecl['scope'];
}

/** Something done at so many points of a row. */
export interface RowLoop<P> {
  readonly size: number;
  readonly at: (around: P, index: KernelExpr) => P;
  readonly visit: (point: P, index: KernelExpr) => void;
}

export interface RowConfig<P> {
  readonly lanes: RowLanes;
  /** A number as a value of the run, for limits of loops: see `throughPoints`. */
  readonly opaque: (value: number) => KernelExpr;
  readonly rows: Space<P>;
  /** What the memory of a row needs before anything is kept there. */
  readonly begin: () => void;
  readonly phases: readonly (readonly RowLoop<P>[])[];
}

export function row<P>(k: KernelBuilder, { lanes, opaque, rows, begin, phases }: RowConfig<P>): void {
  eachRow(k, lanes, rows, (point) => {
    begin();
    for (const [i, phase] of phases.entries()) {
      if (i > 0) afterPhase(k, lanes);
      for (const loop of phase) throughPoints(k, { lanes, opaque }, loop, point);
    }
  });
}

/** What a phase wrote is there for all threads of a row. */
export function afterPhase(k: KernelBuilder, lanes: RowLanes): void {
  if (lanes === 'group') k.barrier();
}

/** Emits `body` for each row. */
export function eachRow<P>(k: KernelBuilder, lanes: RowLanes, rows: Space<P>, body: (row: P) => void): void {
  if (lanes === 'one') {
    forEachPoint(k, rows, body);
    return;
  }
  const group = k.let(workgroupNumber, 'row');
  k.when(lt(group, rows.total), () => rows.enter(group, body));
}

/**
 * Goes through points of a row: all of them, or a thread's share. Their number is written as a value of the run: a driver that reads a
 * literal writes the rounds out, loops within loops, and takes seconds of CPU for a row of a few dozen points (DECISIONS 71).
 */
export function throughPoints<P>(
  k: KernelBuilder,
  { lanes, opaque }: Pick<RowConfig<P>, 'lanes' | 'opaque'>,
  { size, at, visit }: RowLoop<P>,
  around: P,
): void {
  const here = (index: KernelExpr): void => visit(at(around, index), index);
  if (lanes === 'group') k.forRange(localIdX, u32(size), k.workgroupSize, here, Math.ceil(size / k.workgroupSize));
  else if (size === 1) here(u32(0));
  else k.forRange(u32(0), opaque(size), 1, here, size);
}

/** The memory of one value of a row: `begin` where a row begins, then `load` and `store` by the place in the row. */
export class RowCell {
  readonly size: number;
  readonly #k: KernelBuilder;
  readonly #type: ScalarType;
  readonly #array: ArrayDecl | null;
  /** Whether threads have parts of one array, which lie between one another. */
  readonly #isStrided: boolean;
  #register: KernelExpr | null = null;

  constructor(k: KernelBuilder, { lanes, scope }: RowMemory, name: string, type: ScalarType, size: number) {
    this.#k = k;
    this.#type = type;
    this.size = size;
    this.#isStrided = lanes === 'one' && scope === 'workgroup';
    const length = this.#isStrided ? size * k.workgroupSize : size;
    const inRegister = lanes === 'one' && size === 1;
    this.#array = inRegister ? null : k.array(scope, name, type === 'bool' ? 'u32' : type, Math.max(length, 1));
  }

  begin(zero: KernelExpr): void {
    if (this.#array === null) this.#register = this.#k.var(zero, 'carry');
  }

  load(index: KernelExpr): KernelExpr {
    if (this.#array === null) return this.#register ?? u32(0);
    const value = loadArray(this.#array, this.#place(index));
    return this.#type === 'bool' ? ne(value, u32(0)) : value;
  }

  store(index: KernelExpr, value: KernelExpr): void {
    if (this.#array !== null) this.#k.storeArray(this.#array, this.#place(index), stored(value));
    else if (this.#register !== null) this.#k.assign(this.#register, value);
  }

  #place(index: KernelExpr): KernelExpr {
    return this.#isStrided ? add(mul(index, this.#k.workgroupSize), localIdX) : index;
  }
}
