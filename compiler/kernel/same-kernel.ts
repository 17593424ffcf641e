/**
 * Which kernels have one structure: the same operations on the same names, field for field. Kernels are plain data, so nothing is left
 * out that a kind of statement may get later. What is one object is not looked into.
 */
import type { Kernel, KernelExpr } from './kernel-ir.ts';
import { forEachStatement } from './visit-kernel.ts';

/** Whether two kernels, or parts of them, have one structure. */
export function sameStructure<T extends Kernel | KernelExpr>(a: T, b: T): boolean {
  return same(a, b);
}

function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((each, i) => same(each, b[i]));
  if (!isRecord(a) || !isRecord(b)) return false;
  let fields = 0;
  for (const name in a) {
    if (!same(a[name], b[name])) return false;
    fields += 1;
  }
  for (const _ in b) fields -= 1;
  return fields === 0;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** Things by the structure of a kernel. */
export class ByStructure<T> {
  /** Under what is seen of a kernel without looking at its expressions: those that share it are compared. */
  readonly #known = new Map<string, { readonly kernel: Kernel; readonly value: T }[]>();
  /** Of each kernel that was asked for: it is asked for again. */
  readonly #found = new Map<Kernel, T>();

  /** What was made for a kernel of this structure: now, if it is the first. */
  get(kernel: Kernel, make: (kernel: Kernel) => T): T {
    const before = this.#found.get(kernel);
    if (before !== undefined) return before;
    const shape = shapeOf(kernel);
    const alike = this.#known.get(shape) ?? [];
    const found = alike.find((known) => sameStructure(known.kernel, kernel));
    const value = found === undefined ? make(kernel) : found.value;
    if (found === undefined) this.#known.set(shape, [...alike, { kernel, value }]);
    this.#found.set(kernel, value);
    return value;
  }
}

function shapeOf({ name, buffers, uniforms, arrays, body }: Kernel): string {
  let statements = 0;
  forEachStatement(body, () => (statements += 1));
  return [name, buffers.length, uniforms.length, arrays.length, statements].join(' ');
}
