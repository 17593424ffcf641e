/** Declarations of what can be called: experts, functions, routers, unions, with generated bodies or out of the library. */
import { writeBody } from './body.ts';
import { Scope, type Callable, type World } from './scope.ts';
import { axesOf, has, tensor, typeText, type Ax, type RouteType, type Type, type Value } from './types.ts';

/** A declaration: its lines, where they stand, and what it declares. */
export interface Declared {
  readonly text: string;
  readonly callable: Callable;
}

/** All axes that a text speaks of; a twin counts as itself and as its original. */
export function mentionsOf(world: World, text: string, called: readonly Callable[] = []): ReadonlySet<string> {
  const found = new Set<string>();
  for (const [word] of text.matchAll(/[A-Za-z_][A-Za-z0-9_]*'?/g)) {
    const bare = word.replace("'", '');
    if (world.axes.has(bare)) found.add(bare);
    if (word.endsWith("'")) found.add(word);
  }
  for (const c of called) {
    if (new RegExp(`\\b${c.name}\\b`).test(text)) {
      for (const name of c.mentions) found.add(name);
      for (const a of c.family) found.add(a.name);
    }
  }
  return found;
}

const familyText = (family: readonly Ax[]): string =>
  family.length === 0 ? '' : `[${family.map((a) => a.name).join(', ')}]`;

const templates = ['SwiGLU', 'GeGLU', 'ReluMlp', 'GeluMlp', 'GeluTanhMlp', 'DenseReluDense', 'GatedMlp'] as const;

/** A family of the library's experts. */
export function libraryExperts(world: World, family: readonly Ax[], imports: Set<string>): Declared {
  const [D, F] = [world.axis('D'), world.axis('F')];
  const template = world.random.pick(templates);
  imports.add(template);
  world.use('library experts');
  const name = world.fresh('ex');
  return {
    text: `experts ${name}${familyText(family)} = ${template}<F>`,
    callable: {
      name,
      role: 'experts',
      family,
      formals: [tensor('f32', [D])],
      result: tensor('f32', [D]),
      mentions: new Set([D.name, F.name]),
      once: false,
      whole: false,
    },
  };
}

/** A single Copy or Zero. */
export function constantExpert(world: World, imports: Set<string>): Declared {
  const template = world.random.pick(['Copy', 'Zero']);
  imports.add(template);
  const name = world.fresh('ex');
  const D = world.axis('D');
  const formals = [tensor('f32', [D])];
  const callable: Callable = {
    name, role: 'experts', family: [], formals, result: tensor('f32', [D]), mentions: new Set(['D']), once: false, whole: false,
  }; // prettier-ignore
  return { text: `experts ${name} = ${template}`, callable };
}

interface BodyOptions {
  readonly axes: readonly Ax[];
  readonly values: readonly Value[];
  readonly callables: readonly Callable[];
  readonly lines: number;
  readonly room: number;
  readonly params: boolean;
  readonly index?: { readonly name: string; readonly axis: Ax };
}

/** Lines of a body, and the scope after them. */
function bodyOf(world: World, options: BodyOptions): Scope {
  const scope = new Scope(world, { ...options, depth: 1 });
  writeBody(scope, options.lines);
  return scope;
}

function extras(scope: Scope, may: { readonly outputs: boolean }): boolean {
  const { world, random } = scope;
  const value = (): Value | null => random.late(scope.pool);
  if (world.features.has('losses') && random.chance(0.25)) {
    const v = value();
    if (v !== null) {
      scope.lines.push(`loss ${world.fresh('q')} = ${scope.scalar(v)}`);
      world.use('loss of an instance');
    }
  }
  if (may.outputs && world.features.has('outputs') && random.chance(0.2)) {
    const v = value();
    if (v !== null && (v.type.kind === 'tensor' || v.type.element === 'f32')) {
      scope.lines.push(`output ${world.fresh('o')} = ${v.text}`);
      world.use('output of an instance');
      return true;
    }
  }
  return false;
}

/** A router and experts declared inside a body, and the line that uses them. */
function nested(scope: Scope, D: Ax, imports: Set<string>): void {
  const { world, random } = scope;
  const N = world.axis('N');
  if (has(axesOf({ kind: 'tensor', element: 'f32', axes: scope.axes }), N)) return;
  const x = scope.real((axes) => axes.length === 1 && has(axes, D));
  if (x === null) return;
  const [inner, choose, w] = [world.fresh('inner'), world.fresh('choose'), world.fresh('p')];
  imports.add('SwiGLU');
  scope.lines.push(
    `experts ${inner}[N] = SwiGLU<F>`,
    `router ${choose}(x: [D]) -> route[N] {`,
    `  param ${w}: [N, D]`,
    `  top_k(${random.pick(['softmax(', 'sigmoid(', '('])}${w} @ x${''}), ${Math.min(N.size, random.between(1, 2))}, over: N)`.replace(
      'softmax(' + w + ' @ x)',
      `softmax(${w} @ x, over: N)`,
    ),
    `}`,
  );
  world.use('nested router');
  scope.bind(`${choose}(${x.text}) @ ${inner}(${x.text})`, tensor('f32', [D]), false);
}

/** A template of an expert with a generated body, outside the model or in it, and a family made of it. */
export function ownExperts(
  world: World,
  family: readonly Ax[],
  imports: Set<string>,
): Declared & { readonly template: string } {
  const [D, F] = [world.axis('D'), world.axis('F')];
  const template = world.fresh('Ex');
  const name = world.fresh('ex');
  const { random } = world;
  const scope = new Scope(world, {
    axes: [D, F],
    values: [{ text: 'x', type: tensor('f32', [D]) }],
    callables: [],
    room: 200,
    params: true,
    depth: 1,
    closed: new Set(['D', 'F']),
  });
  if (world.features.has('nested') && random.chance(0.4)) nested(scope, D, imports);
  writeBody(scope, random.between(1, 4));
  const outputs = extras(scope, { outputs: false });
  const result = scope.brought(random.late(scope.pool) ?? { text: 'x', type: tensor('f32', [D]) }, [D]);
  const nestedAxis = scope.lines.some((l) => l.includes('[N]')) ? `axis N = ${world.axis('N').size}` : null;
  const body = [
    ...(nestedAxis === null ? [] : [nestedAxis]),
    ...scope.lines,
    random.chance(0.5) ? `x + ${result.text}` : result.text,
  ].join('\n');
  world.use('own experts');
  return {
    template: `expert ${template}<F>(x: [D]) -> [D] {\n${body}\n}`,
    text: `experts ${name}${familyText(family)} = ${template}<F>`,
    callable: {
      name,
      role: 'experts',
      family,
      formals: [tensor('f32', [D])],
      result: tensor('f32', [D]),
      mentions: new Set([...mentionsOf(world, body), 'D', 'F']),
      once: outputs,
      whole: false,
    },
  };
}

/** A function of the model with a generated body; with `told`, one that knows which member it is. */
export function ownFunction(
  world: World,
  callables: readonly Callable[],
  family: readonly Ax[],
  told: boolean,
): Declared {
  const { random } = world;
  const [D, H] = [world.axis('D'), world.axis('H')];
  const T = world.axis('T');
  const formalAxes = random.pick([[D], [D], [T, D], [H], []]);
  const formals: { readonly name: string; readonly type: Type }[] = [{ name: 'x', type: tensor('f32', formalAxes) }];
  if (random.chance(0.25))
    formals.push({ name: 'y', type: tensor(random.chance(0.2) ? 'f16' : 'f32', random.pick([formalAxes, [D], []])) });
  const index = told && family[0] !== undefined ? { name: world.fresh('l'), axis: family[0] } : undefined;
  const usable = callables.filter(
    (c) => !c.once && c.role !== 'entry' && family.every((a) => !has(c.family, a) && !c.mentions.has(a.name)),
  );
  const scope = bodyOf(world, {
    axes: [D, H, world.axis('F'), ...(has(formalAxes, T) ? [T] : [])].filter((a) => !has(family, a)),
    values: formals.map((f) => ({ text: f.name, type: f.type })),
    callables: usable,
    lines: random.between(1, 4),
    room: 300,
    params: true,
    ...(index === undefined ? {} : { index }),
  });
  const outputs = extras(scope, { outputs: family.length === 0 });
  const resultAxes = random.pick([formalAxes, formalAxes, [D], []]);
  const result = scope.brought(random.late(scope.pool) ?? { text: 'x', type: tensor('f32', formalAxes) }, resultAxes);
  const name = world.fresh('fn');
  const shown = index === undefined ? familyText(family) : `[${index.name} in ${index.axis.name}]`;
  const signature = `(${formals.map((f) => `${f.name}: ${typeText(f.type)}`).join(', ')}) -> ${typeText(tensor('f32', resultAxes))}`;
  const body = [...scope.lines, result.text].join('\n');
  world.use(index === undefined ? 'function' : 'told family');
  const text = `fn ${name}${shown}${signature} {\n${body}\n}`;
  const mentions = new Set(mentionsOf(world, signature + body, usable));
  return {
    text,
    callable: {
      name,
      role: 'fn',
      family,
      formals: formals.map((f) => f.type),
      result: tensor('f32', resultAxes),
      mentions,
      once: outputs,
      whole: false,
    },
  };
}

/** A router: scores by a param, a choice, and what routers do besides. */
export function ownRouter(world: World, family: readonly Ax[], targets: readonly Ax[], whole: boolean): Declared {
  const { random } = world;
  const [T, D] = [world.axis('T'), world.axis('D')];
  const formal = tensor('f32', whole ? [T, D] : [D]);
  const scope = new Scope(world, {
    axes: whole ? [T, D] : [D],
    values: [{ text: 'x', type: formal }],
    callables: [],
    room: 600,
    params: true,
    depth: 1,
  });
  if (random.chance(0.4)) writeBody(scope, random.between(1, 3));
  const source = scope.brought(
    random.late(scope.pool.filter((v) => formal.axes.every((a) => has(axesOf(v.type), a)))) ?? {
      text: 'x',
      type: formal,
    },
    whole ? [T, D] : [D],
  );
  const list = targets.map((a) => a.name).join(', ');
  const over = targets.length === 1 ? list : `(${list})`;
  const w = world.fresh('p');
  scope.lines.push(`param ${w}: [${list}, D]`);
  const score = random.weighted([
    [4, `softmax(${w} @ ${source.text}, over: ${over})`],
    [2, `sigmoid(${w} @ ${source.text})`],
    [2, `${w} @ ${source.text}`],
  ]);
  const s = world.fresh('s');
  scope.lines.push(`let ${s} = ${score}`);
  const size = targets.reduce((n, a) => n * a.size, 1);
  const expertChoice = whole && world.features.has('expert choice') && random.chance(0.5);
  const k = Math.min(size, random.between(1, 3));
  let by = '';
  let update = '';
  if (whole && !expertChoice && family.length === 0 && world.features.has('states') && random.chance(0.6)) {
    const bias = world.fresh('b');
    scope.lines.push(`state ${bias}: [${list}] = ${random.pick(['0', '0.25'])}`);
    by = `, by: ${s} + ${bias}`;
    update = bias;
    world.use('state of a router');
  }
  const r = world.fresh('r');
  if (expertChoice) {
    scope.lines.push(`let ${r}: route[T -> ${list}] = top_k(${s}, min(${random.between(1, 3)}, T), over: T)`);
    world.use('expert choice');
  } else {
    const call = `top_k(${s}, ${k}, over: ${over}${by})`;
    scope.lines.push(`let ${r} = ${random.chance(0.5) ? `normalize(${call})` : call}`);
  }
  if (update !== '') {
    scope.lines.push(
      `let ${r}l = load(${r}, over: T)`,
      `update ${update} = ${update} + 0.125 * sign(mean(${r}l, over: ${over}) - ${r}l)`,
    );
  }
  if (world.features.has('losses') && random.chance(0.4)) {
    const what = whole
      ? `${size} * sum(load(${r}, over: T) * mean(${s}, over: T), over: ${over})`
      : `logsumexp(${s}, over: ${over}) ** 2`;
    scope.lines.push(`loss ${world.fresh('q')} = ${what}`);
    world.use('loss of a router');
  }
  let outputs = false;
  if (family.length === 0 && world.features.has('outputs') && random.chance(0.3)) {
    scope.lines.push(`output ${world.fresh('o')} = ${random.pick([s, r])}`);
    world.use('output of a router');
    outputs = true;
  }
  let result = r;
  if (whole && world.features.has('queues') && random.chance(0.4)) {
    result = `limit(${r}, to: ${random.between(1, 3)}, over: T${random.pick(['', `, by: rank(${r})`, `, by: -${r}`])})`;
    world.use('capacity');
  }
  const name = world.fresh('g');
  const type: RouteType = { kind: 'route', element: 'f32', sources: whole ? [T] : [], targets, payload: [] };
  const body = [...scope.lines, result].join('\n');
  world.use('router');
  return {
    text: `router ${name}${familyText(family)}(x: ${typeText(formal)}) -> ${typeText(type)} {\n${body}\n}`,
    callable: {
      name,
      role: 'router',
      family,
      formals: [formal],
      result: type,
      mentions: new Set([
        ...mentionsOf(world, body),
        ...axesOf(formal).map((a) => a.name),
        ...axesOf(type).map((a) => a.name),
      ]),
      once: outputs || update !== '',
      whole: update !== '' || (outputs && whole),
    },
  };
}

/** Members side by side along an axis of their own. */
export function unionOf(world: World, axis: Ax, staying: readonly Ax[], parts: readonly Callable[]): Declared {
  const D = world.axis('D');
  const name = world.fresh('mix');
  world.use('union');
  const family = [...staying, axis];
  return {
    text: `experts ${name}${familyText(family)} = ${parts.map((p) => p.name).join(' | ')}`,
    callable: {
      name,
      role: 'experts',
      family,
      formals: [tensor('f32', [D])],
      result: tensor('f32', [D]),
      mentions: new Set(parts.flatMap((p) => [...p.mentions])),
      once: false,
      whole: false,
      union: { axis, parts: parts.map((p) => ({ ...p, family: p.family.filter((a) => !has(staying, a)) })) },
    },
  };
}
