/** The parser: every form of the language as the tree it stands for. */
import { describe, expect, it } from 'vitest';
import { MoeParser } from '../../dsl/syntax/grammar.ts';
import { bodyOf, library, parse, programs, shapeOf } from './support.ts';

describe('programs', () => {
  it('are there', () => expect(programs.length).toBeGreaterThan(50));
  it.each([...programs, ...library].map((source) => [source.name, source.text]))('%s parses', (_, text) => {
    const { file, diagnostics } = parse(text);
    expect(diagnostics).toEqual([]);
    expect(file.models.length + file.decls.length).toBeGreaterThan(0);
  });
});

it('the grammar is without ambiguities, which a parser takes for granted', () => {
  // Chevrotain throws, and names rule and alternatives, where three tokens do not tell alternatives apart.
  expect(() => new MoeParser({ validate: true })).not.toThrow();
});

describe('precedence', () => {
  it.each([
    ['a + b * c', '(a + (b * c))'],
    ['a - b - c', '((a - b) - c)'],
    ['a / b % c', '((a / b) % c)'],
    ['2 * w2 @ w1 @ x', '(2 * (w2 @ (w1 @ x)))'],
    ['-a @ b', '((- a) @ b)'],
    ['-a ** b', '(- (a ** b))'],
    ['a ** -b ** c', '(a ** (- (b ** c)))'],
    ['C ** -0.25 * wq @ n', '((C ** (- 0.25)) * (wq @ n))'],
    ['(-a) ** b', '((- a) ** b)'],
    ['- -a', '(- (- a))'],
    ['a or b and not c == d + 1', '(a or (b and (not (c == (d + 1)))))'],
    ['not not a', '(not (not a))'],
    ['not a == b', '(not (a == b))'],
    ['a < b and c >= d', '((a < b) and (c >= d))'],
    ['a or b or c', '((a or b) or c)'],
    ['a + b |> f(c) |> g[l]', '(((a + b) |> f(c)) |> g[l]())'],
    ['-x[0].y(1) ** 2', '(- (x[0].y(1) ** 2))'],
    ['f(x)[T: 0](y)', 'f(x)[T: 0](y)'],
    ['ffn[a .. b as W]', 'ffn[a .. b as W]'],
    ['x[T: 0 .. 2 as S]', 'x[T: 0 .. 2 as S]'],
    ['(a, b)', '<a, b>'],
    ['((a))', 'a'],
    ['normal[]', 'normal[]'],
    ["rename(x, T: T')", "rename(x, T: T')"],
  ])('%s', (text, shape) => expect(shapeOf(text)).toBe(shape));
});

describe('the same-line rule', () => {
  it('takes a parenthesis on the next line for a result', () => {
    const body = bodyOf('let y = f\n(y, y)');
    expect(body.items).toHaveLength(1);
    expect(body.result.kind).toBe('Tuple');
  });
  it('takes a bracket on the same line for an index', () => expect(shapeOf('f(\nx)[0]')).toBe('f(x)[0]'));
  it('lets operators begin a line', () => expect(shapeOf('a\n+ b\n|> f')).toBe('((a + b) |> f())'));
});

describe('declarations', () => {
  const item = (text: string) => {
    const { file, diagnostics } = parse(`model M {\n${text}\n}`);
    expect(diagnostics).toEqual([]);
    return file.models[0]?.items[0];
  };
  it('axes: dynamic, sized, with points', () => {
    const decl = item('axis T, D = 2 * F, Set = (a, b), S = (only,), G = (T)');
    if (decl?.kind !== 'Axes') throw new Error();
    expect(decl.bindings.map((b) => [b.name.text, b.size?.kind, b.points?.map((p) => p.text)])).toEqual([
      ['T', undefined, undefined],
      ['D', 'Binary', undefined],
      ['Set', undefined, ['a', 'b']],
      ['S', undefined, ['only']],
      ['G', 'Name', undefined],
    ]);
  });
  it('slots: type, initial value, frozen, source', () => {
    const decl = item(
      'param w: f16[E, F] = 0.02 * normal[E, F] frozen from mxfp4("a", "b") as [(E, 0 of 2, F), 1, 3 .. 5 of 9]',
    );
    if (decl?.kind !== 'Variable') throw new Error();
    const slot = decl.slots[0];
    expect(slot?.type.kind === 'TensorType' && slot.type.element?.text).toBe('f16');
    expect(slot?.frozen).toBe(true);
    expect(slot?.source?.decoder?.text).toBe('mxfp4');
    expect(slot?.source?.names.map((name) => name.value)).toEqual(['a', 'b']);
    expect(slot?.source?.order?.map((dim) => dim.parts.map((part) => part.kind))).toEqual([
      ['AxisPart', 'RangePart', 'AxisPart'],
      ['UnitPart'],
      ['RangePart'],
    ]);
    expect(slot?.source?.order?.[2]?.parts[0]).toMatchObject({ from: 3, to: 5, of: 9 });
  });
  it('routes: sources, targets, payload', () => {
    const decl = item("router g(x: [D]) -> (route[T -> E] of [D, D'], [H]) { x }");
    if (decl?.kind !== 'Callable' || decl.definition.kind !== 'Function') throw new Error();
    expect(decl.definition.signature.results[0]?.type).toMatchObject({
      kind: 'RouteType',
      sources: [{ name: 'T' }],
      targets: [{ name: 'E' }],
      payload: [
        { name: 'D', primes: 0 },
        { name: 'D', primes: 1 },
      ],
    });
  });
  it('instances with a record, paths and frozen', () => {
    const decl = item(
      'experts f[l in L, E] = T<F, D: 2 * M> from "a.{E}." { norm.weight: "n" frozen, w: "w" as [D, F] }',
    );
    if (decl?.kind !== 'Callable' || decl.definition.kind !== 'Instance') throw new Error();
    expect(decl.family?.map((point) => [point.axis.name, point.index?.text])).toEqual([
      ['L', 'l'],
      ['E', undefined],
    ]);
    expect(decl.definition.args?.map((arg) => arg.name?.text)).toEqual([undefined, 'D']);
    expect(decl.definition.from?.bindings?.map((b) => [b.path.map((p) => p.text).join('.'), b.frozen])).toEqual([
      ['norm.weight', true],
      ['w', false],
    ]);
  });
  it('unions, and a bare name which may be either', () => {
    expect(item('experts m[P] = a | b[l] | c')).toMatchObject({ definition: { kind: 'Union' } });
    expect(item('experts m = a[l]')).toMatchObject({ definition: { kind: 'Union' } });
    expect(item('experts m = a')).toMatchObject({ definition: { kind: 'Instance', template: { text: 'a' } } });
    expect(item('fn n[L] = RmsNorm<>')).toMatchObject({ definition: { kind: 'Instance', args: [] } });
  });
  it('generics tell a template from an instance', () => {
    expect(item('fn f<>(x: [D]) -> [D] { x }')).toMatchObject({ generics: [] });
    expect(item('fn f(x: [D]) -> [D] { x }')).toMatchObject({ generics: undefined });
  });
  it('documentation belongs to what follows, at the head of the file to the model', () => {
    const { file } = parse(
      '/// About M.\n/// More.\nimport { A } from "std"\nmodel M {\n  /// About f.\n  fn f(x: [D]) -> [D] { x }\n}',
    );
    expect(file.models[0]?.docs).toBe('About M.\nMore.');
    expect(file.models[0]?.items[0]?.docs).toBe('About f.');
  });
  it('records are the result of a body, also below an if', () => {
    expect(bodyOf('(y: x, r: x)').result).toMatchObject({
      kind: 'Record',
      fields: [{ name: { text: 'y' } }, { name: { text: 'r' } }],
    });
    expect(bodyOf('if c { (y: x) } else { (y: x) }').result).toMatchObject({
      kind: 'If',
      then: { result: { kind: 'Record' } },
    });
  });
  it('a chain with several carries and a collected pattern', () => {
    expect(bodyOf('chain l in L carrying (x, h: [H] = 0) collecting (p, q) { x }').result).toMatchObject({
      kind: 'Chain',
      index: { text: 'l' },
      axis: { name: 'L' },
      carries: [{ name: { text: 'x' } }, { name: { text: 'h' }, initial: { text: '0' } }],
      collecting: { names: [{ text: 'p' }, { text: 'q' }] },
    });
  });
});

describe('names', () => {
  it.each([
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    'loop',
    'var',
    'class',
    'await',
    'f32',
    'default',
    '_',
  ])('%s is a legal name', (name) => {
    const { file, diagnostics } = parse(
      `model ${name} { axis ${name}\n fn ${name}(${name}: [${name}]) -> [${name}] { ${name} } }`,
    );
    expect(diagnostics).toEqual([]);
    expect(file.models[0]?.name.text).toBe(name);
  });
  it('words that only begin like a keyword are names', () =>
    expect(shapeOf('inputs + expertise + iff')).toBe('((inputs + expertise) + iff)'));
});

describe('every span', () => {
  it.each(programs.map((source) => [source.name, source.text]))(
    '%s: lies in the text, parts inside the whole',
    (_, text) => {
      const visit = (value: unknown, start: number, end: number): void => {
        if (typeof value !== 'object' || value === null) return;
        const span: unknown = Reflect.get(value, 'span');
        let inside: readonly [number, number] = [start, end];
        if (typeof span === 'object' && span !== null && 'start' in span && 'end' in span) {
          expect(span.start).toBeGreaterThanOrEqual(start);
          expect(span.end).toBeLessThanOrEqual(end);
          inside = [Number(span.start), Number(span.end)];
        }
        for (const [key, child] of Object.entries(value)) if (key !== 'span') visit(child, ...inside);
      };
      visit(parse(text).file, 0, text.length);
    },
  );
});

describe('recovery', () => {
  it('keeps what is right around a mistake', () => {
    const { file, diagnostics } = parse(
      'model M {\n  axis T\n  fn a(x: [T]) -> [T] { x + }\n  fn b(x: [T]) -> [T] { x }\n  param : [T]\n  forward(x: [T]) -> [T] { b(x) }\n}',
    );
    expect(diagnostics.map((d) => d.code)).toEqual(['MOE0101', 'MOE0101']);
    const names = file.models[0]?.items.map((item) => ('name' in item ? item.name.text : item.kind));
    expect(names).toEqual(['Axes', 'a', 'b', 'forward']);
  });
  it('reports every mistake of a file in one run', () => {
    const text =
      'model M {\n  axis D 3\n  param w [D]\n  fn f(x [D]) -> [D] { x }\n  forward(x: [D]) -> [D] {\n    let y = f(x\n    let z = * 2\n    y\n  }\n}';
    expect(parse(text).diagnostics.map((d) => d.code)).toEqual(['MOE0101', 'MOE0101', 'MOE0101', 'MOE0103', 'MOE0101']);
  });
  // A token left out, doubled or replaced in a real program: one mistake is nearly always one diagnostic.
  it('one slip, one diagnostic', () => {
    let slips = 0;
    let single = 0;
    for (const { text } of programs.slice(0, 12)) {
      const tokens = [...text.matchAll(/[A-Za-z_]\w*|[()[\]{},:@=]/g)];
      for (let i = 11; i < tokens.length; i += 17) {
        const token = tokens[i];
        if (token === undefined) continue;
        const slipped = text.slice(0, token.index) + text.slice(token.index + token[0].length);
        const { diagnostics } = parse(slipped);
        if (diagnostics.length === 0) continue;
        slips++;
        if (diagnostics.length === 1) single++;
      }
    }
    expect(slips).toBeGreaterThan(50);
    expect(single / slips).toBeGreaterThan(0.9);
  });
});
