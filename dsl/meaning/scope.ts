/**
 * Scopes: what the names of a program stand for at a point of the walk. Axes, constants, stores, instances and unions
 * are made when first met and kept in the instance they belong to; a declaration that depends on a family's named
 * index (`fn f[l in L]`) is made once for each index.
 */
import type {
  AxisVar,
  CallableDeclaration,
  Declaration,
  FamilyExpr,
  FamilyAxis,
  Id,
  Program,
  Static,
  UnionDeclaration,
} from '../check/program.ts';
import { CompilerBug } from '../diagnostics/bug.ts';
import { diagnostic, type Diagnostic } from '../diagnostics/diagnostic.ts';
import type { Selection, Store } from './algebra.ts';
import { AxisFactory, type Axis } from './axis.ts';
import { Families } from './families.ts';
import type { FamilyValue, Instance, StaticValue, UnionLayout, UsedStore } from './instances.ts';
import { indexProgram, type ProgramIndex } from './program-index.ts';
import { apply, asInteger, asNumber, exact, formatSize, multiply, one, type Size } from './size.ts';
import { evaluateStatic } from './statics.ts';

/** The part of a frame that names and statics depend on. */
export interface StaticFrame {
  readonly instance: Instance;
  readonly selection: ReadonlyMap<number, Selection>;
  readonly indices: ReadonlyMap<Id, number>;
}

export interface ScopeOptions {
  readonly program: Program;
  /** Values given from outside for the model's own constants and axes. */
  readonly overrides: ReadonlyMap<string, StaticValue>;
  /** Sizes of dynamic axes, where a run has bound them. */
  readonly dynamic: ReadonlyMap<string, number>;
  readonly report: (problem: Diagnostic) => void;
}

export class Scope {
  readonly axes = new AxisFactory();
  readonly families: Families;
  private readonly index: ProgramIndex;
  private readonly root: Instance;
  private readonly layouts = new Map<Axis, UnionLayout>();
  private readonly twinOf = new Map<Axis, Axis>();
  private readonly stores: UsedStore[] = [];
  private readonly marked = new Set<UsedStore>();
  private instances = 0;

  constructor(private readonly options: ScopeOptions) {
    this.index = indexProgram(options.program);
    this.families = new Families(this.axes, (id) => this.declaration(id));
    this.root = this.make('', null, null, null, null, []);
    this.checkOverrides();
  }

  private make(
    path: string,
    owner: Id | null,
    parent: Instance | null,
    instantiatedIn: Instance | null,
    declaration: Id | null,
    family: readonly Axis[],
  ): Instance {
    return {
      id: this.instances++,
      path,
      owner,
      parent,
      instantiatedIn,
      declaration,
      family,
      made: new Map(),
      outer: new Map(),
    };
  }

  private checkOverrides(): void {
    const names = new Map(
      this.options.program.declarations.filter((d) => d.kind === 'const' || d.kind === 'axis').map((d) => [d.name, d]),
    );
    for (const [name, value] of this.options.overrides) {
      const declaration = names.get(name);
      if (declaration === undefined) {
        this.options.report(
          diagnostic('MOE0354', {
            message: `the model has no constant or axis called ${name}`,
            help: `it has ${[...names.keys()].join(', ')}`,
          }),
        );
      } else if (declaration.kind === 'axis' && (declaration.of.kind === 'union' || declaration.of.kind === 'points')) {
        this.options.report(
          diagnostic('MOE0356', { message: `the size of ${name} is not chosen from outside`, span: declaration.span }),
        );
      } else if (declaration.kind === 'axis' && !(value.kind === 'number' && (asInteger(value.size) ?? -1) >= 0)) {
        this.options.report(
          diagnostic('MOE0356', {
            message: `${name} is an axis: its size is a whole number, 0 or more`,
            span: declaration.span,
          }),
        );
      } else if (declaration.kind === 'const' && declaration.type !== value.kind) {
        this.options.report(
          diagnostic('MOE0356', {
            message: `${name} is a ${declaration.type}, it was given a ${value.kind}`,
            span: declaration.span,
          }),
        );
      }
    }
  }

  entryInstance(entry: CallableDeclaration): Instance {
    return this.make('', entry.id, this.root, this.root, entry.id, []);
  }

  callable(id: Id): CallableDeclaration {
    const declaration = this.declaration(id);
    if (declaration.kind === 'callable') return declaration;
    throw new CompilerBug('walk', `${declaration.name} is no callable`);
  }

  private declaration(id: Id): Declaration {
    const declaration = this.index.declarations.get(id);
    if (declaration === undefined) throw new CompilerBug('walk', `no declaration ${id}`);
    return declaration;
  }

  indexName(id: Id): string {
    return this.index.indexNames.get(id) ?? 'index';
  }

  /** The instance around `frame` in which a declaration lives. */
  private home(id: Id, frame: StaticFrame): Instance {
    const owner = this.index.owners.get(id) ?? null;
    for (let i: Instance | null = frame.instance; i !== null; i = i.parent) if (i.owner === owner) return i;
    // The record of a template's instance names axes of the place where it is instantiated.
    for (let i: Instance | null = frame.instance.instantiatedIn; i !== null; i = i.parent)
      if (i.owner === owner) return i;
    throw new CompilerBug('walk', `declaration ${this.declaration(id).name} is out of scope`);
  }

  private key(id: Id, frame: StaticFrame, depends: boolean): string {
    if (!depends || frame.indices.size === 0) return String(id);
    return `${id}@${[...frame.indices].map(([i, v]) => `${i}=${v}`).join(',')}`;
  }

  // --- axes --------------------------------------------------------------------------------------------------------

  axis(variable: AxisVar, frame: StaticFrame): Axis {
    const base = this.baseAxis(variable.axis, frame);
    if (variable.primes === 0) return base;
    const twin = this.axes.twin(base, variable.primes);
    this.twinOf.set(twin, base);
    return twin;
  }

  private baseAxis(id: Id, frame: StaticFrame): Axis {
    const declaration = this.declaration(id);
    if (declaration.kind !== 'axis') throw new CompilerBug('walk', `${declaration.name} is no axis`);
    const home = this.home(id, frame);
    const key = this.key(id, frame, this.index.dependsOnIndex.has(id));
    const made = home.made.get(key);
    if (made?.kind === 'axis') return made.axis;
    if (made?.kind === 'pending') {
      this.options.report(
        diagnostic('MOE0355', { message: `the size of ${declaration.name} depends on itself`, span: declaration.span }),
      );
      return this.axes.make(declaration.name, one);
    }
    home.made.set(key, { kind: 'pending' });
    const axis = this.makeAxis(declaration, { ...frame, instance: home });
    home.made.set(key, { kind: 'axis', axis });
    return axis;
  }

  private makeAxis(declaration: Declaration & { kind: 'axis' }, frame: StaticFrame): Axis {
    const { name } = declaration;
    const of = declaration.of;
    switch (of.kind) {
      case 'points':
        return this.axes.make(name, exact(of.names.length), { points: of.names });
      case 'union':
        return this.unionAxis(of.union, frame);
      case 'parameter':
        throw new CompilerBug('walk', `axis parameter ${name} is not bound`);
      case 'dynamic':
      case 'sized': {
        const given = frame.instance === this.root ? this.options.overrides.get(name) : undefined;
        if (given?.kind === 'number') return this.axes.make(name, given.size);
        if (of.kind === 'dynamic') {
          const bound = this.options.dynamic.get(name);
          return this.axes.make(name, bound === undefined ? { kind: 'dynamic', axis: name } : exact(bound), {
            dynamic: true,
          });
        }
        const size = this.number(of.size, frame);
        const n = asNumber(size);
        if (n !== null && (!Number.isInteger(n) || n < 0 || size.kind === 'real')) {
          this.options.report(
            diagnostic('MOE0350', {
              message: `the size of ${name} is ${formatSize(size)}, which is no whole number from 0 upward`,
              span: declaration.span,
              help: 'say floor or ceil',
            }),
          );
          return this.axes.make(name, one);
        }
        return this.axes.make(name, size, { dynamic: this.index.dynamicAxes.has(declaration.id) });
      }
    }
  }

  private unionAxis(id: Id, frame: StaticFrame): Axis {
    const union = this.union(id);
    let offset: Size = exact(0);
    const members = union.members.map((member) => {
      const axes = member.axes.map((a) => this.axis(a, frame));
      const length = multiply(axes.map((a) => a.size));
      const layout = { axes, offset, length };
      offset = apply('add', offset, length);
      return layout;
    });
    const dynamic = members.some((m) => m.axes.some((a) => a.dynamic));
    const axis = this.axes.make(union.axis.name, offset, { dynamic });
    this.layouts.set(axis, { axis, members });
    return axis;
  }

  private union(id: Id): UnionDeclaration {
    const declaration = this.declaration(id);
    if (declaration.kind !== 'union') throw new CompilerBug('walk', `${declaration.name} is no union`);
    return declaration;
  }

  unionLayout(axis: Axis): UnionLayout {
    const layout = this.layouts.get(this.twinOf.get(axis) ?? axis);
    if (layout === undefined) throw new CompilerBug('walk', `${axis.name} is not the axis of a union`);
    return layout;
  }

  /** An axis like this one that nothing else names. */
  fresh(axis: Axis): Axis {
    return this.axes.make(axis.name, axis.size, {
      dynamic: axis.dynamic,
      points: axis.points,
      root: axis.root ?? { axis, offset: exact(0) },
    });
  }

  outerOf(instance: Instance, inner: Axis): Axis {
    for (const [a, b] of this.boundary(instance)) if (a === inner) return b;
    return inner;
  }

  /** Inner → outer axes of an instance two of whose axis parameters became one axis, twins included. */
  boundary(instance: Instance): ReadonlyMap<Axis, Axis> {
    const all = new Map<Axis, Axis>();
    for (const [inner, outer] of instance.outer) {
      for (let primes = 0; primes < 3; primes++) all.set(this.axes.twin(inner, primes), this.axes.twin(outer, primes));
    }
    return all;
  }

  // --- statics -----------------------------------------------------------------------------------------------------

  static(expr: Static, frame: StaticFrame): StaticValue {
    return evaluateStatic(expr, {
      constant: (id) => this.constant(id, frame),
      size: (variable) => this.axis(variable, frame).size,
      index: (id) => this.indexValue(id, frame),
      report: this.options.report,
    });
  }

  private indexValue(id: Id, frame: StaticFrame): number {
    const value = frame.indices.get(id);
    if (value === undefined) throw new CompilerBug('walk', `index ${this.indexName(id)} has no value`);
    return value;
  }

  number(expr: Static, frame: StaticFrame): Size {
    const value = this.static(expr, frame);
    if (value.kind !== 'number') throw new CompilerBug('walk', `a ${value.kind} where a number is wanted`);
    return value.size;
  }

  integer(expr: Static, frame: StaticFrame): number | null {
    return asInteger(this.number(expr, frame));
  }

  private constant(id: Id, frame: StaticFrame): StaticValue {
    const declaration = this.declaration(id);
    if (declaration.kind !== 'const') throw new CompilerBug('walk', `${declaration.name} is no constant`);
    const home = this.home(id, frame);
    const key = this.key(id, frame, this.index.dependsOnIndex.has(id));
    const made = home.made.get(key);
    if (made?.kind === 'static') return made.value;
    if (made?.kind === 'pending' || declaration.value === null) {
      this.options.report(
        diagnostic('MOE0355', {
          message: `the value of ${declaration.name} depends on itself`,
          span: declaration.span,
        }),
      );
      return { kind: 'number', size: one };
    }
    home.made.set(key, { kind: 'pending' });
    const given =
      home === this.root && this.index.modelLevel.has(id) ? this.options.overrides.get(declaration.name) : undefined;
    const value =
      given !== undefined && given.kind === declaration.type
        ? given
        : this.static(declaration.value, { ...frame, instance: home });
    home.made.set(key, { kind: 'static', value });
    return value;
  }

  // --- instances and families --------------------------------------------------------------------------------------

  /** The instance that a callable or an instance declaration is, in the scope of a frame. */
  private instanceOf(
    id: Id,
    frame: StaticFrame,
  ): {
    readonly instance: Instance;
    readonly callable: Id;
    readonly home: Instance;
    readonly family: readonly FamilyAxis[];
  } {
    const declaration = this.declaration(id);
    if (declaration.kind !== 'callable' && declaration.kind !== 'instance')
      throw new CompilerBug('walk', `${declaration.name} has no instance`);
    const home = this.home(id, frame);
    const key = this.key(id, frame, this.index.dependsOnIndex.has(id));
    const callable = declaration.kind === 'instance' ? declaration.template : id;
    const made = home.made.get(key);
    if (made?.kind === 'instance') return { instance: made.instance, callable, home, family: declaration.family };
    const inner: StaticFrame = { ...frame, instance: home };
    const family = [...home.family, ...declaration.family.map((f) => this.axis(f.axis, inner))];
    const path = home.path === '' ? declaration.name : `${home.path}.${declaration.name}`;
    const instance =
      declaration.kind === 'instance'
        ? this.make(path, declaration.template, this.home(declaration.template, inner), home, id, family)
        : this.make(path, id, home, home, id, family);
    if (declaration.kind === 'instance') {
      const bound = new Set<Axis>();
      for (const [parameter, argument] of declaration.axes) {
        const name = this.declaration(parameter).name;
        let axis: Axis;
        if (argument.kind === 'size') {
          axis = this.axes.make(name, this.number(argument.size, inner));
        } else {
          const outer = this.axis(argument.axis, inner);
          axis = bound.has(outer) ? this.axes.make(name, outer.size) : outer;
          if (axis !== outer) instance.outer.set(axis, outer);
          bound.add(outer);
        }
        instance.made.set(String(parameter), { kind: 'axis', axis });
      }
      for (const [parameter, value] of declaration.numbers)
        instance.made.set(String(parameter), { kind: 'static', value: this.static(value, inner) });
    }
    home.made.set(key, { kind: 'instance', instance });
    return { instance, callable, home, family: declaration.family };
  }

  /** The family a declaration is, with all of its own axes open and the ones around as the frame has them. */
  family(id: Id, frame: StaticFrame): FamilyValue<never> {
    const declaration = this.declaration(id);
    if (declaration.kind === 'union') return this.unionFamily(declaration, frame);
    const { instance, callable, home } = this.instanceOf(id, frame);
    const selection = this.selectionOf(instance, home, frame);
    const around = this.index.indicesAround(id);
    const indices = new Map([...frame.indices].filter(([index]) => around.has(index)));
    return { kind: 'function', instance, callable, selection, indices };
  }

  /**
   * How a frame reads the family axes of an instance: those around `known` (an instance the frame is inside of) as the
   * frame has them, the further ones as a whole.
   */
  selectionOf(instance: Instance, known: Instance, frame: StaticFrame): Map<number, Selection> {
    return new Map(
      instance.family.map((axis, i): [number, Selection] => {
        const chosen = i < known.family.length ? frame.selection.get(axis.id) : undefined;
        return [axis.id, chosen ?? { kind: 'all', axis }];
      }),
    );
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

  private unionFamily(declaration: UnionDeclaration, frame: StaticFrame): FamilyValue<never> {
    const axis = this.axis({ axis: declaration.axis.id, primes: 0 }, frame);
    const layout = this.unionLayout(axis);
    const members = declaration.members.map((m, i) => ({
      family: this.familyOf(m.family, frame),
      axes: layout.members[i]?.axes ?? [],
    }));
    return { kind: 'union', axis, layout, members };
  }

  /** A family expression without locals (a union's member); ranges were checked where they are declared. */
  private familyOf(expr: FamilyExpr, frame: StaticFrame): FamilyValue<never> {
    switch (expr.kind) {
      case 'named':
        return this.family(expr.decl, frame);
      case 'local_family':
        throw new CompilerBug('walk', 'a union of local families');
      case 'at':
        return this.families.select(this.familyOf(expr.family, frame), this.axis(expr.axis, frame), {
          kind: 'at',
          index: this.integer(expr.index, frame) ?? 0,
        });
      case 'window':
        return this.families.select(this.familyOf(expr.family, frame), this.axis(expr.axis, frame), {
          kind: 'window',
          from: this.integer(expr.from, frame) ?? 0,
          as: this.axis(expr.as, frame),
        });
    }
  }

  // --- stores ------------------------------------------------------------------------------------------------------

  store(id: Id, via: readonly Id[], frame: StaticFrame): UsedStore {
    let at = frame;
    for (const step of via) at = { ...at, instance: this.instanceOf(step, at).instance };
    const declaration = this.declaration(id);
    if (declaration.kind !== 'store') throw new CompilerBug('walk', `${declaration.name} is no param, state or input`);
    const home = this.home(id, at);
    const made = home.made.get(String(id));
    if (made?.kind === 'store') return made.store;
    const inner: StaticFrame = { ...at, instance: home };
    const store: Store = {
      id: this.stores.length,
      path: home.path === '' ? declaration.name : `${home.path}.${declaration.name}`,
      declaration,
      element: declaration.type.element,
      family: home.family,
      declared: declaration.type.axes.map((a) => this.axis(a, inner)),
      within: declaration.type.within === undefined ? null : this.axis(declaration.type.within, inner),
    };
    const used: UsedStore = { store, instance: home, cells: new Set() };
    this.stores.push(used);
    home.made.set(String(id), { kind: 'store', store: used });
    return used;
  }

  /** Notes that these cells are read or written: only they are required of a checkpoint. */
  markUsed(used: UsedStore, selection: readonly Selection[]): void {
    let cells = [''];
    for (const s of selection) {
      const n = s.kind === 'at' ? 1 : asInteger(s.kind === 'all' ? s.axis.size : s.as.size);
      const first = s.kind === 'at' ? s.index : s.kind === 'window' ? s.from : 0;
      const points = Array.from({ length: n ?? 0 }, (_, i) => first + i);
      cells = cells.flatMap((prefix) => points.map((p) => (prefix === '' ? String(p) : `${prefix},${p}`)));
    }
    this.marked.add(used);
    for (const cell of cells) used.cells.add(cell);
  }

  /** What bodies read or write. Of a family without members a store has no cells, and is read all the same. */
  usedStores(): readonly UsedStore[] {
    return this.stores.filter((s) => this.marked.has(s));
  }

  /** A frame in which an instance's own declarations can be read: for bindings and initial values. */
  frameOf(instance: Instance): StaticFrame {
    return { instance, selection: new Map(), indices: new Map() };
  }

  /** The family axes around a store that bodies name by an index, innermost first. */
  namedIndices(used: UsedStore): readonly { readonly index: Id; readonly axis: Axis }[] {
    const found: { readonly index: Id; readonly axis: Axis }[] = [];
    for (let i: Instance | null = used.instance; i !== null; i = i.parent) {
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

  /** Whether a static has another value at each index that a family names. */
  dependsOnIndex(expr: Static): boolean {
    switch (expr.kind) {
      case 'index':
        return true;
      case 'const':
        return this.index.dependsOnIndex.has(expr.decl);
      case 'size':
        return this.index.dependsOnIndex.has(expr.axis.axis);
      case 'op':
        return expr.args.some((a) => this.dependsOnIndex(a));
      case 'if':
        return [expr.condition, expr.then, expr.else].some((a) => this.dependsOnIndex(a));
      default:
        return false;
    }
  }

  declarationOf(instance: Instance): Declaration | null {
    return instance.declaration === null ? null : this.declaration(instance.declaration);
  }
}
