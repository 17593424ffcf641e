/**
 * Calls: how a family of functions is applied (SEMANTICS 5.2 and 5.5). Arguments are bound by the axes the formals
 * declare; every other axis is carried, unseen by the body. An axis that is carried, and that the body itself mentions,
 * is set apart under a fresh name on the way in and gets its own name back on the way out. A union calls its members; a
 * family that names its index is specialised for each of its points.
 */
import { at } from '../diagnostics/invariants.ts';
import type { ConcreteAxisId, LocalId } from '../types/ids.ts';
import type { Block, CallableDeclaration, ValueType } from '../types/program.ts';
import { CompilerBug } from '../diagnostics/bug.ts';
import { isLibrary, type Span } from '../diagnostics/diagnostic.ts';
import { MAX_STEPS, withinLimit } from '../types/expansion-limits.ts';
import type { Backend, Selection } from './backend.ts';
import type { Operand } from '../types/call.ts';
import type { Axis } from '../types/axis.ts';
import { axesOfType } from '../types/axes.ts';
import { withoutPoints } from './coerce.ts';
import { axesOfOperand, restrict, stackOperands, type Frame, type InstantiatedValue } from './frame.ts';
import type { FamilyValue } from './instances.ts';
import type { InstanceScope, StaticFrame } from './instance-scope.ts';
import { asInteger, exact } from '../types/size.ts';

export class Calls<T, R> {
  readonly #scope: InstanceScope;
  readonly #backend: Backend<T, R>;
  /** Instantiates a body in its frame. */
  readonly #enter: (body: Block, frame: Frame<T, R>) => InstantiatedValue<T, R>;

  constructor(
    scope: InstanceScope,
    backend: Backend<T, R>,
    enter: (body: Block, frame: Frame<T, R>) => InstantiatedValue<T, R>,
  ) {
    this.#scope = scope;
    this.#backend = backend;
    this.#enter = enter;
  }

  call(
    family: FamilyValue<never>,
    args: readonly Operand<T, R>[],
    frame: Frame<T, R>,
    span: Span,
    seedKey: string,
  ): InstantiatedValue<T, R> {
    if (family.kind === 'union') return this.#callUnion(family, args, frame, span, seedKey);
    const callable = this.#scope.callable(family.callable);
    const named = this.#scope.families.openIndex(family);
    if (named === null) return this.#callOne(family, callable, args, frame, span, seedKey);
    // A family that names its index is specialised for each of its points.
    const n = asInteger(named.as.size);
    if (n === null) throw new CompilerBug('instantiate', `family axis ${named.as.name} of no constant size`);
    withinLimit(n, MAX_STEPS, `a family that names its index of ${named.as.name} is written out`, span);
    if (n === 0) return this.#callNobody(family, callable, args, named.as, span);
    const results: InstantiatedValue<T, R>[] = [];
    for (let i = 0; i < n; i++) {
      const one = this.#scope.families.selectRoot(family, named.root, { kind: 'at', index: named.from + i });
      const own = args.map((a) => this.sliceAt(a, named.as, i, frame, span));
      // Each member draws for itself, as members of a family that names no index do.
      results.push(this.call(one, own, frame, span, `${seedKey}.${named.from + i}`));
    }
    return this.#stackValues(results, named.as);
  }

  /** What a family gives that has no instances along an axis: nothing along it, present nowhere if it was called with routes. */
  #callNobody(
    family: FamilyValue<never> & { kind: 'function' },
    callable: CallableDeclaration,
    args: readonly Operand<T, R>[],
    axis: Axis,
    span: Span,
  ): InstantiatedValue<T, R> {
    const statics: StaticFrame = { instance: family.instance, selection: family.selection, indices: family.indices };
    const lifted = args.flatMap((arg, i) =>
      arg.kind === 'route' && callable.formals[i]?.type.kind !== 'route' ? [arg.value] : [],
    );
    const of = (type: ValueType): InstantiatedValue<T, R> => {
      if (type.kind === 'tuple') return { kind: 'tuple', items: type.items.map((item) => of(item.type)) };
      const value = withoutPoints(type, this.#backend, (a) => this.#scope.axis(a, statics), span);
      return this.#backend.broadcast(value, [axis]);
    };
    return this.#leave(of(callable.result), lifted, new Map(this.#scope.boundary(family.instance)));
  }

  #stackValues(values: readonly InstantiatedValue<T, R>[], axis: Axis): InstantiatedValue<T, R> {
    const [first] = values;
    if (first === undefined) throw new CompilerBug('instantiate', `a call of no instances along ${axis.name}`);
    if (first.kind === 'tuple') {
      return {
        kind: 'tuple',
        items: first.items.map((_, k) =>
          this.#stackValues(
            values.map((v) => (v.kind === 'tuple' ? (v.items[k] ?? v) : v)),
            axis,
          ),
        ),
      };
    }
    return stackOperands(
      values.map((v) => {
        if (v.kind === 'tuple' || v.kind === 'family')
          throw new CompilerBug('instantiate', 'results of one family differ in kind');
        return v;
      }),
      axis,
      this.#backend,
    );
  }

  /** An argument at one point of a family axis, if it has that axis. */
  sliceAt(operand: Operand<T, R>, axis: Axis, index: number, frame: Frame<T, R>, span: Span): Operand<T, R> {
    const axes = axesOfOperand(operand, this.#backend);
    if (!axes.includes(axis)) return operand;
    return this.#backend.primitive({
      name: 'at',
      args: new Map([['x', operand]]),
      axes: new Map([['axis', [axis]]]),
      attributes: new Map([['index', exact(index)]]),
      element: operand.kind === 'tensor' ? this.#backend.elementOf(operand.value) : 'f32',
      span,
      batchAxes: frame.batchAxes,
      seedKey: frame.seedKey,
    });
  }

  #callUnion(
    family: FamilyValue<never> & { kind: 'union' },
    given: readonly Operand<T, R>[],
    frame: Frame<T, R>,
    span: Span,
    seedKey: string,
  ): InstantiatedValue<T, R> {
    const axis = family.axis;
    // Axes that members have beneath the union's are none of the union: an argument that carries one of them keeps it to itself.
    const beneath = new Set(family.members.flatMap((m) => m.axes));
    const apart = new Map<Axis, Axis>();
    for (const arg of given)
      for (const a of axesOfOperand(arg, this.#backend))
        if (beneath.has(a) && !apart.has(a)) apart.set(a, this.#scope.fresh(a));
    const args = given.map((arg) => (apart.size === 0 ? arg : this.#renamed(arg, apart)));
    const parts = family.members.map((member, i) => {
      const layout = family.layout.members[i];
      if (layout === undefined) throw new CompilerBug('instantiate', 'a union without a layout');
      // An argument that has the union's axis gives each member its own part.
      const own = args.map((a): Operand<T, R> => {
        const axes = axesOfOperand(a, this.#backend);
        if (!axes.includes(axis)) return a;
        return this.#backend.primitive({
          name: 'part',
          args: new Map([['x', a]]),
          axes: new Map([
            ['axis', [axis]],
            ['into', member.axes],
          ]),
          attributes: new Map([
            ['part', exact(i)],
            ['offset', layout.offset],
            ['length', layout.length],
          ]),
          element: a.kind === 'tensor' ? this.#backend.elementOf(a.value) : 'f32',
          span,
          batchAxes: frame.batchAxes,
          seedKey,
        });
      });
      return { value: this.call(member.family, own, frame, span, `${seedKey}.${i}`), axes: member.axes };
    });
    const dense = parts.map((part) => {
      if (part.value.kind === 'tensor') return { value: part.value.value, axes: part.axes };
      if (part.value.kind !== 'route') throw new CompilerBug('instantiate', 'members of a union return one value');
      return { value: this.#backend.weights(part.value.value), axes: part.axes };
    });
    const value = this.#backend.unite(dense, axis);
    const lifted = args.filter((a): a is { kind: 'route'; value: R } => a.kind === 'route').map((a) => a.value);
    const united: Operand<T, R> =
      lifted.length > 0 && parts.some((part) => part.value.kind === 'route')
        ? { kind: 'route', value: this.#backend.present(lifted, value) }
        : { kind: 'tensor', value };
    return this.#renamed(united, new Map([...apart].map(([a, fresh]) => [fresh, a])));
  }

  #renamed(operand: Operand<T, R>, renaming: ReadonlyMap<Axis, Axis>): Operand<T, R> {
    const own = restrict(renaming, operand, this.#backend);
    return own.size === 0 ? operand : this.#backend.rename(operand, own);
  }

  #callOne(
    family: FamilyValue<never> & { kind: 'function' },
    callable: CallableDeclaration,
    args: readonly Operand<T, R>[],
    frame: Frame<T, R>,
    span: Span,
    seedKey: string,
  ): InstantiatedValue<T, R> {
    const instance = family.instance;
    const statics: StaticFrame = { instance, selection: family.selection, indices: family.indices };
    const uses = new Set(callable.uses.map((u) => this.#scope.axis(u, statics)));

    // Axes of the family and what is carried; those the body itself mentions are set apart under fresh names.
    const familyAxes = [...family.selection.values()].flatMap((s): Axis[] =>
      s.kind === 'all' ? [s.axis] : s.kind === 'window' ? [s.as] : [],
    );
    const declared = callable.formals.map((f) => axesOfType(f.type).map((a) => this.#scope.axis(a, statics)));
    const carried: Axis[] = [];
    const bound = args.map((arg, i): Operand<T, R> => {
      const inner = at(declared, i, 'instantiate: parameter');
      const boundary = new Map<Axis, Axis>();
      for (const a of inner) {
        const outer = this.#scope.outerOf(instance, a);
        if (outer !== a) boundary.set(outer, a);
      }
      return boundary.size === 0 ? arg : this.#backend.rename(arg, boundary);
    });
    bound.forEach((arg, i) => {
      const inner = at(declared, i, 'instantiate: parameter');
      const own = axesOfOperand(arg, this.#backend);
      for (const a of own) if (!inner.includes(a) && !carried.includes(a)) carried.push(a);
    });
    const unseen = [...new Set([...frame.batchAxes, ...familyAxes, ...carried])];
    const apart = new Map<Axis, Axis>();
    for (const a of unseen) if (uses.has(a)) apart.set(a, this.#scope.fresh(a));
    const moved = (a: Axis): Axis => apart.get(a) ?? a;

    const locals = new Map<LocalId, InstantiatedValue<T, R>>();
    const routes: R[] = frame.routes.map((r) => this.#renameRoute(r, apart));
    const lifted: R[] = [];
    bound.forEach((arg, i) => {
      const formal = callable.formals[i];
      if (formal === undefined) throw new CompilerBug('instantiate', `too many arguments for ${callable.name}`);
      const inner = at(declared, i, 'instantiate: parameter');
      const renaming = new Map([...apart].filter(([a]) => !inner.includes(a)));
      // An axis that is declared and carried by different arguments is renamed only where it is carried.
      const own = renaming.size === 0 ? arg : this.#backend.rename(arg, restrict(renaming, arg, this.#backend));
      if (own.kind === 'route' && formal.type.kind !== 'route') {
        lifted.push(own.value);
        locals.set(formal.local, { kind: 'tensor', value: this.#backend.weights(own.value) });
      } else {
        locals.set(formal.local, this.#backend.broadcast(own, inner));
      }
    });
    const selection = new Map(
      [...family.selection].map(([id, s]): [ConcreteAxisId, Selection] => {
        if (s.kind === 'all') return [id, { kind: 'all', axis: moved(s.axis) }];
        return [id, s.kind === 'window' ? { kind: 'window', from: s.from, as: moved(s.as) } : s];
      }),
    );
    const restore = new Map<Axis, Axis>();
    for (const [a, fresh] of apart) restore.set(fresh, frame.restore.get(a) ?? a);
    for (const [a, b] of frame.restore) if (!apart.has(a)) restore.set(a, b);
    const callee: Frame<T, R> = {
      instance,
      selection,
      indices: family.indices,
      locals,
      batchAxes: unseen.map(moved),
      routes: [...routes, ...lifted],
      restore,
      seedKey,
      calledAt: isLibrary(span) ? frame.calledAt : span,
    };
    const raw =
      callable.body === null
        ? this.#extern(callable, callee, carried.map(moved), familyAxes.map(moved), span)
        : this.#enter(callable.body, callee);
    const back = new Map([...apart].map(([a, fresh]) => [fresh, a]));
    for (const [inner, outer] of this.#scope.boundary(instance)) back.set(inner, outer);
    return this.#leave(raw, lifted, back);
  }

  /** A result on its way out: lifted over the routes it was called with, axes renamed back. */
  #leave(value: InstantiatedValue<T, R>, lifted: readonly R[], back: ReadonlyMap<Axis, Axis>): InstantiatedValue<T, R> {
    if (value.kind === 'family') return value;
    if (value.kind === 'tuple') return { kind: 'tuple', items: value.items.map((v) => this.#leave(v, lifted, back)) };
    const whole: Operand<T, R> =
      lifted.length > 0 && value.kind === 'tensor'
        ? { kind: 'route', value: this.#backend.present(lifted, value.value) }
        : value;
    const renaming = restrict(back, whole, this.#backend);
    return renaming.size === 0 ? whole : this.#backend.rename(whole, renaming);
  }

  #renameRoute(route: R, renaming: ReadonlyMap<Axis, Axis>): R {
    const own = restrict<T, R>(renaming, { kind: 'route', value: route }, this.#backend);
    if (own.size === 0) return route;
    const renamed = this.#backend.rename({ kind: 'route', value: route }, own);
    if (renamed.kind !== 'route') throw new CompilerBug('instantiate', 'renaming made a route dense');
    return renamed.value;
  }

  #extern(
    callable: CallableDeclaration,
    frame: Frame<T, R>,
    carried: readonly Axis[],
    family: readonly Axis[],
    span: Span,
  ): InstantiatedValue<T, R> {
    const own = (type: ValueType): { readonly axes: readonly Axis[]; readonly within: Axis | null } => ({
      axes: axesOfType(type).map((a) => this.#scope.axis(a, frame)),
      within: type.kind === 'tensor' && type.within !== undefined ? this.#scope.axis(type.within, frame) : null,
    });
    const args = callable.formals.map((f) => {
      const value = frame.locals.get(f.local);
      if (value === undefined || value.kind !== 'tensor')
        throw new CompilerBug('instantiate', 'an extern takes dense values');
      return { name: f.name, value: value.value, ...own(f.type) };
    });
    const types = callable.result.kind === 'tuple' ? callable.result.items.map((t) => t.type) : [callable.result];
    const results = types.map((t) => ({ element: t.kind === 'tuple' ? ('f32' as const) : t.element, ...own(t) }));
    const mentioned = [...args, ...results].flatMap(({ axes, within }) => [
      ...axes,
      ...(within === null ? [] : [within]),
    ]);
    const declared = callable.family.map(({ axis }) => this.#scope.axis(axis, frame));
    const values = this.#backend.extern({
      name: callable.name,
      role: callable.role === 'expert' ? 'expert' : 'fn',
      args,
      results,
      family: [...new Set(family)],
      carried,
      mentions: [...new Set([...mentioned, ...declared, ...family])],
      span,
    });
    const items = values.map((value): InstantiatedValue<T, R> => ({ kind: 'tensor', value }));
    const [only] = items;
    return items.length === 1 && only !== undefined ? only : { kind: 'tuple', items };
  }
}
