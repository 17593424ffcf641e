/**
 * LaunchBuilder writes one kernel together with the arguments of its launch: a buffer is bound when it is first used, a size
 * becomes a uniform field when it is first asked for. Names are canonical (b0, b1, …, n0, n1, … in order of first use), so that two
 * launches of the same structure get the same kernel text and share it.
 *
 * `finish` tidies the kernel (tidy-kernel.ts) and drops the buffers and uniforms that nobody uses then.
 */
import { CompilerBug } from '../../../dsl/diagnostics/bug.ts';
import { exact, sizeKey } from '../../../dsl/types/size.ts';
import type { Size } from '../../../dsl/types/size.ts';
import type { AxisId } from '../../graph/graph-ir.ts';
import type { BufferDecl, KernelExpr, Kernel, UniformDecl, Width } from '../../kernel/kernel-ir.ts';
import { KernelBuilder } from '../../kernel/kernel-builder.ts';
import type { BufferTable } from '../memory/memory.ts';
import type { BufferId, UniformValue } from '../memory/plan.ts';
import { tidyKernel } from './tidy-kernel.ts';

/** How many threads do all the work of a branch that a bool leads to, where it holds and where it does not. */
export interface Ways {
  readonly holds: Size;
  readonly fails: Size;
  /** Whether a launch may have both at once; else all that one has the other lacks, and the costlier counts. */
  readonly both: boolean;
}

export interface BuiltLaunch {
  readonly kernel: Kernel;
  readonly buffers: readonly BufferId[];
  /** Those, and what was loaded and turned out to decide nothing. */
  readonly asked: readonly BufferId[];
  readonly uniforms: readonly UniformValue[];
  /** What the text does not say of its loops (work.ts). */
  readonly maxTrips: ReadonlyMap<string, number>;
  readonly spans: ReadonlyMap<string, Size>;
  readonly ways: ReadonlyMap<string, Ways>;
}

export class LaunchBuilder {
  readonly k: KernelBuilder;
  readonly #table: BufferTable;
  /** By buffer and lanes: what is read by scalars and by vectors is bound twice. */
  readonly #buffers = new Map<string, { readonly id: BufferId; readonly decl: BufferDecl }>();
  readonly #uniforms = new Map<string, { readonly field: KernelExpr; readonly value: UniformValue }>();

  readonly #spans = new Map<string, Size>();
  readonly #ways = new Map<string, Ways>();

  /** `subgroupSize` is for kernels with subgroup operations. */
  constructor(name: string, workgroupSize: number, table: BufferTable, subgroupSize?: number) {
    this.k = new KernelBuilder(name, workgroupSize, subgroupSize);
    this.#table = table;
  }

  /** Binds a buffer to be read, by vectors of `lanes` elements. */
  read(buffer: BufferId, lanes: Width = 1): BufferDecl {
    return this.#bind(buffer, 'read', false, lanes);
  }

  /** Binds a buffer to be written, by vectors of `lanes` elements. */
  write(buffer: BufferId, lanes: Width = 1): BufferDecl {
    return this.#bind(buffer, 'read_write', false, lanes);
  }

  /** Binds the buffer of fault words. */
  status(buffer: BufferId): BufferDecl {
    return this.#bind(buffer, 'read_write', true);
  }

  /** A uniform field with this value. */
  size(size: Size, type: UniformDecl['type'] = 'u32'): KernelExpr {
    return this.#field(`${type} ${sizeKey(size)}`, type, { kind: 'size', size });
  }

  /**
   * A uniform field with where a slice begins on an axis: of its own, because a layer has the kernels of the layer before it also where the
   * number of the layer is the size of something.
   */
  offset(axis: AxisId, value: Size): KernelExpr {
    return this.number(value, `offset ${axis} ${sizeKey(value)}`);
  }

  /** A uniform field of its own, whatever other fields have the same value: for numbers that are no sizes (a fault word). */
  number(value: Size, role: string): KernelExpr {
    return this.#field(role, 'u32', { kind: 'size', size: value });
  }

  /** A number that the compiler knows and a driver is not to. */
  opaque(value: number): KernelExpr {
    return this.number(exact(value), `${value}`);
  }

  seed(): KernelExpr {
    return this.#field('seed', 'u32', { kind: 'seed' });
  }

  /** Says how far the end of a range that memory holds is from its start at most. */
  span(to: KernelExpr, maxLength: Size): void {
    if (to.kind === 'local') this.#spans.set(to.name, maxLength);
  }

  /** Says how many threads go which way where a bool decides. */
  ways(test: KernelExpr, ways: Ways): void {
    if (test.kind === 'local') this.#ways.set(test.name, ways);
  }

  finish(): BuiltLaunch {
    const { kernel, used } = tidyKernel(this.k.finish());
    const keptBuffers = [...this.#buffers.values()].filter(({ decl }) => used.has(decl.name));
    const keptUniforms = [...this.#uniforms.values()].filter(
      ({ field }) => field.kind === 'uniform' && used.has(field.name),
    );
    return {
      kernel: {
        ...kernel,
        buffers: keptBuffers.map(({ decl }) => decl),
        uniforms: kernel.uniforms.filter((u) => used.has(u.name)),
      },
      buffers: keptBuffers.map(({ id }) => id),
      asked: [...this.#buffers.values()].map(({ id }) => id),
      uniforms: keptUniforms.map(({ value }) => value),
      maxTrips: this.k.maxTrips,
      spans: this.#spans,
      ways: this.#ways,
    };
  }

  #field(key: string, type: UniformDecl['type'], value: UniformValue): KernelExpr {
    const known = this.#uniforms.get(key);
    if (known !== undefined) return known.field;
    const field = this.k.uniform(`n${this.#uniforms.size}`, type);
    this.#uniforms.set(key, { field, value });
    return field;
  }

  #bind(buffer: BufferId, access: BufferDecl['access'], atomic: boolean, lanes: Width = 1): BufferDecl {
    const key = `${buffer} ${lanes}`;
    const known = this.#buffers.get(key);
    if (known !== undefined) {
      if (known.decl.access !== access)
        throw new CompilerBug('schedule', `${this.k.name} reads and writes ${this.#table.at(buffer).label}`);
      return known.decl;
    }
    const element = atomic ? 'atomic_u32' : this.#table.at(buffer).storageType;
    const decl = this.k.buffer(`b${this.#buffers.size}`, element, access, lanes);
    this.#buffers.set(key, { id: buffer, decl });
    return decl;
  }
}
