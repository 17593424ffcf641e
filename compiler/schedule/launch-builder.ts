/**
 * LaunchBuilder writes one kernel together with the arguments of its launch: a buffer is bound when it is first used, a size
 * becomes a uniform field when it is first asked for. Names are canonical (b0, b1, …, n0, n1, … in order of first use), so that two
 * launches of the same structure get the same kernel text and share it.
 *
 * `finish` drops lets that nobody reads (indices are decoded whether needed or not) and then buffers and uniforms nobody uses.
 */
import { CompilerBug } from '../../dsl/diagnostics/bug.ts';
import { sizeKey } from '../../dsl/meaning/size.ts';
import type { Size } from '../../dsl/meaning/size.ts';
import type { BufferDecl, Expr, Kernel, Stmt, UniformDecl } from '../kernel/ir.ts';
import { KernelBuilder } from '../kernel/kernel-builder.ts';
import { expressionsOf, blocksOf, forEachExpr, forEachStatement, operandsOf } from '../kernel/walk.ts';
import type { BufferTable } from './memory.ts';
import type { UniformValue } from './plan.ts';

export interface BuiltLaunch {
  readonly kernel: Kernel;
  readonly buffers: readonly number[];
  readonly uniforms: readonly UniformValue[];
}

export class LaunchBuilder {
  readonly k: KernelBuilder;
  readonly #table: BufferTable;
  readonly #buffers = new Map<number, BufferDecl>();
  readonly #uniforms = new Map<string, { readonly field: Expr; readonly value: UniformValue }>();

  constructor(name: string, workgroupSize: number, table: BufferTable) {
    this.k = new KernelBuilder(name, workgroupSize);
    this.#table = table;
  }

  /** Binds a buffer to be read. */
  read(buffer: number): BufferDecl {
    return this.#bind(buffer, 'read', false);
  }

  /** Binds a buffer to be written. */
  write(buffer: number): BufferDecl {
    return this.#bind(buffer, 'read_write', false);
  }

  /** Binds the buffer of status words. */
  status(buffer: number): BufferDecl {
    return this.#bind(buffer, 'read_write', true);
  }

  /** A uniform field with this value. */
  size(size: Size, type: UniformDecl['type'] = 'u32'): Expr {
    return this.#field(`${type} ${sizeKey(size)}`, type, { kind: 'size', size });
  }

  /** A uniform field of its own, whatever other fields have the same value: for numbers that are no sizes (a status word). */
  number(value: Size, role: string): Expr {
    return this.#field(role, 'u32', { kind: 'size', size: value });
  }

  seed(): Expr {
    return this.#field('seed', 'u32', { kind: 'seed' });
  }

  /** The buffers bound so far: what a launch has to live with. */
  get bound(): ReadonlySet<number> {
    return new Set(this.#buffers.keys());
  }

  finish(): BuiltLaunch {
    const raw = this.k.finish();
    const body = withoutDeadLets(raw.body);
    const used = namesUsed(body);
    const keptBuffers = [...this.#buffers].filter(([, decl]) => used.has(decl.name));
    const keptUniforms = [...this.#uniforms.values()].filter(
      ({ field }) => field.kind === 'uniform' && used.has(field.name),
    );
    return {
      kernel: {
        ...raw,
        body,
        buffers: keptBuffers.map(([, decl]) => decl),
        uniforms: raw.uniforms.filter((u) => used.has(u.name)),
      },
      buffers: keptBuffers.map(([id]) => id),
      uniforms: keptUniforms.map(({ value }) => value),
    };
  }

  #field(key: string, type: UniformDecl['type'], value: UniformValue): Expr {
    const known = this.#uniforms.get(key);
    if (known !== undefined) return known.field;
    const field = this.k.uniform(`n${this.#uniforms.size}`, type);
    this.#uniforms.set(key, { field, value });
    return field;
  }

  #bind(buffer: number, access: BufferDecl['access'], atomic: boolean): BufferDecl {
    const known = this.#buffers.get(buffer);
    if (known !== undefined) {
      if (known.access !== access)
        throw new CompilerBug('schedule', `${this.k.name} reads and writes ${this.#table.at(buffer).label}`);
      return known;
    }
    const decl = this.k.buffer(`b${this.#buffers.size}`, atomic ? 'atomic_u32' : this.#table.at(buffer).word, access);
    this.#buffers.set(buffer, decl);
    return decl;
  }
}

/** Names of buffers, uniforms and locals that are read or stored to. */
function namesUsed(body: readonly Stmt[]): Set<string> {
  const used = new Set<string>();
  forEachExpr(body, (expr) => {
    if (expr.kind === 'local' || expr.kind === 'uniform') used.add(expr.name);
    if (expr.kind === 'load' || expr.kind === 'buffer_length') used.add(expr.buffer);
  });
  forEachStatement(body, (statement) => {
    if (statement.kind === 'store' || statement.kind === 'atomic') used.add(statement.buffer);
  });
  return used;
}

/**
 * The statements without lets that are never read, nor those only such lets read. One backward pass over each block is enough:
 * a local is read only after it is declared.
 */
function withoutDeadLets(body: readonly Stmt[]): readonly Stmt[] {
  const live = new Set<string>();
  const reads = (expr: Expr): void => {
    if (expr.kind === 'local') live.add(expr.name);
    operandsOf(expr).forEach(reads);
  };
  const sweep = (block: readonly Stmt[]): readonly Stmt[] => {
    const kept: Stmt[] = [];
    for (const statement of [...block].reverse()) {
      if (statement.kind === 'let' && !live.has(statement.name)) continue;
      let swept = statement;
      if (statement.kind === 'if') swept = { ...statement, then: sweep(statement.then), else: sweep(statement.else) };
      if (statement.kind === 'for') swept = { ...statement, body: sweep(statement.body) };
      if (blocksOf(swept).length > 0 && blocksOf(swept).every((b) => b.length === 0)) continue;
      expressionsOf(swept).forEach(reads);
      kept.push(swept);
    }
    return kept.reverse();
  };
  return sweep(body);
}
