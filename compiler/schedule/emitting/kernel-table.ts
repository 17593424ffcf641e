/**
 * KernelTable: the kernels of all plans of a program, each structure once. Launches of equal structure share one object, so that what
 * is asked of a kernel (its work, its legal form) is found out once for all of them.
 */
import { at, indexIn } from '../../../dsl/diagnostics/invariants.ts';
import { sizeKey } from '../../../dsl/types/size.ts';
import type { Kernel } from '../../kernel/kernel-ir.ts';
import { KernelFacts } from '../../kernel/kernel-facts.ts';
import { evaluateConstants } from '../../kernel/legalise/evaluate-constants.ts';
import { ByStructure } from '../../kernel/same-kernel.ts';
import { sideBySide, type KernelPart } from '../../kernel/side-by-side.ts';
import type { DeviceClass } from '../../target.ts';
import type { BufferId } from '../memory/plan.ts';
import type { BuiltLaunch } from './launch-builder.ts';

export interface KnownKernel {
  readonly kernel: Kernel;
  /** With operations on literals done, as legalisation does them: what its work is read off. */
  readonly evaluated: Kernel;
  /** Of the evaluated one. */
  readonly facts: KernelFacts;
}

interface Form {
  /** The buffers of the launch it was written for. */
  readonly of: readonly BufferId[];
  readonly form: BoundKernel;
}

/** A kernel and what a launch gives it. */
export type BoundKernel = Pick<BuiltLaunch, 'kernel' | 'buffers' | 'uniforms'>;

export class KernelTable {
  readonly #shared = new ByStructure<Kernel>();
  /** By the kernel of the launch: what it was written for first. */
  readonly #forms = new Map<Kernel, Map<string, Form>>();
  readonly #known = new Map<Kernel, KnownKernel>();
  /** Kernels side by side, by their parts. */
  readonly #beside = new Map<string, Kernel>();
  readonly #numbers = new Map<Kernel, number>();

  /** The kernel of this structure: the first one that was asked for. */
  shared(kernel: Kernel): Kernel {
    return this.#shared.get(kernel, (first) => first);
  }

  /**
   * A form of a launch (with its shared kernel) for a class of devices, written for the first launch that asks. It is written from the
   * values, sizes and memory that the launch's own kernel is written from, by functions that both share: where that kernel, the sizes it is
   * given, which of its buffers are one, and the form's own `shape` are the same, so is the form, over the buffers in the same places.
   */
  form(
    { kernel: portable, buffers, uniforms }: BoundKernel,
    { name }: DeviceClass,
    shape: readonly number[] | null,
    write: () => BoundKernel,
  ): BoundKernel {
    const shared = (form: BoundKernel): BoundKernel => ({
      kernel: this.shared(form.kernel),
      buffers: form.buffers,
      uniforms: form.uniforms,
    });
    if (shape === null) return shared(write());
    const sizes = uniforms.map((value) => (value.kind === 'size' ? sizeKey(value.size) : value.kind));
    const key = [name, ...shape, ...buffers.map((id) => buffers.indexOf(id)), ...sizes].join(' ');
    const forms = this.#forms.get(portable) ?? new Map<string, Form>();
    this.#forms.set(portable, forms);
    const first = forms.get(key) ?? { of: buffers, form: shared(write()) };
    forms.set(key, first);
    const here = (id: BufferId): BufferId =>
      at(buffers, indexIn(first.of, id, 'schedule: buffer of a form'), 'schedule: buffer of a launch');
    return { ...first.form, buffers: first.form.buffers.map(here) };
  }

  /** Kernels side by side: layers that are alike have them in the same way, and nothing is written anew for the next one. */
  beside(parts: readonly KernelPart[]): Kernel {
    const own = parts.map(({ kernel, buffers }) => ({ kernel: this.shared(kernel), buffers }));
    const key = own.map(({ kernel, buffers }) => `${this.#numberOf(kernel)} ${buffers.join(' ')}`).join(', ');
    const known = this.#beside.get(key) ?? this.shared(sideBySide(own));
    this.#beside.set(key, known);
    return known;
  }

  #numberOf(kernel: Kernel): number {
    const number = this.#numbers.get(kernel) ?? this.#numbers.size;
    this.#numbers.set(kernel, number);
    return number;
  }

  /** What is known of the kernel of this structure. */
  known(kernel: Kernel): KnownKernel {
    const shared = this.shared(kernel);
    const before = this.#known.get(shared);
    if (before !== undefined) return before;
    const evaluated = evaluateConstants(shared);
    const known = { kernel: shared, evaluated, facts: new KernelFacts(evaluated) };
    this.#known.set(shared, known);
    return known;
  }
}
