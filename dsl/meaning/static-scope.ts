/**
 * Axes and constants: what the names of sizes stand for at a point of instantiation. The two need one another (an axis has a
 * static size, a static may name the size of an axis), so they are one module. Each is made when first met and kept in
 * its home (instance-tree.ts); meeting it again while it is being made is a definition that depends on itself.
 */
import type { DeclarationId, IndexId, ProgramAxisId } from '../types/ids.ts';
import type { AxisVar, Declaration, Program, Static, UnionDeclaration } from '../types/program.ts';
import { withinNesting } from '../types/expansion-limits.ts';
import { CompilerBug } from '../diagnostics/bug.ts';
import { diagnostic, type Diagnostic, type Span } from '../diagnostics/diagnostic.ts';
import { AxisFactory, type Axis } from '../types/axis.ts';
import { InstanceTree, type StaticFrame } from './instance-tree.ts';
import type { Instance, StaticValue, UnionLayout } from './instances.ts';
import { apply, asInteger, asNumber, exact, formatSize, multiply, one, type Size } from '../types/size.ts';
import { evaluateStatic } from './statics.ts';

export interface ScopeOptions {
  readonly program: Program;
  /** Values given from outside for the model's own constants and axes. */
  readonly overrides: ReadonlyMap<string, StaticValue>;
  /** Sizes of dynamic axes, where a run has bound them. */
  readonly dynamic: ReadonlyMap<string, number>;
  readonly report: (problem: Diagnostic) => void;
}

export class StaticScope {
  readonly #options: ScopeOptions;
  readonly axes = new AxisFactory();
  protected readonly tree: InstanceTree;
  readonly #layouts = new Map<Axis, UnionLayout>();
  readonly #twinOf = new Map<Axis, Axis>();

  /** Constants around the one that is evaluated. */
  #constants = 0;

  constructor(options: ScopeOptions) {
    this.#options = options;

    this.tree = new InstanceTree(options.program);
  }

  // --- axes --------------------------------------------------------------------------------------------------------

  axis(variable: AxisVar, frame: StaticFrame): Axis {
    const base = this.#baseAxis(variable.axis, frame);
    if (variable.primes === 0) return base;
    const twin = this.axes.twin(base, variable.primes);
    this.#twinOf.set(twin, base);
    return twin;
  }

  #baseAxis(id: ProgramAxisId, frame: StaticFrame): Axis {
    const declaration = this.tree.declaration(id);
    if (declaration.kind !== 'axis') throw new CompilerBug('instantiate', `${declaration.name} is no axis`);
    const home = this.tree.home(id, frame);
    const key = this.tree.key(id, frame, this.tree.index.dependsOnIndex.has(id));
    const made = home.made.get(key);
    if (made?.kind === 'axis') return made.axis;
    if (made?.kind === 'pending') {
      this.#options.report(
        diagnostic('MOE0355', { message: `the size of ${declaration.name} depends on itself`, span: declaration.span }),
      );
      return this.axes.make(declaration.name, one);
    }
    home.made.set(key, { kind: 'pending' });
    const axis = this.#makeAxis(declaration, { ...frame, instance: home });
    home.made.set(key, { kind: 'axis', axis });
    return axis;
  }

  #makeAxis(declaration: Declaration & { kind: 'axis' }, frame: StaticFrame): Axis {
    const { name } = declaration;
    const of = declaration.of;
    switch (of.kind) {
      case 'points':
        return this.axes.make(name, exact(of.names.length), { points: of.names });
      case 'union':
        return this.#unionAxis(of.union, frame);
      case 'parameter':
        throw new CompilerBug('instantiate', `axis parameter ${name} is not bound`);
      case 'dynamic':
      case 'sized': {
        const given = frame.instance === this.tree.root ? this.#options.overrides.get(name) : undefined;
        if (given?.kind === 'number') return this.axes.make(name, given.size);
        if (of.kind === 'dynamic') {
          const bound = this.#options.dynamic.get(name);
          return this.axes.make(name, bound === undefined ? { kind: 'dynamic', axis: name } : exact(bound), {
            dynamic: true,
          });
        }
        const size = this.number(of.size, frame);
        const problem = sizeProblem(name, size, declaration.span);
        if (problem !== null) {
          this.#options.report(problem);
          return this.axes.make(name, one);
        }
        return this.axes.make(name, size, { dynamic: this.tree.index.dynamicAxes.has(declaration.id) });
      }
    }
  }

  #unionAxis(id: DeclarationId, frame: StaticFrame): Axis {
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
    this.#layouts.set(axis, { axis, members });
    return axis;
  }

  protected union(id: DeclarationId): UnionDeclaration {
    const declaration = this.tree.declaration(id);
    if (declaration.kind !== 'union') throw new CompilerBug('instantiate', `${declaration.name} is no union`);
    return declaration;
  }

  unionLayout(axis: Axis): UnionLayout {
    const layout = this.#layouts.get(this.#twinOf.get(axis) ?? axis);
    if (layout === undefined) throw new CompilerBug('instantiate', `${axis.name} is not the axis of a union`);
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
      constant: (id) => this.#constant(id, frame),
      size: (variable) => this.axis(variable, frame).size,
      index: (id) => this.#indexValue(id, frame),
      report: this.#options.report,
    });
  }

  #indexValue(id: IndexId, frame: StaticFrame): number {
    const value = frame.indices.get(id);
    if (value === undefined) throw new CompilerBug('instantiate', `index ${this.tree.indexName(id)} has no value`);
    return value;
  }

  number(expr: Static, frame: StaticFrame): Size {
    const value = this.static(expr, frame);
    if (value.kind !== 'number') throw new CompilerBug('instantiate', `a ${value.kind} where a number is wanted`);
    return value.size;
  }

  integer(expr: Static, frame: StaticFrame): number | null {
    return asInteger(this.number(expr, frame));
  }

  #constant(id: DeclarationId, frame: StaticFrame): StaticValue {
    const declaration = this.tree.declaration(id);
    if (declaration.kind !== 'const') throw new CompilerBug('instantiate', `${declaration.name} is no constant`);
    const home = this.tree.home(id, frame);
    const key = this.tree.key(id, frame, this.tree.index.dependsOnIndex.has(id));
    const made = home.made.get(key);
    if (made?.kind === 'static') return made.value;
    if (made?.kind === 'pending' || declaration.value === null) {
      this.#options.report(
        diagnostic('MOE0355', {
          message: `the value of ${declaration.name} depends on itself`,
          span: declaration.span,
        }),
      );
      return { kind: 'number', size: one };
    }
    home.made.set(key, { kind: 'pending' });
    withinNesting(this.#constants + 1, 'constants that they are made of', declaration.span);
    const given =
      home === this.tree.root && this.tree.index.modelLevel.has(id)
        ? this.#options.overrides.get(declaration.name)
        : undefined;
    this.#constants++;
    const value =
      given !== undefined && given.kind === declaration.type
        ? given
        : this.static(declaration.value, { ...frame, instance: home });
    this.#constants--;
    home.made.set(key, { kind: 'static', value });
    return value;
  }

  /** Whether a static has another value at each index that a family names. */
  dependsOnIndex(expr: Static): boolean {
    switch (expr.kind) {
      case 'index':
        return true;
      case 'const':
        return this.tree.index.dependsOnIndex.has(expr.decl);
      case 'size':
        return this.tree.index.dependsOnIndex.has(expr.axis.axis);
      case 'op':
        return expr.args.some((a) => this.dependsOnIndex(a));
      case 'if':
        return [expr.condition, expr.then, expr.else].some((a) => this.dependsOnIndex(a));
      default:
        return false;
    }
  }
}

/** What is wrong with the size of an axis: what is known of it is a whole number. */
export function sizeProblem(name: string, size: Size, span: Span): Diagnostic | null {
  const n = asNumber(size);
  if (n === null || (asInteger(size) !== null && n >= 0)) return null;
  const message =
    size.kind === 'real'
      ? `the size of ${name} is ${formatSize(size)} in float arithmetic, which is not exact`
      : `the size of ${name} is ${formatSize(size)}, which is no whole number from 0 upward`;
  return diagnostic('MOE0350', { message, span, help: n < 0 ? undefined : 'say floor or ceil' });
}
