/**
 * Random programs: valid by construction, as far as types go. A program is a function of its seed, and each leaves out some
 * features of the language, so that the others meet more often (swarm testing, Groce et al. 2012).
 */
import { allOperations, writeBody } from './body.ts';
import { routed } from './call-operations.ts';
import { constantExpert, libraryExperts, mentionsOf, ownExperts, ownFunction, ownRouter, unionOf } from './declare.ts';
import { Random } from './random.ts';
import { Scope, World, type Callable } from './scope.ts';
import { has, tensor, typeText, volume, type Ax, type Type, type Value } from './types.ts';

/** What values a run is given: `ties` are few and small, `edges` have zeros, infinities and the ends of the range. */
export const profiles = ['normal', 'ties', 'edges', 'wide'] as const;
export type Profile = (typeof profiles)[number];

export interface FuzzProgram {
  readonly seed: number;
  readonly text: string;
  /** Of the axes that a run decides. */
  readonly sizes: ReadonlyMap<string, number>;
  readonly profile: Profile;
  /** How often each construct was written. */
  readonly used: ReadonlyMap<string, number>;
}

const declarationFeatures = [
  'losses',
  'outputs',
  'states',
  'nested',
  'expert choice',
  'windows',
  'unions',
  'entries',
  'controls',
];

export function featureNames(): readonly string[] {
  return [...new Set([...allOperations().map((o) => o.feature), ...declarationFeatures])];
}

/** Features that no program is without: without them there is nothing to speak of. */
const always = new Set(['arithmetic', 'contraction', 'routes', 'calls']);

export function makeProgram(seed: number): FuzzProgram {
  const random = new Random(seed, 0x5eed);
  const swarm = random.pick([0.35, 0.6, 0.85]);
  const features = new Set(featureNames().filter((f) => always.has(f) || random.chance(swarm)));
  const world = new World(random, features);
  const sizes = declareAxes(world);
  const writer = new Writer(world);
  const text = writer.write();
  return {
    seed,
    text,
    sizes,
    profile: random.weighted([
      [5, 'normal'],
      [3, 'ties'],
      [2, 'edges'],
      [1, 'wide'],
    ]),
    used: world.used,
  };
}

const awkward = [1, 2, 3, 4, 5, 7, 8] as const;

function declareAxes(world: World): ReadonlyMap<string, number> {
  const { random } = world;
  const set = (name: string, size: number, dynamic = false): void => void world.axes.set(name, { name, size, dynamic });
  const large = random.chance(0.15);
  const T = random.weighted([
    [0.4, 0],
    [1, 1],
    [4, random.pick([2, 3, 4, 5])],
    [2, random.pick([7, 8, 9])],
    [large ? 3 : 0.5, random.pick([15, 16, 17, 33])],
  ]);
  set('T', T, true);
  if (random.chance(0.25)) set('B', random.pick([1, 2, 3]), true);
  set('D', large ? random.pick([15, 16, 17, 31, 32, 33]) : random.pick(awkward));
  set('F', large ? random.pick([16, 17, 31, 33]) : random.pick(awkward));
  const [G, M] = [random.pick([1, 2, 2, 3]), random.pick([1, 2, 2, 3, 4])];
  set('G', G);
  set('M', M);
  set('E', G * M);
  set('V', random.pick([1, 2, 5, 7]));
  set('N', random.pick([1, 2, 3]));
  const L = random.chance(0.05) ? 0 : random.pick([1, 2, 2, 3]);
  set('L', L);
  set('W', Math.max(1, Math.min(L, random.pick([1, 2]))));
  set('H', random.pick([1, 2, 3, 5]));
  set('S', random.pick([1, 2, 3]));
  set('P', random.pick([1, 2, 3, 4]));
  set('Q', random.pick([1, 2, 3]));
  set('I', world.axis('D').size + world.axis('Q').size);
  const sizes = new Map([['T', T]]);
  const B = world.axes.get('B');
  if (B !== undefined) sizes.set('B', B.size);
  return sizes;
}

class Writer {
  readonly #world: World;
  readonly #random: Random;
  readonly #imports = new Set<string>();
  readonly #templates: string[] = [];
  readonly #declarations: string[] = [];
  readonly #callables: Callable[] = [];

  constructor(world: World) {
    this.#world = world;
    this.#random = world.random;
  }

  #on(feature: string, p: number): boolean {
    return this.#world.features.has(feature) && this.#random.chance(p);
  }

  #add({ text, callable }: { readonly text: string; readonly callable: Callable }): Callable {
    this.#declarations.push(text);
    this.#callables.push(callable);
    return callable;
  }

  write(): string {
    this.#declareCallables();
    const entries: string[] = [];
    if (this.#on('entries', 0.3)) entries.push(this.#secondEntry());
    entries.unshift(this.#forward());
    const axes = this.#axisLines();
    const model = ['model Fuzz {', ...axes, ...this.#declarations, ...entries, '}'].join('\n');
    const imports = [...this.#imports].sort();
    const head = imports.length === 0 ? [] : [`import { ${imports.join(', ')} } from "std"`];
    return `${[...head, ...this.#templates, model].join('\n')}\n`;
  }

  #axisLines(): readonly string[] {
    const lines: string[] = [];
    for (const { name, size, dynamic } of this.#world.axes.values()) {
      if (name === 'E') lines.push('axis E = G * M');
      else if (name === 'I') lines.push('axis I = D + Q');
      else if (name.startsWith('U')) continue;
      else lines.push(dynamic ? `axis ${name}` : `axis ${name} = ${size}`);
    }
    return lines;
  }

  #declareCallables(): void {
    const [world, random] = [this.#world, this.#random];
    const [E, G, M, L] = [world.axis('E'), world.axis('G'), world.axis('M'), world.axis('L')];
    const families: readonly (readonly Ax[])[] = [[E], [E], [L, E], [L, E], [G, M], [L], []];
    const experts = random.between(1, 3);
    for (let i = 0; i < experts; i++) {
      const family = random.pick(families);
      if (random.chance(0.5)) this.#add(libraryExperts(world, family, this.#imports));
      else {
        const own = ownExperts(world, family, this.#imports);
        this.#templates.push(own.template);
        this.#add(own);
      }
    }
    if (this.#on('unions', 0.6)) this.#declareUnion();
    const functions = random.between(0, 2);
    for (let i = 0; i < functions; i++) {
      const family = random.pick([[], [], [L]]);
      this.#add(ownFunction(world, [...this.#callables], family, family.length > 0 && random.chance(0.5)));
    }
    const routers = random.between(1, 2);
    for (let i = 0; i < routers; i++) {
      const U = [...world.axes.values()].filter((a) => a.name.startsWith('U'));
      const targets = random.pick<readonly Ax[]>([
        [E],
        [E],
        [E],
        [G, M],
        ...(U[0] === undefined ? [] : [[U[0]], [U[0]]]),
      ]);
      const whole = random.chance(0.35);
      this.#add(ownRouter(world, !whole && random.chance(0.2) ? [L] : [], targets, whole));
    }
  }

  #declareUnion(): void {
    const [world, random] = [this.#world, this.#random];
    const L = world.axis('L');
    const experts = this.#callables.filter((c) => c.role === 'experts' && !c.once);
    const layered = experts.some((c) => has(c.family, L)) && random.chance(0.7);
    const parts: Callable[] = random.shuffled(experts.filter((c) => layered || !has(c.family, L))).slice(0, 2);
    const single = random.between(parts.length === 0 ? 2 : 1, 2);
    for (let i = 0; i < single; i++) parts.push(this.#add(constantExpert(world, this.#imports)));
    if (random.chance(0.1)) parts.push(random.pick(parts));
    const staying = parts.some((p) => has(p.family, L)) ? [L] : [];
    const size = parts.reduce((n, p) => n + volume(p.family.filter((a) => !has(staying, a))), 0);
    const axis: Ax = { name: world.fresh('U'), size, dynamic: false };
    world.axes.set(axis.name, axis);
    this.#add(unionOf(world, axis, staying, random.shuffled(parts)));
  }

  /** An entry of its own that forward calls with exactly its axes. */
  #secondEntry(): string {
    const [world, random] = [this.#world, this.#random];
    const [T, D] = [world.axis('T'), world.axis('D')];
    const type = tensor('f32', [T, D]);
    const usable = this.#callables.filter((c) => !c.once);
    const scope = new Scope(world, {
      axes: [T, D, world.axis('E'), world.axis('F')], values: [{ text: 'x', type }], callables: usable, room: 1500, params: false, depth: 1,
    }); // prettier-ignore
    writeBody(scope, random.between(2, 4));
    const result = scope.brought(random.late(scope.pool) ?? { text: 'x', type }, [T, D]);
    const body = [...scope.lines, result.text].join('\n');
    const name = world.fresh('entry');
    world.use('second entry');
    this.#callables.push({
      name, role: 'entry', family: [], formals: [type], result: type, mentions: mentionsOf(world, body, usable), once: true, whole: true,
    }); // prettier-ignore
    return `${name}(x: [T, D]) -> [T, D] {\n${body}\n}`;
  }

  #formals(): readonly { readonly name: string; readonly type: Type; readonly text: string }[] {
    const [world, random] = [this.#world, this.#random];
    const [T, D, E, V, N] = [world.axis('T'), world.axis('D'), world.axis('E'), world.axis('V'), world.axis('N')];
    const B = world.axes.get('B');
    const list: { name: string; type: Type; text: string }[] = [];
    const give = (name: string, p: number, type: Type, text = typeText(type)): void => {
      if (random.chance(p)) list.push({ name, type, text });
    };
    give('x', 1, tensor('f32', [T, D]));
    if (B !== undefined) give('z', 1, tensor('f32', [B, T, D]));
    give('s', 0.4, tensor('f32', [T, E]));
    give('half', world.features.has('f16') ? 0.4 : 0, tensor('f16', [T, D]));
    give('ids', 0.4, tensor('i32', [T], V), 'i32[T] in V');
    give('picks', 0.4, tensor('i32', [T, N], E), 'i32[T, N] in E');
    give('shares', 0.25, tensor('f32', [T, N]));
    give('flags', 0.3, tensor('bool', [T]));
    give('counts', 0.25, tensor('i32', [T, E]));
    give('prompt', 0.2, tensor('f32', [world.axis('Q')]));
    give('c', 0.2, tensor('f32', []));
    return list;
  }

  #forward(): string {
    const [world, random] = [this.#world, this.#random];
    const formals = this.#formals();
    const values: Value[] = formals.map((f) => ({ text: f.name, type: f.type }));
    const control = this.#on('controls', 0.4) ? world.fresh('control') : null;
    if (control !== null) {
      const type = tensor('f32', [world.axis('E')]);
      this.#declarations.push(`input ${control}: [E] = ${random.pick(['0', '0.25', '0.1 * uniform[E]'])}`);
      values.push({ text: control, type });
      world.use('control');
    }
    const state = this.#on('states', 0.4) ? world.fresh('state') : null;
    if (state !== null) {
      this.#declarations.push(`state ${state}: [D] = ${random.pick(['0', '1', '0.5'])}`);
      values.push({ text: state, type: tensor('f32', [world.axis('D')]) });
    }
    const twins = random.chance(0.3) ? [world.twin(world.axis('T'))] : [];
    const scope = new Scope(world, {
      axes: [...world.axes.values(), ...twins].filter((a) => !['W', 'S', 'I'].includes(a.name)),
      values,
      callables: this.#callables,
      room: 2500,
      params: true,
      depth: 0,
    });
    writeBody(scope, random.between(4, 14), () => (random.chance(0.75) ? routed(scope) : null));
    if (state !== null) {
      const next = scope.brought(random.late(scope.pool) ?? { text: state, type: tensor('f32', []) }, [
        world.axis('D'),
      ]);
      scope.lines.push(`update ${state} = 0.5 * ${state} + tanh(${next.text})`);
      world.use('state');
    }
    if (this.#on('losses', 0.4)) {
      const v = random.late(scope.pool);
      if (v !== null) scope.lines.push(`loss ${world.fresh('q')} = ${scope.scalar(v)}`);
      world.use('loss');
    }
    if (this.#on('outputs', 0.4)) {
      const v = random.late(scope.pool.filter((p) => p.type.kind === 'tensor' || p.type.element === 'f32'));
      if (v !== null) scope.lines.push(`output ${world.fresh('o')} = ${v.text}`);
      world.use('output');
    }
    return this.#entryText(formals, scope);
  }

  #entryText(formals: readonly { readonly name: string; readonly text: string }[], scope: Scope): string {
    const [world, random] = [this.#world, this.#random];
    const fits = scope.pool.filter((v) => v.type.kind === 'tensor' || v.type.element === 'f32');
    const made = fits.filter((v) => !formals.some((f) => f.name === v.text));
    const results: Value[] = [];
    const wanted = random.between(1, 3);
    for (let i = 0; i < wanted; i++) {
      const v = random.late(made.length === 0 ? fits : made);
      if (v !== null && !results.some((r) => r.text === v.text)) results.push(v);
    }
    const types = results.map((v) => scope.reordered(v.type));
    for (const { type } of results) world.use(type.kind === 'route' ? 'route result' : `${type.element} result`);
    const parameters = formals.map((f) => `${f.name}: ${f.text}`).join(', ');
    const body = (result: string): string => [...scope.lines, result].join('\n');
    const [one] = results;
    const [type] = types;
    if (results.length === 1 && one !== undefined && type !== undefined && random.chance(0.5)) {
      return `forward(${parameters}) -> ${typeText(type)} {\n${body(one.text)}\n}`;
    }
    const signature = types.map((t, i) => `r${i}: ${typeText(t)}`).join(', ');
    const record = results.map((v, i) => `r${i}: ${v.text}`).join(', ');
    return `forward(${parameters}) -> (${signature}) {\n${body(`(${record})`)}\n}`;
  }
}
