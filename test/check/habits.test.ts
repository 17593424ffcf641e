/** What authors of other languages write first: each is told with the form of this language, in the program's own names. */
import { describe, expect, it } from 'vitest';
import { analyse } from '../../compiler/front-end.ts';
import { elaborate } from '../../compiler/elaborate/elaborate.ts';
import type { Diagnostic } from '../../dsl/diagnostics/diagnostic.ts';

const program = (
  statements: string,
  result = 'x',
): string => `import { SwiGLU, Balance, RmsNorm, BalancedTopK } from "std"
model Habits {
  axis B, T, D = 4, F = 3, E = 6, L = 3, H = 2, C = D / H, U = 2 * E
  param w: [E, D], tab: [E, D]
  experts ffn[E] = SwiGLU<F>
  experts deep[L, E] = SwiGLU<F>
  fn norm[L] = RmsNorm<>
  fn one = RmsNorm<>
  fn balance = Balance<>
  router gate(x: [D]) -> route[E] { softmax(w @ x, over: E) |> top_k(2, over: E) }
  router each[L](x: [D]) -> route[E] { softmax(w @ x, over: E) |> top_k(2, over: E) }
  forward(x: [T, D], ids: i32[T] in E, z: [B, T, D]) -> [T, D] {
    let s = softmax(w @ x, over: E)
    let r = gate(x)
    ${statements}
    ${result}
  }
}
`;

function mistakes(text: string): readonly Diagnostic[] {
  return analyse({ name: 'habits.moe', text }).diagnostics;
}

/** The statements, and what the advice must show. */
const habits: readonly { readonly statements: string; readonly help: RegExp; readonly result?: string }[] = [
  { statements: 'let a = torch.matmul(s, tab)', help: /`s @ tab`/ },
  { statements: 'let a = matmul(s, tab)', help: /`s @ tab`/ },
  { statements: 'let a = bmm(s, tab)', help: /`s @ tab`/ },
  { statements: 'let a = F.softmax(x, dim: -1)', help: /softmax\(x, over: D\)/ },
  { statements: 'let a = torch.pi', help: /called by their names/ },
  { statements: 'let a = x.view(T, D)', help: /split\(x, D: .*merge\(x, .*rename\(x, / },
  { statements: 'let a = x.reshape(T, D)', help: /split\(x, D: / },
  { statements: 'let a = x.T', help: /nothing is transposed/ },
  { statements: 'let a = x @ w.transpose(0, 1)', help: /nothing is transposed: `w @ y`/ },
  { statements: 'let a = x.unsqueeze(0)', help: /axes meet by name/ },
  { statements: 'let a = s.masked_fill(s < 0.1, -inf)', help: /where\(/ },
  { statements: 'let a = x.shape', help: /the size of an axis is its name/ },
  { statements: 'let a = x.float()', help: /`f32\(x\)`/ },
  { statements: 'let a = x.softmax(1)', help: /softmax\(x, over: D\)/ },
  { statements: 'let a = s.topk(2)', help: /top_k\(s, 2, over: E\)/ },
  { statements: 'let a = cat(x, x)', help: /concat\(a, b, \(A, B\): C\)/ },
  { statements: 'let a = softmax(s, dim: -1)', help: /`over: E`/ },
  { statements: 'let a = softmax(x, axis: 0)', help: /`over: T`/ },
  { statements: 'let a = softmax(x, dim=-1)', help: /`over: D`/ },
  { statements: 'let a = softmax(x, dim=0)', help: /`over: T`/ },
  { statements: 'let a = sum(x, over: D, keepdim: true)', help: /axes meet by name/ },
  { statements: 'let a = x[:, 0]', help: /`x\[D: 0\]`/ },
  { statements: 'let a = x[0:2]', help: /`x\[T: 0 \.\. 2 as T'\]`/ },
  { statements: 'let a = x[..., 1]', help: /`x\[D: 1\]`/ },
  { statements: 'let a = z[:, 0, 1:3]', help: /`z\[T: 0, D: 1 \.\. 3 as D'\]`/ },
  { statements: 'x += 1', help: /let x = x \+ …/ },
  { statements: 'y = x', help: /let y = …/ },
  { statements: 'let a = x if D > 1 else 0', help: /if D > 1 \{ … \} else \{ … \}/ },
  { statements: 'for e in E { x }', help: /chain i in AXIS carrying/ },
  { statements: 'let (v, i) = top_k(s, 2, over: E)', help: /let v = ….*r @ f\(x\)/ },
  { statements: 'let a = SwiGLU(D, F)(x)', help: /experts f = SwiGLU<F>/ },
  { statements: 'let a = SwiGLU(D, H)(x)', help: /experts f = SwiGLU<H>/ },
  { statements: 'let a = ffn[argmax(s, over: E)](x)', help: /pick\(argmax\(…\), over: E\) @ ffn\(x\)/ },
  { statements: 'let a = ffn[ids](x)', help: /pick\(ids, over: E\) @ ffn\(x\)/ },
  { statements: 'let a = w[ids]', help: /name it: \[E: ids\]/ },
  { statements: 'let a = ffn(r * x) + x', help: /`sum\(x, over: E\) \+ y`/ },
  { statements: 'let a = x - ffn(r * x)', help: /`x - sum\(y, over: E\)`/ },
  {
    statements: 'let a = one(x) @ one(x)',
    help: /contracts D and meets T by name.*`one\(…\) @ rename\(one\(…\), T: T'\)`/,
  },
  { statements: 'let p = softmax(x, over: T)\n    let a = p @ x', help: /dot\(p, x, over: T\)/ },
  { statements: 'let a = dense(r) @ ffn(x)', help: /dot\(dense\(…\), ffn\(…\), over: E\)/ },
  { statements: 'let a = one(split(x, D: (H, C)))', help: /fn one = RmsNorm<D: C>/ },
  {
    statements: 'loss a = mean(balance(gate(z), dense(gate(z)), true), over: (B, T))',
    help: /balance takes T whole.*`over: B`/,
  },
  {
    statements: 'let a = concat(r, r, (E, E): U)',
    help: /experts both\[U\] = a \| b.*`let p: route\[T -> U\] = …`.*keep\(r, c\) \+/,
  },
  { statements: 'let a = concat(s, r, (E, E): U)', help: /experts both\[U\] = a \| b/ },
  { statements: 'let a = concat(r, r, (T, T): U)', help: /join the scores/ },
  { statements: '', help: /`norm\[l\]`/, result: 'chain l in L carrying h = x { h + each[l](norm(h)) @ deep[l](h) }' },
  {
    statements: '',
    help: /`each\[l\]`/,
    result: 'chain l in L carrying h = x { let g = each(h)\n h + g @ deep[l](h) }',
  },
  { statements: 'let a = torch.einsum("td,ed->te", x, w)', help: /`x @ w`/ },
  { statements: 'let a = x.sum(dim=-1, keepdim=True)', help: /`over: D`/ },
  { statements: 'let a = x[None, :]', help: /nothing is inserted, write `x`/ },
  { statements: 'let a = x[:, None]', help: /nothing is inserted, write `x`/ },
  { statements: 'let a = None', help: /there is no missing value/ },
  { statements: 'let a = x == None', help: /there is no missing value/ },
  { statements: 'let a = True', help: /write `true`/ },
  { statements: 'let a = x[T: 1:3]', help: /`x\[T: 1 \.\. 3 as T'\]`/ },
  { statements: 'let a = x[D: 1:3, T: 0]', help: /`x\[D: 1 \.\. 3 as D', T: 0\]`/ },
  { statements: 'let a = ffn[:2](x)', help: /`ffn\[E: 0 \.\. 2 as E'\]`/ },
  { statements: 'let a = x.relu_()', help: /`relu\(x\)`/ },
  { statements: 'let a = x.scatter_add_(0, ids, x)', help: /pick\(ids, over: E\)/ },
  { statements: 'let a = x.index_add(0, ids, x)', help: /pick\(ids, over: E\)/ },
  { statements: 'let a = nn.Linear(D, F)(x)', help: /fn f = Linear<D, F>/ },
  { statements: 'let a = nn.Linear', help: /fn f = Linear<D, F>/ },
  { statements: 'let a = gate(**x)', help: /written out one by one/ },
  { statements: 'let a = torch.cat([x, x], dim: 1)', help: /concat\(a, b, \(A, B\): C\)/ },
  { statements: 'let a = [x, x]', help: /there are no lists/ },
  { statements: 'let a = cat((x, x), dim=1)', help: /concat\(a, b, \(A, B\): C\)/ },
  { statements: 'let a = [one(x) for f in ffn]', help: /there are no lists/ },
  { statements: 'let a = torch.zeros(T, D)', help: /`zeros\[T, D\]`/ },
  { statements: 'let a = torch.zeros_like(x)', help: /`zeros\[T, D\]`/ },
  { statements: 'let a = torch.where(x > 0, x, 0)', help: /`where\(x > 0, x, 0\)`/ },
  { statements: 'let a = r.indices', help: /`r @ f\(x\)`.*`mask\(r\)`/ },
  { statements: 'let a = r.weights', help: /`dense\(r\)`/ },
  { statements: 'let a = x.to(f16)', help: /`f16\(x\)`/ },
  { statements: 'let a = x.dtype', help: /`f16\(x\)`/ },
  { statements: 'let a = x.detach()', help: /stop_gradient\(x\)/ },
  { statements: 'let a = torch.tril(s)', help: /iota\(T\) >= iota\(T'\)/ },
  { statements: 'let a = embedding(ids)', help: /table\[V: ids\]/ },
  { statements: 'let a = vmap(one)(x)', help: /applied at every point/ },
  { statements: 'let a = fn(x) { x }', help: /functions are declared/ },
  { statements: 'let a = s.masked_fill(s < 0.1, -inf)', help: /`where\(s < 0.1, …, s\)`|`where\(s < 0.1, -inf, s\)`/ },
  { statements: 'let a = ids > 0 ? x : 0', help: /where\(c, a, b\)/ },
  { statements: 'let a = x[T: x[D: 0] > 0]', help: /`where\(c, x, 0\)`/ },
  { statements: 'let a = ids * 0.5', help: /f32\(n\) \* 0.5/ },
  { statements: 'let a = one(s)', help: /RmsNorm<D: E>/ },
  { statements: 'let a = sum(x, over: [T, D])', help: /`over: \(T, D\)`/ },
  { statements: 'let a = SwiGLU<F>(x)', help: /experts f = SwiGLU<…>/ },
  { statements: 'let k = x[D: 0] > 0\n    let a = x[T: k]', help: /`where\(c, x, 0\)`/ },
  { statements: 'let a == x', help: /one `=`: `let a = …`/ },
  { statements: 'let a, b = top_k(s, 2, over: E)', help: /`let \(a, …\) = …`/ },
  { statements: 'a := x', help: /`let a = …`/ },
  { statements: 'x[T: 0] = 0', help: /where\(iota\(T\) == 0/ },
  { statements: 'x++', help: /`let x = x \+ 1`/ },
  { statements: 'for (e, f) in ffn { x }', help: /chain i in AXIS carrying/ },
  { statements: 'def f(x): x', help: /declared with `fn`/ },
  { statements: 'fn f(x) { x }', help: /`x: \[D\]`/ },
  { statements: 'experts mix[U2] = ffn + one', help: /`ffn \| …`/ },
];

describe('a habit of another language', () => {
  it.each(habits)('$statements $result', ({ statements, help, result }) => {
    const found = mistakes(program(statements, result));
    expect(found.map((d) => d.help ?? '').join('\n')).toMatch(help);
  });

  it('is one mistake', () => {
    for (const { statements, result } of habits) {
      const found = mistakes(program(statements, result));
      expect(
        found.map((d) => `${d.code}: ${d.message}`),
        statements,
      ).toHaveLength(1);
    }
  });
});

/**
 * What is written, and the form of this language that the help shows for it: a program as it stands, since an author copies it.
 * Operands of several words keep together.
 */
const forms: readonly (readonly [written: string, form: string])[] = [
  ['outer(x, s)', 'x * s'],
  ['mul(x + 1, tab)', '(x + 1) * tab'],
  ['multiply(x, -x)', 'x * (-x)'],
  ['add(x, x)', 'x + x'],
  ['sub(x, x - 1)', 'x - (x - 1)'],
  ['subtract(x, 1)', 'x - 1'],
  ['div(x, D - 1)', 'x / (D - 1)'],
  ['divide(x, 2)', 'x / 2'],
  ['true_divide(x, 2)', 'x / 2'],
  ['pow(x + 1, 2)', '(x + 1) ** 2'],
  ['power(x, 3)', 'x ** 3'],
  ['square(-x)', '(-x) ** 2'],
  ['reciprocal(x + 1)', '1 / (x + 1)'],
  ['matmul(x + 1, w)', '(x + 1) @ w'],
  ['inner(2 * (x + 1), w)', '(2 * (x + 1)) @ w'],
  ['inner(x - (x - 1), w)', '(x - (x - 1)) @ w'],
  ['inner((x ** 2) ** 3, w)', '((x ** 2) ** 3) @ w'],
  ['inner(-(x + 1), w)', '(-(x + 1)) @ w'],
  ['vdot(deep.w1[L: 0, E: 0], w)', '… @ w'],
  ['matmul(ffn.w1, s)', 'ffn.w1 @ s'],
  ['(x + 1).int()', 'i32(x + 1)'],
  ['x.double()', 'f32(x)'],
  ['x.half()', 'f16(x)'],
  ['x.clone()', 'x'],
  ['zeros_like(x)', 'zeros[T, D]'],
  ['ones_like(x)', 'ones[T, D]'],
  ['full(x, 2)', '2 * ones[T, D]'],
  ['x.size(0)', 'T'],
  ['x.numel()', 'T * D'],
  ['len(s)', 'E'],
  ['range(T)', 'iota(T)'],
  ['torch.arange(T)', 'iota(T)'],
  ['s.index_select(1, ids)', 's[E: ids]'],
  ['(s + 1).gather(1, ids)', '(s + 1)[E: ids]'],
  ['take(s, ids)', 's[E: ids]'],
  ['take_along_dim(s, ids)', 's[E: ids]'],
  ['scatter(x, ids)', 'dot(pick(ids, over: E), x, over: T)'],
  ['torch.norm(x + 1)', 'sqrt(sum((x + 1) ** 2, over: D))'],
  ['x.norm()', 'l2norm(x, over: D)'],
  ['torch.normalize(x)', 'l2norm(x, over: D)'],
  ['log_softmax(s)', 's - logsumexp(s, over: E)'],
  ['amax(s)', 'max(s, over: E)'],
  ['s.amin()', 'min(s, over: E)'],
  ['s.sort()', 's[E: argsort(s, over: E)]'],
  ['dropout(x)', 'x'],
  ['nn.Dropout(x)', 'x'],
  ['logical_and(x > 0, s > 0)', '(x > 0) and (s > 0)'],
  ['logical_or(x > 0, s > 0)', '(x > 0) or (s > 0)'],
  ['logical_not(x > 0)', 'not (x > 0)'],
  ['logical_not(not f)', 'not (not f)'],
  ['torch.maximum(x, 0)', 'max(x, 0)'],
  ['minimum(x, 0)', 'min(x, 0)'],
  ['swish(x)', 'silu(x)'],
  ['SiLU(x)', 'silu(x)'],
  ['GELU(x)', 'gelu(x)'],
  ['ReLU(x)', 'relu(x)'],
  ['Softmax(s)', 'softmax(s, over: E)'],
  ['rand(T, D)', 'uniform[T, D]'],
  ['torch.randn(T, D)', 'normal[T, D]'],
  ['bincount(r)', 'count(r, over: T)'],
  ['torch.nn.functional.softmax(s, 1)', 'softmax(s, over: E)'],
  ['(x + 1).indices', '(x + 1) @ f(x)'],
  ['(x + 1).T', '(x + 1) @ y'],
  ['triu(s)', "where(iota(T) <= iota(T'), s, 0)"],
  ['chunk(x + 1, 2)', '(x + 1)[D: 0 .. n as S]'],
];

describe('a form that is shown', () => {
  /** Forms that speak of more than the program has: `f`, `y`, `n`, a twin. */
  const examples = ['…', '@ f(x)', '@ y', '.. n as S', "iota(T')"];

  it.each(forms)('%s is told with %s', (written, form) => {
    const found = mistakes(program(`let f = x > 0\n    let a = ${written}`));
    expect(found.map((d) => d.help ?? '').join('\n')).toContain(`\`${form}\``);
    if (examples.some((part) => form.includes(part))) return;
    expect(mistakes(program(`let f = x > 0\n    let a = ${form}`)).map((d) => d.message)).toEqual([]);
  });

  it('says the whole name of a module', () => {
    expect(mistakes(program('let a = torch.nn.functional.glu(s)')).map((d) => d.message)).toEqual([
      'nothing is called torch.nn.functional.glu',
    ]);
  });

  it.each([
    ['let a = concatenate(x, x)', /`concat\(a, b, \(A, B\): C\)`/],
    ['let a = stack(x, x)', /`concat\(a, b, \(A, B\): C\)`/],
    ['let a = x.ndim', /the axes of a value are its type/],
    ['let a = nn.Parameter(w)', /`param w: \[E, D\] = 0.02 \* normal\[E, D\]`/],
    ['let a = print(x)', /`output name = x`/],
    ['let a = relu(x, inplace: true)', /leave it out/],
    ['let a = sum(x, over: D, dtype: 2)', /`f16\(x\)`/],
    ['let a = dot(x + 1, x, over: (T, D)) + (x + 1) @ x', /`\(x \+ 1\) @ rename\(x, T: T'\)`/],
  ])('%s', (statements, help) => {
    expect(
      mistakes(program(statements))
        .map((d) => d.help ?? '')
        .join('\n'),
    ).toMatch(help);
  });
});

describe('a type that is told', () => {
  it.each([
    ['let a: [T, E] = rank(r)', 'a is declared [T, E], this is route[T -> E] of i32'],
    ['let a: [T, E] = rank(r) > 0', 'a is declared [T, E], this is route[T -> E] of bool'],
    ['let a: [T, E] = r', 'a is declared [T, E], this is route[T -> E]'],
    ['let a: i32[T] = one(r * x) > 0', 'a is declared i32[T], this is route[T -> E] of bool[D]'],
  ])('%s: has its element type', (statements, message) => {
    expect(mistakes(program(statements)).map((d) => d.message)).toEqual([message]);
  });
});

describe('a keyword where a name is meant', () => {
  const reserved: readonly (readonly [text: string, words: readonly string[]])[] = [
    ['model M { axis T, D = 4\n forward(input: [T, D]) -> [T, D] { input * 2 } }', ['input']],
    [
      'model M { axis T\n forward(x: [T]) -> (output: [T], loss: f32) { (output: x, loss: sum(x, over: T)) } }',
      ['output', 'loss'],
    ],
    ['model M { axis T\n forward(x: [T]) -> [T] { let state = x + 1\n state } }', ['state']],
    ['model M { axis P = (layer, expert), T\n forward(x: [T]) -> [T] { x } }', ['expert']],
    ['model M { axis T, router = 3\n forward(x: [T, router]) -> [T, router] { x } }', ['router']],
    ['model M { axis T\n const from = 3\n forward(x: [T]) -> [T] { from * x } }', ['from']],
    ['model M { axis T\n fn model(x: [T]) -> [T] { x }\n forward(x: [T]) -> [T] { model(x) } }', ['model']],
    ['model M { axis T\n forward(x: [T]) -> [T] { let (a, input) = (x, x)\n a + input } }', ['input']],
  ];

  it.each(reserved)('%s', (text, words) => {
    const found = mistakes(text);
    expect(found.map((d) => d.message)).toEqual(words.map((word) => `\`${word}\` is a keyword and cannot be a name`));
  });

  it('does not take the beginning of a declaration for one', () => {
    const found = mistakes('model M { axis T\n forward(x: [T]) -> [T] { let y = sum(x\n param w: [T]\n w } }');
    expect(found.map((d) => d.code)).toEqual(['MOE0103']);
  });
});

describe('mistakes of several stages', () => {
  it('are told in one run', () => {
    const found = mistakes(`model C {
  axis T, D = 4, F = 3
  param w: [F, D], v: [D]
  first(x: [T, D]) -> [T, D] {
    y += x
    x
  }
  second(x: [T, D]) -> [T, D] { x + nowhere }
  third(x: [T, D]) -> [T, F] { w @ v @ x }
}`);
    expect(found.map((d) => d.code)).toEqual(['MOE0101', 'MOE0201', 'MOE0334']);
  });

  it('say nothing of names that an unread declaration may have', () => {
    const found = mistakes('model C {\n  axis T\n  param w [T]\n  forward(x: [T]) -> [T] { w * x + v }\n}');
    expect(found.map((d) => d.code)).toEqual(['MOE0101']);
  });
});

describe('a mistake inside a library body', () => {
  it("is told at the user's call", () => {
    const text = `import { BalancedTopK } from "std"
model Twice {
  axis B, T, D = 4, E = 3
  router gate = BalancedTopK<2>
  forward(x: [B, T, D]) -> route[B, T -> E] { gate(x, true) + gate(2 * x, true) }
}
`;
    const { program: typed, diagnostics } = analyse({ name: 'twice.moe', text });
    expect(diagnostics).toEqual([]);
    if (typed === null) throw new Error('no program');
    const told: Diagnostic[] = [];
    elaborate(typed, { overrides: new Map() }, (problem) => told.push(problem));
    const [first] = told.filter((d) => d.code === 'MOE0451');
    expect(first?.span?.source).toBe('twice.moe');
    expect(text.slice(first?.span?.start, first?.span?.end)).toBe('gate(2 * x, true)');
  });
});
