/** What the checker writes into the typed program: statics, open element types, carried axes, parts, and facts of callables. */
import { describe, expect, test } from 'vitest';
import { printProgram } from '../../dsl/check/print-program.ts';
import { checkText } from './support.ts';

/** The last lines of the printed program: forward's body. */
function forward(decls: string, body: string, result = '[T, D]'): string {
  const { program, diagnostics } = checkText(
    `import { SwiGLU, RmsNorm, Zero } from "std"
     model M { axis T, D = 8, E = 4, F = 6, L = 3, H = 2\n ${decls}\n forward(x: [T, D]) -> ${result} { ${body} } }`,
  );
  expect(diagnostics.map((d) => `${d.code} ${d.message}`)).toEqual([]);
  if (program === null) throw new Error('no program');
  const lines = printProgram(program).trimEnd().split('\n');
  return lines
    .slice(lines.findIndex((l) => l.startsWith('entry forward')) + 1)
    .map((l) => l.trim())
    .join('\n');
}

describe('statics', () => {
  test('stay statics through arithmetic, lets and ifs, and inside functions of numbers', () => {
    expect(forward('const K = 2', 'let k = if K == 1 { 1 } else { floor(K * T / E) }\nx * max(k, 3)')).toBe(
      'mul(x, max((if (K == 1) then 1 else floor(((K * T) / E))), 3))',
    );
  });

  test('take the element type they meet', () => {
    expect(forward('param i: i32[D]', 'i32(floor(x)) % 2 + i * 3', 'i32[T, D]')).toBe(
      'add(mod(i32(floor(x)), i32 2), mul(i, i32 3))',
    );
  });

  test('an annotated let makes a tensor of a static', () => {
    expect(forward('', 'let y: [D] = 1\nx + y')).toBe('let y: [D] = <[D]>1\nadd(x, y)');
  });
});

describe('open element types', () => {
  test('iota and where of literals become indices', () => {
    expect(forward('', 'x[D: where(iota(D) > 3, 1 - iota(D), 0)] * 1')).toBe(
      'mul(gather(x, where(gt(iota(axis: D), 3), sub(i32 1, iota(axis: D)), i32 0), axis: D), 1)',
    );
  });

  test('the weights of pick are made of what they select', () => {
    expect(forward('param best: i32[E, D]', 'f32(pick(i32(floor(x)), over: E) @ best)')).toBe(
      'f32(dot(pick(i32(floor(x)), over: E), best, over: E))',
    );
  });

  test('a named pick converts', () => {
    expect(forward('param best: i32[E]', 'let r = pick(i32(floor(x)), over: E)\nf32(r @ best)')).toContain(
      'f32(dot(i32(r), best, over: E))',
    );
  });
});

describe('calls', () => {
  test('what is behind a name converts only if it is whole', () => {
    const { places } = checkText(
      'model M { axis T, D = 8\n param i: i32[D]\n forward(x: [T, D]) -> i32[D] { let h = iota(D) * 0.5\n i + h } }',
    );
    expect(places).toEqual(['MOE0330 4:6']);
  });

  test('carried axes and the axes of the family are added, declared ones consumed', () => {
    expect(forward('experts ffn[L, E] = SwiGLU<F>', 'let y = ffn(x)\nsum(y, over: (L, E))')).toContain(
      'let y: [L, E, T, D] = ffn(x)',
    );
  });

  test('self-attention needs no rename', () => {
    const decls = 'fn attend(q: [D], k: [T, D], v: [T, D]) -> [D] { softmax(k @ q, over: T) @ v }';
    expect(forward(decls, 'let y = attend(x, x, x)\ny')).toContain('let y: [T, D] = attend(x, x, x)');
  });

  test('a route given for a tensor lifts the call', () => {
    const decls =
      'experts ffn[E] = SwiGLU<F>\n router gate(x: [D]) -> route[E] { param w: [E, D]\n top_k(w @ x, 2, over: E) }';
    expect(forward(decls, 'let r = gate(x)\nlet y = ffn(r * x)\nmask(r) @ y')).toContain(
      'let y: route[T -> E] of [D] = ffn(mul(r, x))',
    );
  });

  test('a literal stands where a tensor is expected', () => {
    expect(forward('fn f(a: [D], b: [D]) -> [D] { a + b }', 'f(x, 1)')).toBe('f(x, <[D]>1)');
  });

  test('arguments by name', () => {
    expect(forward('fn f(a: [D], b: [D]) -> [D] { a - b }', 'f(b: x, a: 1)')).toBe('f(<[D]>1, x)');
  });

  test('a template without params is called directly, as an instance of its own', () => {
    expect(forward('', 'x + Zero(x)')).toMatch(/^expert Zero#2 = Zero<D#\d: D>\nadd\(x, Zero#2\(x\)\)$/);
  });

  test('windows, and params by path', () => {
    const decls = 'experts ffn[L, E] = SwiGLU<F>\n axis R = 2';
    expect(forward(decls, 'let near = ffn[L: 0 .. 2 as R]\nlet w = near[R: 1].w1\nx + sum(w, over: (E, F))')).toContain(
      'let w: [E, F, D] = at(window(ffn.w1, axis: L, as: R, from: 0, to: 2), axis: R, index: 1)',
    );
  });
});

describe('tuples', () => {
  const two = 'fn two(a: [D]) -> (b: [D], c: [D]) { (a, 2 * a) }\n param i: i32[D]';

  test('of a call, a choice or a chain are results', () => {
    const pair = '(p: [T, D], q: [T, D])';
    expect(forward(two, 'two(x)', pair)).toBe('two(x)');
    expect(forward(two, 'if E > 1 { two(x) } else { (x, 1) }', pair)).toContain('(x, <[T, D]>1)');
    expect(forward(two, 'chain l in L carrying (a = x, b = x) { two(a) }', pair)).toContain('two(a)');
  });

  /** A literal on either side takes the type of what stands in its place on the other. */
  test.each([
    ['if E > 1 { (x, 1) } else { (2 * x, x) }', '(p: [T, D], q: [T, D])', '(x, <[T, D]>1)'],
    ['if E > 1 { (2 * x, x) } else { (x, 1) }', '(p: [T, D], q: [T, D])', '(x, <[T, D]>1)'],
    ['if E > 1 { (x, 1) } else { (x, i) }', '(p: [T, D], q: i32[D])', '(x, <i32[D]>i32 1)'],
    ['if E > 1 { (x, i) } else { (x, 1) }', '(p: [T, D], q: i32[D])', '(x, <i32[D]>i32 1)'],
    ['if E > 1 { (x, iota(D)) } else { (x, i) }', '(p: [T, D], q: i32[D])', '(x, iota(axis: D))'],
    ['if E > 1 { (x, 1) } else { two(x) }', '(p: [T, D], q: [T, D])', '(x, <[T, D]>1)'],
  ])('%s', (body, result, side) => {
    expect(forward(two, body, result)).toContain(side);
  });
});

describe('instances', () => {
  /** A default speaks of the other parameters: an instance has its own. */
  test.each([
    ['<K = if H > 1 { 3 } else { 4 }>', 'x * K', 'X', 'X<K: (if (H > 1) then 3 else 4)>'],
    ['<A, K = if A > 1 { A } else { 4 }>', 'x * K', 'X<E>', 'X<A: E, K: (if (E > 1) then E else 4)>'],
    ['<A, K = if A > 1 { A } else { 4 }>', 'x * K', 'X<6>', 'X<A: 6, K: (if (6 > 1) then 6 else 4)>'],
    ['<A, B = A>', 'param w: [A, B] x * sum(w, over: (A, B))', 'X<6>', 'X<A: 6, B: 6>'],
    ['<A, B = A>', 'param w: [A, B] x * sum(w, over: (A, B))', 'X<E>', 'X<A: E, B: E>'],
    ['<A, C = A * 2>', 'param w: [A, C] x * sum(w, over: (A, C))', 'X<6>', 'X<A: 6, C: (6 * 2)>'],
    ['<A, C = A * 2>', 'param w: [A, C] x * sum(w, over: (A, C))', 'X<E>', 'X<A: E, C: (E * 2)>'],
    ['<A, K = A, C = K * 2>', 'param w: [A, C] x * K * sum(w, over: (A, C))', 'X<6>', 'X<A: 6, C: (6 * 2), K: 6>'],
    ['<A, K = A, C = K * 2>', 'param w: [A, C] x * K * sum(w, over: (A, C))', 'X<E>', 'X<A: E, C: (E * 2), K: E>'],
    ['<K = 2, A = K, B = A>', 'param w: [A, B] x * K * sum(w, over: (A, B))', 'X<K: H>', 'X<A: H, B: H, K: H>'],
  ])('expert X%s, %s: %s', (parameters, body, instance, printed) => {
    const { program, diagnostics } = checkText(
      `model M { axis T, D = 8, E = 4, H = 2\n expert X${parameters}(x: [D]) -> [D] { ${body} }\n experts e = ${instance}\n forward(x: [T, D]) -> [T, D] { e(x) } }`,
    );
    expect(diagnostics.map((d) => d.message)).toEqual([]);
    expect(program === null ? '' : printProgram(program)).toContain(`expert e = ${printed}\n`);
  });
});

describe('unions and routes', () => {
  const decls = 'experts ffn[E] = SwiGLU<F>\n experts zero[H] = Zero\n experts mix[P] = ffn | zero\n';
  test('a route over a part is a route over the union', () => {
    const router = 'router gate(x: [D]) -> route[P] { param w: [E, D]\n top_k(w @ x, 2, over: E) }';
    const { program } = checkText(
      `import { SwiGLU, Zero } from "std" model M { axis T, D = 8, E = 4, F = 6, H = 2\n ${decls} ${router} forward(x: [T, D]) -> [T, D] { gate(x) @ mix(x) } }`,
    );
    expect(program === null ? '' : printProgram(program)).toContain(
      '<part 0 of P>top_k(dot(w, x, over: D), over: E, k: 2)',
    );
  });

  test('a part of a twin has twins of its axes', () => {
    expect(forward(`${decls} param g: [P, P']`, "let a = g[P: ffn][P': ffn]\nx + sum(a, over: (E, E'))")).toContain(
      "let a: [E, E'] =",
    );
  });

  test('a declared route turns the arrow', () => {
    const router = 'router gate(x: [T, D]) -> route[T -> E] { param w: [E, D]\n top_k(w @ x, 2, over: T) }';
    const { program } = checkText(
      `model M { axis T, D = 8, E = 4\n ${router} forward(x: [T, D]) -> route[T -> E] { gate(x) } }`,
    );
    expect(program === null ? '' : printProgram(program)).toContain(
      '<route[T -> E]>top_k(dot(w, x, over: D), over: T, k: 2)',
    );
  });
});

describe('what is declared', () => {
  const uses = (text: string, name: string): readonly string[] => {
    const { program } = checkText(text);
    const found = program?.declarations.find((d) => d.kind === 'callable' && d.name === name);
    return found?.kind === 'callable'
      ? found.uses.map((a) => `${program?.axisNames.get(a.axis) ?? ''}${"'".repeat(a.primes)}`)
      : [];
  };

  test('the axes a body uses', () => {
    const text = `model M { axis T, D = 8, E = 4, H = 2
      fn f[H](x: [D]) -> [D] { let y = ones[E, D'] * E
        x + sum(y, over: (E, D')) }
      forward(x: [T, D]) -> [H, T, D] { f(x) } }`;
    expect(uses(text, 'f').toSorted()).toEqual(['D', "D'", 'E', 'H']);
  });

  test('declarations stand after what they need, whatever the order of the text', () => {
    const { program } = checkText(`model M {
      forward(x: [T, D]) -> [T, D] { f(x) }
      fn f(x: [D]) -> [D] { x * w }
      param w: [D] = K
      const K = 2
      axis D = E + 1, E = 3, T
    }`);
    const names = program?.declarations.map((d) => d.name) ?? [];
    const before = (a: string, b: string) => expect(names.indexOf(a)).toBeLessThan(names.indexOf(b));
    before('E', 'D');
    before('D', 'w');
    before('K', 'w');
    before('w', 'f');
  });

  test('records are put in the declared order', () => {
    const { program } = checkText('model M { axis T forward(x: [T]) -> (a: [T], b: f32) { (b: 1, a: x) } }');
    expect(program === null ? '' : printProgram(program)).toContain('  (x, 1)\n');
  });

  test('statics of a fn around are seen inside, values are not', () => {
    const { diagnostics } = checkText(
      'model M { axis T, L = 2 fn f[l in L](x: [T]) -> [T] { fn g(y: [T]) -> [T] { y * l }\n g(x) } forward(x: [T]) -> [L, T] { f(x) } }',
    );
    expect(diagnostics).toEqual([]);
  });
});

describe('arguments by name', () => {
  test('one that is missing is named, wherever it stands', () => {
    const text = (call: string): string =>
      `model M { axis T, D = 8\n fn f(a: [D], b: i32[T], c: [D]) -> [T, D] { a + f32(b) + c }
      forward(x: [D], i: i32[T]) -> [T, D] { ${call} } }`;
    const said = (call: string): readonly string[] =>
      checkText(text(call)).diagnostics.map((d) => `${d.code} ${d.message}`);
    expect(said('f(a: x, b: i, c: x)')).toEqual([]);
    expect(said('f(a: x, c: x)')).toEqual(['MOE0306 f lacks the argument b']);
    expect(said('f(c: x)')).toEqual(['MOE0306 f lacks the arguments a, b']);
  });
});
