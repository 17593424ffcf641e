/**
 * What an instantiation gathers beside its results: losses, outputs and updates, by path. A loss or output of a family has the
 * family's axes in front: calls of single instances fill their own points, calls of the whole family fill all. Losses of one
 * path add up over calls; an output or an update of one member may come from one call only.
 */
import { addedInOrder } from '../tensors/sum-order.ts';
import type { ConcreteAxisId, DeclarationId, VariableId } from '../types/ids.ts';
import type { ValueType } from '../types/program.ts';
import { diagnostic, isLibrary, type Diagnostic, type Span } from '../diagnostics/diagnostic.ts';
import { MAX_STEPS, withinLimit } from '../types/expansion-limits.ts';
import type { Backend, Selection, Variable } from './backend.ts';
import type { Operand } from '../types/call.ts';
import type { Axis } from '../types/axis.ts';
import { exact, integerOf } from '../types/size.ts';
import type { Frame } from './frame.ts';
import { differentOrigin, type Instance } from './instances.ts';
import { onePath } from './instance-scope.ts';

export interface GatheredValue<T, R> {
  readonly path: string;
  readonly value: Operand<T, R>;
  /** Family axes, carried axes (outputs only), own axes. */
  readonly axes: readonly Axis[];
  /** Of a route: its targets and payload among `axes`. */
  readonly targets: readonly Axis[];
  readonly payload: readonly Axis[];
  /** Of the first statement that gives it. */
  readonly span: Span;
}

export interface GatheredState<T> {
  readonly variable: Variable;
  readonly value: T;
  readonly span: Span;
}

/** Where a value was given: the statement, and the user's call on the way there. */
export interface EffectOrigin {
  readonly span: Span;
  readonly call: Span | null;
}

interface Entry<T, R> extends EffectOrigin {
  readonly selection: readonly Selection[];
  readonly value: Operand<T, R>;
}

interface Gathering<T, R> {
  readonly path: string;
  readonly kind: 'loss' | 'output';
  readonly instance: Instance;
  readonly family: readonly Axis[];
  readonly entries: Entry<T, R>[];
  axes: readonly Axis[];
  readonly targets: readonly Axis[];
  readonly payload: readonly Axis[];
}

const nowhere: Span = { source: '', start: 0, end: 0 };

export class Effects<T, R> {
  readonly #backend: Backend<T, R>;
  /** Where a declaration stands. */
  readonly #spanOf: (id: DeclarationId) => Span;
  /** The entry that runs: what it and its own instances say stands in the run without its name in front. */
  readonly #entry: string;
  readonly #report: (problem: Diagnostic) => void;
  readonly #gathered = new Map<string, Gathering<T, R>>();
  readonly #states = new Map<VariableId, { readonly variable: Variable; readonly entries: Entry<T, R>[] }>();

  constructor(
    backend: Backend<T, R>,
    spanOf: (id: DeclarationId) => Span,
    entry: string,
    report: (problem: Diagnostic) => void,
  ) {
    this.#backend = backend;
    this.#spanOf = spanOf;
    this.#entry = entry;
    this.#report = report;
  }

  loss(name: string, value: T, frame: Frame<T, R>, span: Span): void {
    const { path, selection, open } = this.#pathOf(name, frame);
    // Also along what the value does not vary with: it is meant where the routes are present.
    const axes = [...this.#backend.axesOf(value), ...frame.routes.flatMap((r) => this.#backend.supportOf(r))];
    const over = [...new Set(axes)].filter((a) => !open.includes(a));
    const mean =
      over.length === 0 && frame.routes.length === 0 ? value : this.#backend.meanPresent(value, over, frame.routes);
    this.#add(
      'loss',
      path,
      frame.instance,
      { selection, value: this.#restored({ kind: 'tensor', value: mean }, frame), span, call: frame.calledAt },
      [],
      [],
      [],
    );
  }

  output(
    name: string,
    value: Operand<T, R>,
    type: ValueType,
    own: readonly Axis[],
    frame: Frame<T, R>,
    span: Span,
  ): void {
    const { path, selection, open } = this.#pathOf(name, frame);
    const restored = this.#restored(value, frame);
    const back = (a: Axis): Axis => frame.restore.get(a) ?? a;
    const present = this.#axesOf(restored);
    const openOutside = open.map(back);
    const carried = frame.batchAxes.map(back).filter((a) => present.includes(a) && !openOutside.includes(a));
    const route = type.kind === 'route';
    const targets = route ? own.slice(type.sources.length, type.sources.length + type.targets.length) : [];
    const payload = route ? own.slice(type.sources.length + type.targets.length) : [];
    this.#add(
      'output',
      path,
      frame.instance,
      { selection, value: restored, span, call: frame.calledAt },
      [...new Set([...carried, ...own])],
      targets,
      payload,
    );
  }

  update(variable: Variable, selection: ReadonlyMap<ConcreteAxisId, Selection>, value: T, given: EffectOrigin): void {
    const list = variable.family.map((a): Selection => selection.get(a.id) ?? { kind: 'all', axis: a });
    const state = this.#states.get(variable.id) ?? { variable, entries: [] };
    state.entries.push({ selection: list, value: { kind: 'tensor', value }, ...given });
    this.#states.set(variable.id, state);
  }

  gather(): {
    losses: readonly GatheredValue<T, R>[];
    outputs: readonly GatheredValue<T, R>[];
    updates: readonly GatheredState<T>[];
  } {
    const all = [...this.#gathered.values()].map((g): [Gathering<T, R>, GatheredValue<T, R>] => {
      const value = this.#assemble(g.entries, g.family, g.kind, () => null);
      const axes = [...g.family, ...g.axes.filter((a) => !g.family.includes(a))];
      return [
        g,
        {
          path: g.path,
          value: this.#backend.broadcast(value, axes, g.payload),
          axes,
          targets: g.targets,
          payload: g.payload,
          span: g.entries[0]?.span ?? nowhere,
        },
      ];
    });
    const updates = [...this.#states.values()].map((s): GatheredState<T> => {
      const whole = s.variable.family.map((a): Selection => ({ kind: 'all', axis: a }));
      const value = this.#assemble(s.entries, s.variable.family, 'update', (at) => {
        const selection = whole.map((w, i): Selection => {
          const index = at[i];
          return index === undefined || index === null ? w : { kind: 'at', index };
        });
        return { kind: 'tensor', value: this.#backend.variable(s.variable, selection, null) };
      });
      const wide = this.#backend.broadcast(value, [...s.variable.family, ...s.variable.declared]);
      const span = s.entries[0]?.span ?? nowhere;
      if (wide.kind === 'route') return { variable: s.variable, value: this.#backend.weights(wide.value), span };
      return { variable: s.variable, value: wide.value, span };
    });
    const of = (kind: 'loss' | 'output'): GatheredValue<T, R>[] =>
      all.filter(([g]) => g.kind === kind).map(([, v]) => v);
    return { losses: of('loss'), outputs: of('output'), updates };
  }

  #pathOf(name: string, frame: Frame<T, R>): { path: string; selection: readonly Selection[]; open: readonly Axis[] } {
    const { instance } = frame;
    const selection = instance.family.map((a): Selection => frame.selection.get(a.id) ?? { kind: 'all', axis: a });
    const open = selection.flatMap((s): Axis[] => (s.kind === 'all' ? [s.axis] : s.kind === 'window' ? [s.as] : []));
    const back = (a: Axis): Axis => frame.restore.get(a) ?? a;
    const outside = selection.map((s): Selection => {
      if (s.kind === 'all') return { kind: 'all', axis: back(s.axis) };
      return s.kind === 'window' ? { kind: 'window', from: s.from, as: back(s.as) } : s;
    });
    return {
      path: pathInRun(instance.path === '' ? name : `${instance.path}.${name}`, this.#entry),
      selection: outside,
      open,
    };
  }

  #restored(value: Operand<T, R>, frame: Frame<T, R>): Operand<T, R> {
    const own = this.#axesOf(value);
    const renaming = new Map([...frame.restore].filter(([a, b]) => a !== b && own.includes(a)));
    return renaming.size === 0 ? value : this.#backend.rename(value, renaming);
  }

  #axesOf(value: Operand<T, R>): readonly Axis[] {
    return value.kind === 'tensor'
      ? this.#backend.axesOf(value.value)
      : [...this.#backend.supportOf(value.value), ...this.#backend.payloadOf(value.value)];
  }

  #add(
    kind: 'loss' | 'output',
    path: string,
    instance: Instance,
    entry: Entry<T, R>,
    axes: readonly Axis[],
    targets: readonly Axis[],
    payload: readonly Axis[],
  ): void {
    const key = `${kind}:${path}`;
    const { family } = instance;
    const gathering = this.#gathered.get(key) ?? { path, kind, instance, family, entries: [], axes, targets, payload };
    const origin = differentOrigin(gathering.instance, instance);
    if (origin?.first !== undefined && origin.first !== null && origin.second !== null)
      return this.#report(onePath(path, this.#spanOf(origin.first), this.#spanOf(origin.second)));
    gathering.entries.push(entry);
    gathering.axes = [...gathering.axes, ...axes.filter((a) => !gathering.axes.includes(a))];
    this.#gathered.set(key, gathering);
  }

  /** One value over the family's axes from what single instances, windows and the whole family gave. */
  #assemble(
    entries: readonly Entry<T, R>[],
    family: readonly Axis[],
    kind: 'loss' | 'output' | 'update',
    missing: (at: readonly (number | null)[]) => Operand<T, R> | null,
    depth = 0,
    at: readonly (number | null)[] = [],
  ): Operand<T, R> {
    const axis = family[depth];
    if (axis === undefined) {
      const [first, second] = entries;
      if (first === undefined) return missing(at) ?? { kind: 'tensor', value: this.#backend.scalar(exact(0), 'f32') };
      if (second !== undefined && kind !== 'loss' && !entries.every((e) => this.#same(first.value, e.value))) {
        this.#twice(kind, first, second);
      }
      if (kind !== 'loss') return first.value;
      const others = entries.slice(1).map((e) => e.value);
      return addedInOrder(first.value, others, (a, b) => this.#plus(a, b));
    }
    if (entries.every((e) => e.selection[depth]?.kind === 'all')) {
      const same = entries.map((e) => this.#called(e, depth, axis));
      return this.#assemble(same, family, kind, missing, depth + 1, [...at, null]);
    }
    const span = entries[0]?.span;
    const n = integerOf(axis.size, 'instantiate: size of a family');
    if (span !== undefined)
      withinLimit(n, MAX_STEPS, `what is given for single members of ${axis.name} is joined`, span);
    const parts = Array.from({ length: n }, (_, i) => {
      const own = entries.flatMap((e) => this.#entryAt(e, depth, i));
      return this.#assemble(own, family, kind, missing, depth + 1, [...at, i]);
    });
    const axes: Axis[] = [];
    for (const p of parts) for (const a of this.#axesOf(p)) if (!axes.includes(a)) axes.push(a);
    return this.#backend.stack(
      parts.map((p) => this.#backend.broadcast(p, axes)),
      axis,
    );
  }

  /** An entry over the whole of an axis, under the axis's own name. */
  #called(entry: Entry<T, R>, depth: number, axis: Axis): Entry<T, R> {
    const s = entry.selection[depth];
    if (s?.kind !== 'all' || s.axis === axis || !this.#axesOf(entry.value).includes(s.axis)) return entry;
    return { ...entry, value: this.#backend.rename(entry.value, new Map([[s.axis, axis]])) };
  }

  #entryAt(entry: Entry<T, R>, depth: number, index: number): Entry<T, R>[] {
    const s = entry.selection[depth];
    if (s === undefined) return [];
    if (s.kind === 'at') return s.index === index ? [entry] : [];
    const axis = s.kind === 'all' ? s.axis : s.as;
    const inside = s.kind === 'all' ? index : index - s.from;
    if (inside < 0 || inside >= integerOf(axis.size, 'instantiate: size of a family')) return [];
    if (!this.#axesOf(entry.value).includes(axis)) return [entry];
    const value = this.#backend.primitive({
      name: 'at',
      args: new Map([['x', entry.value]]),
      axes: new Map([['axis', [axis]]]),
      attributes: new Map([['index', exact(inside)]]),
      element: entry.value.kind === 'tensor' ? this.#backend.elementOf(entry.value.value) : 'f32',
      span: entry.span,
      batchAxes: [],
      seedKey: '',
    });
    return [{ ...entry, value }];
  }

  #plus(a: Operand<T, R>, b: Operand<T, R>): Operand<T, R> {
    return this.#backend.primitive({
      name: 'add',
      args: new Map([
        ['x', a],
        ['y', b],
      ]),
      axes: new Map(),
      attributes: new Map(),
      element: 'f32',
      span: { source: '', start: 0, end: 0 },
      batchAxes: [],
      seedKey: '',
    });
  }

  /** A state that several calls update to one and the same value is updated once. */
  #same(a: Operand<T, R>, b: Operand<T, R>): boolean {
    return a === b || (a.kind === 'tensor' && b.kind === 'tensor' && this.#backend.same(a.value, b.value));
  }

  /** Told where the user's text calls; inside a library the statement itself says little. */
  #twice(kind: 'output' | 'update', first: EffectOrigin, second: EffectOrigin): void {
    const spanOf = ({ span, call }: EffectOrigin): Span => (isLibrary(span) && call !== null ? call : span);
    const [one, other] = [spanOf(first), spanOf(second)];
    const labels = [
      ...(sameSpan(one, other) ? [] : [{ span: one, text: 'the other call' }]),
      ...(sameSpan(other, second.span) ? [] : [{ span: second.span, text: 'given here' }]),
    ];
    this.#report(
      kind === 'update'
        ? diagnostic('MOE0452', {
            message: 'this state is updated by several calls of one run',
            span: other,
            labels,
            help: 'return the value, and update once',
          })
        : diagnostic('MOE0451', {
            message: 'several calls of one instance give this output',
            span: other,
            labels,
            help: isLibrary(second.span)
              ? 'call it once and give the value a name with `let`, or make an instance for each call'
              : 'return the value, and let the caller collect it',
          }),
    );
  }
}

function sameSpan(a: Span, b: Span): boolean {
  return a.source === b.source && a.start === b.start && a.end === b.end;
}

/**
 * Variables live in the model, so their paths begin there; results, outputs and losses live in a run, so theirs begin at the
 * entry that runs. Nothing else of the model has the entry's name: there is one namespace.
 */
function pathInRun(path: string, entry: string): string {
  return path.startsWith(`${entry}.`) ? path.slice(entry.length + 1) : path;
}
