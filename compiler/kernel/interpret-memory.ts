/**
 * Memory of the kernel interpreter: storage buffers and workgroup arrays, with bounds always checked and, on demand, a
 * shadow that finds races.
 *
 * A `Memory` is made once when a kernel is compiled and bound to data at each launch, so that compiled closures reach the
 * elements by one property access. Its three views lie over the same bytes; a closure uses the one of its element type.
 *
 * The race rule, per word and per launch (for workgroup memory: per stretch between two barriers): if a thread stores
 * a word, no other thread may load or store it. Atomic elements are exempt.
 */
import { noNumber } from '../../dsl/diagnostics/invariants.ts';
import { CompilerBug } from '../../dsl/diagnostics/bug.ts';
import type { BufferElement, Width } from './kernel-ir.ts';
import { isAtomic } from './kernel-typing.ts';

export type Words = Float32Array | Int32Array | Uint32Array;

export interface KernelMemory {
  readonly name: string;
  readonly element: BufferElement;
  f32: Float32Array;
  i32: Int32Array;
  u32: Uint32Array;
  /** Words that one index names. */
  readonly lanes: Width;
  /** Elements, as an index counts them. */
  length: number;
  shadow: Shadow | undefined;
}

/** Per word: who stored it and who loaded it. 0 nobody, n + 1 thread n, -1 (loads only) several threads. */
export interface Shadow {
  readonly writer: Int32Array;
  readonly reader: Int32Array;
}

export function fault(kernel: string, message: string): never {
  throw new CompilerBug('kernel', `kernel ${kernel}: ${message}`);
}

export function newMemory(name: string, element: BufferElement, lanes: Width = 1): KernelMemory {
  const none = new ArrayBuffer(0);
  return {
    name,
    element,
    f32: new Float32Array(none),
    i32: new Int32Array(none),
    u32: new Uint32Array(none),
    lanes,
    length: 0,
    shadow: undefined,
  };
}

/** Points `memory` at the words of `data` from `offset` on: whole elements. */
export function bindMemory(memory: KernelMemory, data: Words, offset: number, races: boolean): void {
  const { buffer } = data;
  const byteOffset = data.byteOffset + 4 * offset;
  const length = data.length - offset;
  memory.f32 = new Float32Array(buffer, byteOffset, length);
  memory.i32 = new Int32Array(buffer, byteOffset, length);
  memory.u32 = new Uint32Array(buffer, byteOffset, length);
  if (offset % memory.lanes !== 0 || length % memory.lanes !== 0) {
    throw new CompilerBug('kernel', `${memory.name} is bound to ${length} words from ${offset}: no whole vectors`);
  }
  memory.length = length / memory.lanes;
  memory.shadow =
    races && !isAtomic(memory.element) ? { writer: new Int32Array(length), reader: new Int32Array(length) } : undefined;
}

/** Forgets who touched what. */
export function clearShadow(memory: KernelMemory): void {
  memory.shadow?.writer.fill(0);
  memory.shadow?.reader.fill(0);
}

export function outOfBounds(kernel: string, what: string, memory: KernelMemory, index: number): never {
  return fault(kernel, `${what} ${memory.name}[${index}] is out of bounds (length ${memory.length})`);
}

/** Notes a load by `thread`, or reports that it races with a store. */
export function noteLoad(kernel: string, memory: KernelMemory, index: number, thread: number): void {
  const { shadow } = memory;
  if (shadow === undefined) return;
  const writer = shadow.writer[index] ?? noNumber();
  if (writer !== 0 && writer !== thread + 1) {
    fault(kernel, `race: thread ${thread} loads ${memory.name}[${index}], which thread ${writer - 1} stores`);
  }
  const reader = shadow.reader[index] ?? noNumber();
  if (reader === 0) shadow.reader[index] = thread + 1;
  else if (reader !== thread + 1) shadow.reader[index] = -1;
}

/** Notes a store by `thread`, or reports that it races with another thread. */
export function noteStore(kernel: string, memory: KernelMemory, index: number, thread: number): void {
  const { shadow } = memory;
  if (shadow === undefined) return;
  const writer = shadow.writer[index] ?? noNumber();
  if (writer !== 0 && writer !== thread + 1) {
    fault(kernel, `race: threads ${writer - 1} and ${thread} both store ${memory.name}[${index}]`);
  }
  const reader = shadow.reader[index] ?? noNumber();
  if (reader !== 0 && reader !== thread + 1) {
    const other = reader === -1 ? 'another thread' : `thread ${reader - 1}`;
    fault(kernel, `race: thread ${thread} stores ${memory.name}[${index}], which ${other} loads`);
  }
  shadow.writer[index] = thread + 1;
}

/** Whether two bindings share bytes: a GPU refuses that if one of them is written. */
export function overlaps(a: KernelMemory, b: KernelMemory): boolean {
  const start = Math.max(a.u32.byteOffset, b.u32.byteOffset);
  const end = Math.min(a.u32.byteOffset + a.u32.byteLength, b.u32.byteOffset + b.u32.byteLength);
  return a.u32.buffer === b.u32.buffer && start < end;
}
