/**
 * The instances of a program that an instantiation has met, as a tree: the model at the root, in each instance those of the
 * callables declared or instantiated in it. A declaration lives in one instance around the place where it is named, its
 * *home*; what is made of it is kept there, once (or once for each index of the families that it names).
 */
import { get } from '../diagnostics/invariants.ts';
import type { ConcreteAxisId, DeclarationId, DeclaredId, IndexId } from '../types/ids.ts';
import type { CallableDeclaration, Declaration, Program } from '../types/program.ts';
import { CompilerBug } from '../diagnostics/bug.ts';
import type { Selection } from './backend.ts';
import type { Axis } from '../types/axis.ts';
import type { Instance } from './instances.ts';
import { indexProgram, type ProgramIndex } from './program-index.ts';

/** The part of a frame that names and statics depend on. */
export interface StaticFrame {
  readonly instance: Instance;
  readonly selection: ReadonlyMap<ConcreteAxisId, Selection>;
  readonly indices: ReadonlyMap<IndexId, number>;
}

export class InstanceTree {
  readonly index: ProgramIndex;
  /** The model: what is declared outside of any callable lives here. */
  readonly root: Instance;

  constructor(program: Program) {
    this.index = indexProgram(program);
    this.root = this.make('', null, null, null, null, []);
  }

  make(
    path: string,
    owner: DeclarationId | null,
    parent: Instance | null,
    instantiatedIn: Instance | null,
    declaration: DeclarationId | null,
    family: readonly Axis[],
    indices: ReadonlyMap<IndexId, number> = new Map(),
  ): Instance {
    return {
      path,
      owner,
      parent,
      instantiatedIn,
      declaration,
      family,
      indices,
      made: new Map(),
      outer: new Map(),
    };
  }

  callable(id: DeclarationId): CallableDeclaration {
    const declaration = this.declaration(id);
    if (declaration.kind === 'callable') return declaration;
    throw new CompilerBug('instantiate', `${declaration.name} is no callable`);
  }

  declaration(id: DeclaredId): Declaration {
    const declaration = this.index.declarations.get(id);
    if (declaration === undefined) throw new CompilerBug('instantiate', `no declaration ${id}`);
    return declaration;
  }

  indexName(id: IndexId): string {
    return get(this.index.indexNames, id, 'instantiate: name of index');
  }

  /** The instance around `frame` in which a declaration lives. */
  home(id: DeclaredId, frame: StaticFrame): Instance {
    const owner = get(this.index.owners, id, 'instantiate: owner of declaration');
    for (let i: Instance | null = frame.instance; i !== null; i = i.parent) if (i.owner === owner) return i;
    // The record of a template's instance names axes of the place where it is instantiated.
    for (let i: Instance | null = frame.instance.instantiatedIn; i !== null; i = i.parent)
      if (i.owner === owner) return i;
    throw new CompilerBug('instantiate', `declaration ${this.declaration(id).name} is out of scope`);
  }

  /** The name under which an instance keeps what it made of a declaration. */
  key(id: DeclaredId, frame: StaticFrame, depends: boolean): string {
    if (!depends) return String(id);
    const own = this.indicesOf(id, frame);
    return own.size === 0 ? String(id) : `${id}@${[...own].map(([i, v]) => `${i}=${v}`).join(',')}`;
  }

  /** Where a frame stands along the indices that are around a declaration. */
  indicesOf(id: DeclaredId, frame: StaticFrame): ReadonlyMap<IndexId, number> {
    const around = this.index.indicesAround(id);
    return new Map([...frame.indices].filter(([index]) => around.has(index)));
  }

  declarationOf(instance: Instance): Declaration | null {
    return instance.declaration === null ? null : this.declaration(instance.declaration);
  }

  /** The innermost instance around another one that the frame is inside of. */
  commonInstance(instance: Instance, frame: StaticFrame): Instance {
    for (let outer: Instance | null = instance; outer !== null; outer = outer.instantiatedIn) {
      for (let inner: Instance | null = frame.instance; inner !== null; inner = inner.instantiatedIn) {
        if (inner === outer) return inner;
      }
    }
    return this.root;
  }

  /**
   * The family axes around (the variables of) an instance that bodies name by an index, innermost first: around its declaration,
   * and around the place where it is instantiated.
   */
  namedIndices(instance: Instance): readonly { readonly index: IndexId; readonly axis: Axis }[] {
    const found: { readonly index: IndexId; readonly axis: Axis }[] = [];
    for (let i: Instance | null = instance; i !== null; i = i.instantiatedIn) {
      const declaration = this.declarationOf(i);
      if (declaration?.kind !== 'callable') continue;
      const roots = i.family.slice(i.family.length - declaration.family.length);
      declaration.family.forEach(({ index }, k) => {
        const axis = roots[k];
        if (index !== null && axis !== undefined) found.push({ index, axis });
      });
    }
    return found;
  }
}
