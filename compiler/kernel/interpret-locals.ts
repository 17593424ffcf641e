/**
 * Locals of the kernel interpreter: which variables of the JavaScript text hold them, in scopes as the kernel nests.
 *
 * A vector has a variable for each component. A local that lives across a meeting of threads is kept in an array with an element for
 * each thread, and is a variable only inside the stretch of statements that reads or writes it: stretches ask which those are.
 */
import { at } from '../../dsl/diagnostics/invariants.ts';
import type { Constant } from './interpret-expressions.ts';
import { fault } from './interpret-memory.ts';
import type { Lanes } from './interpret-subgroups.ts';
import type { ScalarType, ValueType } from './kernel-ir.ts';
import { scalarOf, widthOf } from './kernel-typing.ts';

/** A local in scope: its texts where it is read, one a component; its type; and the arrays it is kept in across meetings. */
export interface Local {
  readonly texts: readonly string[];
  readonly type: ValueType;
  readonly mutable: boolean;
  readonly kept: readonly string[] | null;
  readonly arrays: readonly Lanes[];
}

export class Locals {
  readonly #kernel: string;
  readonly #threads: number;
  readonly #constant: (key: string, value: Constant) => string;
  readonly #scopes: Map<string, Local>[] = [];
  #names = 0;
  /** Locals that live across meetings and that the stretch being written reads or writes. */
  #touched: Set<Local> | null = null;

  constructor(kernel: string, threads: number, constant: (key: string, value: Constant) => string) {
    this.#kernel = kernel;
    this.#threads = threads;
    this.#constant = constant;
  }

  /** A name that no other variable of the text has. */
  fresh(prefix: string): string {
    return `${prefix}${this.#names++}`;
  }

  scoped(write: () => string): string {
    this.#scopes.push(new Map());
    try {
      return write();
    } finally {
      this.#scopes.pop();
    }
  }

  /** A local that is a variable wherever it is read. */
  declare(name: string, type: ValueType, mutable: boolean): Local {
    const local: Local = { texts: this.#texts(type), type, mutable, kept: null, arrays: [] };
    this.#scope().set(name, local);
    return local;
  }

  /** A local that other stretches read. */
  declareKept(name: string, type: ValueType, mutable: boolean): Local {
    const texts = this.#texts(type);
    const arrays = texts.map(() => keptArray(scalarOf(type), this.#threads));
    const kept = arrays.map((array, i) => this.#constant(`kept_${at(texts, i, 'kernel: text of a local')}`, array));
    const local: Local = { texts, type, mutable, kept, arrays };
    this.#scope().set(name, local);
    return local;
  }

  use(name: string): Local {
    const local = this.find(name);
    if (local.kept !== null) this.#touched?.add(local);
    return local;
  }

  /** The text of a component of a local; of a scalar, itself. */
  read(name: string, lane: number): string {
    const { texts } = this.use(name);
    return texts.length === 1 ? at(texts, 0, 'kernel: text of a local') : at(texts, lane, 'kernel: text of a local');
  }

  find(name: string): Local {
    const found = this.#scopes.findLast((scope) => scope.has(name))?.get(name);
    return found ?? fault(this.#kernel, `local ${name} is not in scope`);
  }

  /** The text of a stretch, with lines that open and close the locals kept in arrays that it touches. */
  touching(write: () => readonly string[]): {
    readonly open: readonly string[];
    readonly lines: readonly string[];
    readonly close: readonly string[];
  } {
    const outer = this.#touched;
    const touched = new Set<Local>();
    this.#touched = touched;
    const lines = write();
    this.#touched = outer;
    const each = (line: (text: string, kept: string, isBool: boolean) => string): readonly string[] =>
      [...touched].flatMap(({ texts, kept, type }) =>
        texts.map((text, i) => line(text, at(kept ?? [], i, 'kernel: kept local'), scalarOf(type) === 'bool')),
      );
    return {
      open: each((text, kept, isBool) => `let ${text} = ${kept}[local]${isBool ? ' !== 0' : ''};`),
      lines,
      close: each((text, kept, isBool) => `${kept}[local] = ${isBool ? `${text} ? 1 : 0` : text};`),
    };
  }

  #texts(type: ValueType): readonly string[] {
    return Array.from({ length: widthOf(type) }, () => this.fresh('v'));
  }

  #scope(): Map<string, Local> {
    return this.#scopes.at(-1) ?? fault(this.#kernel, 'a local is declared outside of every block');
  }
}

/** An array with an element for each thread. */
export function keptArray(type: ScalarType, size: number): Lanes {
  switch (type) {
    case 'f32':
      return new Float32Array(size);
    case 'i32':
      return new Int32Array(size);
    case 'u32':
      return new Uint32Array(size);
    case 'bool':
      return new Uint8Array(size);
  }
}
