/**
 * What a body under construction knows: the values that expressions may use, the lines that are written, the axes that may be
 * introduced. The pool grows with every line, so bodies become deep, and what is made is always of a known type.
 */
import type { Random } from './random.ts';
import {
  axesOf,
  common,
  has,
  over,
  tensor,
  typeText,
  unite,
  volume,
  without,
  type Ax,
  type Element,
  type RouteType,
  type TensorType,
  type Type,
  type Value,
} from './types.ts';

/** Something that can be called, or a family of them. */
export interface Callable {
  readonly name: string;
  readonly role: 'experts' | 'fn' | 'router' | 'entry';
  readonly family: readonly Ax[];
  readonly formals: readonly Type[];
  readonly result: Type;
  /** Names of all axes that its body speaks of: an argument must not carry any of them. */
  readonly mentions: ReadonlySet<string>;
  /** Called at most once, with arguments of exactly the declared axes: it updates a state, or has an output. */
  readonly once: boolean;
  /** Called with exactly the declared axes. */
  readonly whole: boolean;
  /** Of a union: its parts, side by side along the axis. */
  readonly union?: { readonly axis: Ax; readonly parts: readonly Callable[] };
}

/** What all bodies of a program share. */
export class World {
  readonly random: Random;
  /** Constructs that this program may use: each program leaves some out, so that the others meet more often. */
  readonly features: ReadonlySet<string>;
  /** Constructs that it does use, by name. */
  readonly used = new Map<string, number>();
  readonly axes = new Map<string, Ax>();
  #counter = 0;

  constructor(random: Random, features: ReadonlySet<string>) {
    this.random = random;
    this.features = features;
  }

  fresh(prefix: string): string {
    this.#counter += 1;
    return `${prefix}${this.#counter}`;
  }

  use(name: string): void {
    this.used.set(name, (this.used.get(name) ?? 0) + 1);
  }

  axis(name: string): Ax {
    const axis = this.axes.get(name);
    if (axis === undefined) throw new Error(`no axis ${name}`);
    return axis;
  }

  twin(axis: Ax): Ax {
    return { ...axis, name: `${axis.name}'` };
  }
}

export interface ScopeOptions {
  /** Axes that expressions may introduce (of params, iota, draws). */
  readonly axes: readonly Ax[];
  readonly values: readonly Value[];
  readonly callables: readonly Callable[];
  /** The most points a value may have. */
  readonly room: number;
  /** The only axes that may be spoken of, by name: of a template outside the model. */
  readonly closed?: ReadonlySet<string>;
  readonly params: boolean;
  /** A chain's or family's index, with the axis it runs along. */
  readonly index?: { readonly name: string; readonly axis: Ax };
  readonly depth: number;
}

export class Scope {
  readonly world: World;
  readonly random: Random;
  readonly axes: readonly Ax[];
  readonly callables: readonly Callable[];
  readonly room: number;
  readonly params: boolean;
  readonly index: ScopeOptions['index'];
  readonly depth: number;
  readonly #closed: ReadonlySet<string> | undefined;
  readonly pool: Value[];
  readonly lines: string[] = [];
  /** Callables that may be called once and were. */
  readonly spent = new Set<string>();

  constructor(world: World, options: ScopeOptions) {
    this.world = world;
    this.random = world.random;
    this.axes = options.axes;
    this.pool = [...options.values];
    this.callables = options.callables;
    this.room = options.room;
    this.params = options.params;
    this.index = options.index;
    this.depth = options.depth;
    this.#closed = options.closed;
  }

  /** An axis that the body may speak of. */
  axis(name: string): Ax | undefined {
    return this.#closed === undefined || this.#closed.has(name) ? this.world.axes.get(name) : undefined;
  }

  fits(...lists: readonly (readonly Ax[])[]): boolean {
    const axes = unite(...lists);
    return axes.length <= 5 && volume(axes) <= this.room;
  }

  tensors(...elements: readonly Element[]): Value<TensorType>[] {
    const found: Value<TensorType>[] = [];
    for (const { text, type } of this.pool) {
      if (type.kind === 'tensor' && elements.includes(type.element)) found.push({ text, type });
    }
    return found;
  }

  routes(element: RouteType['element'] = 'f32'): Value<RouteType>[] {
    const found: Value<RouteType>[] = [];
    for (const { text, type } of this.pool) {
      if (type.kind === 'route' && type.element === element) found.push({ text, type });
    }
    return found;
  }

  /** A tensor of floats; with `over`, one that has all of these axes. */
  real(wanted: (axes: readonly Ax[]) => boolean = () => true): Value<TensorType> | null {
    const found = this.random.late(this.tensors('f32', 'f16').filter((v) => wanted(v.type.axes)));
    return found === null ? null : this.#dressed(found);
  }

  /** The value, or something small made of it, so that expressions nest. */
  #dressed(value: Value<TensorType>): Value<TensorType> {
    const { text, type } = value;
    const plain = { ...type, element: 'f32' as const };
    if (text.length > 40 || !this.random.chance(0.25)) return value;
    const made = this.random.weighted([
      [2, `(0.5 * ${text})`],
      [1, `(${text} + 1)`],
      [1, `(1 - ${text})`],
      [1, `tanh(${text})`],
      [1, `abs(${text})`],
      [1, `relu(${text})`],
      [1, `(-${text})`],
      [1, `(${text} * ${text})`],
    ]);
    return { text: made, type: plain };
  }

  /** A truth value over axes that all lie within `axes`, made where there is none. */
  condition(axes: readonly Ax[]): Value<TensorType> | null {
    const within = (v: Value<TensorType>): boolean => v.type.axes.every((a) => has(axes, a));
    const known = this.random.late(this.tensors('bool').filter(within));
    if (known !== null && this.random.chance(0.6)) return known;
    const x = this.random.late(this.tensors('f32', 'f16').filter(within));
    if (x === null) return known;
    const sign = this.random.pick(['>', '>=', '<', '<=', '==', '!=']);
    return {
      text: `(${x.text} ${sign} ${this.random.pick(['0', '0.25', '-0.5', '1'])})`,
      type: tensor('bool', x.type.axes),
    };
  }

  /** Whole numbers that are points of an axis, or -1. */
  points(axis: Ax): Value<TensorType> | null {
    const known = this.tensors('i32').filter((v) => v.type.points?.name === axis.name);
    return this.random.late(known);
  }

  /** Names a value. */
  bind<T extends Type>(text: string, type: T, typed = this.random.chance(0.12)): Value<T> {
    const name = this.world.fresh('v');
    const writable = type.kind === 'tensor' || type.element === 'f32';
    this.lines.push(`let ${name}${typed && writable ? `: ${typeText(this.reordered(type))}` : ''} = ${text}`);
    const value = { text: name, type };
    this.pool.push(value);
    return value;
  }

  /** The same type with its axes written in another order: the meaning does not change. */
  reordered(type: Type): Type {
    if (type.kind === 'tensor') return { ...type, axes: this.random.shuffled(type.axes) };
    return { ...type, sources: this.random.shuffled(type.sources) };
  }

  /** A param of the body, or a draw-like stand-in where there may be none. */
  weight(axes: readonly Ax[], element: Element = 'f32'): Value<TensorType> {
    const type = tensor(element, axes);
    if (!this.params || axes.some((a) => a.dynamic)) {
      this.world.use('normal');
      return { text: `(0.5 * normal[${axes.map((a) => a.name).join(', ')}])`, type: tensor('f32', axes) };
    }
    const name = this.world.fresh('p');
    const initial = this.random.chance(0.08) ? this.#initial(axes) : '';
    this.world.use('param');
    this.lines.push(`param ${name}: ${typeText(type)}${initial}`);
    const value = { text: name, type };
    this.pool.push(value);
    return value;
  }

  #initial(axes: readonly Ax[]): string {
    const list = axes.map((a) => a.name).join(', ');
    return this.random.weighted([
      [2, ' = 0'],
      [2, ' = 0.5'],
      [1, axes.length === 0 ? ' = 1' : ` = 0.3 * normal[${list}]`],
    ]);
  }

  /** One number made of a value. */
  scalar(value: Value): string {
    const axes = value.type.kind === 'tensor' ? value.type.axes : axesOf(value.type);
    if (value.type.kind === 'route') return `sum(dense(${value.text}), over: ${over(axes)})`;
    const text = value.type.element === 'bool' || value.type.element === 'i32' ? `f32(${value.text})` : value.text;
    return axes.length === 0 ? text : `mean(${text}, over: ${over(axes)})`;
  }

  /** A tensor of floats brought to certain axes: what is too many is averaged, what is missing is repeated where it is written. */
  brought(value: Value, axes: readonly Ax[]): Value<TensorType> {
    const { type } = value;
    if (type.kind === 'route') {
      const dense = { text: `dense(${value.text})`, type: tensor(type.element, axesOf(type)) };
      return this.brought(dense, axes);
    }
    const extra = without(type.axes, axes);
    const text = type.element === 'f32' || type.element === 'f16' ? value.text : `f32(${value.text})`;
    const kept = common(type.axes, axes);
    if (extra.length === 0) return { text, type: tensor('f32', kept) };
    return { text: `mean(${text}, over: ${over(extra)})`, type: tensor('f32', kept) };
  }
}
