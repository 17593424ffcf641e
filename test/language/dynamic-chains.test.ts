/**
 * Chains over an axis whose size a run decides: recurrences over tokens, against the same recurrence written out by hand in
 * JavaScript, step by step on the kernels, and from call to call.
 */
import { describe, expect, test } from 'vitest';
import { stepwiseOnKernels } from '../../compiler/cli/running/stepwise.ts';
import { parseGraph } from '../../compiler/graph/parse-graph.ts';
import { printGraph } from '../../compiler/graph/print-graph.ts';
import { interpretGraph } from '../../compiler/graph/interpret-graph.ts';
import type { NamedTensor, Prepared } from '../../compiler/cli/running/execution.ts';
import { prepareArchitecture, sizesOf } from '../architectures/programs.ts';
import { diagnosticsOf, differences, onKernels, onReference, prepareText, ready } from './support.ts';

const steps = [0, 1, 7, 64];

function prepared(text: string): Prepared {
  const { prepared: made, diagnostics } = prepareText(text);
  if (made === null) throw new Error(diagnostics.map((d) => `${d.code} ${d.message}`).join('; '));
  return made;
}

const tensor = (shape: readonly number[], data: ArrayLike<number>): NamedTensor => ({
  element: 'f32',
  shape,
  data: Float32Array.from(data),
});

/** Numbers of a row-major tensor by their indices. */
const reader =
  (data: ArrayLike<number>, ...sizes: readonly number[]) =>
  (...index: readonly number[]): number =>
    data[index.reduce((at, i, k) => at * (sizes[k] ?? 1) + i, 0)] ?? NaN;

/** Runs a program on random inputs by all executors, and gives what it read and what the reference says. */
async function results(made: Prepared, T: number, seed = 1) {
  const run = ready(made, { sizes: sizesOf(made, { B: 2, T }), seed });
  const reference = await onReference(run);
  const kernels = await onKernels(run);
  expect([...kernels.keys()].sort()).toEqual([...reference.keys()].sort());
  expect(differences(run, kernels, reference)).toEqual([]);
  const stepwise = await stepwiseOnKernels(run);
  expect(stepwise.wrong).toBe(0);
  expect(stepwise.undecided).toBe(0);
  return { reference, inputs: run.request.inputs, stores: run.prepared.variables };
}

/** The reference gives float64 rounded to f32: half a unit of the last place, and what another order of float64 sums makes. */
function expectClose(actual: ArrayLike<number> | undefined, expected: readonly number[]): void {
  expect(actual?.length).toBe(expected.length);
  const wrong = expected.filter((value, i) => !(Math.abs((actual?.[i] ?? NaN) - value) <= Math.abs(value) * 2 ** -24 + 1e-12)); // prettier-ignore
  expect(wrong).toEqual([]);
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

describe.each(steps)('T = %i', (T) => {
  test('a gated recurrent unit', async () => {
    const made = prepared(`model M {
      axis B, T, H = 20
      param uz: [H, H']
      param un: [H, H']
      forward(x: [B, T, H]) -> (last: [B, H], every: [T, B, H]) {
        let (last, every) = chain t in T carrying h: [B, H] = 0 collecting next {
          let g = rename(h, H: H')
          let z = sigmoid(x[t] + uz @ g)
          let n = tanh(x[t] + un @ (0.5 * g))
          let next = (1 - z) * n + z * h
          next
        }
        (last: last, every: every)
      }
    }`);
    const { reference, inputs, stores } = await results(made, T);
    const x = reader(inputs.get('x')?.data ?? [], 2, T, 20);
    const [uz, un] = ['uz', 'un'].map((name) => reader(stores.get(name) ?? [], 20, 20));
    const H = Array.from({ length: 20 }, (_, i) => i);
    const dot = (w: typeof uz, i: number, h: readonly number[]): number => H.reduce((sum, j) => sum + (w?.(i, j) ?? NaN) * (h[j] ?? NaN), 0); // prettier-ignore
    const all: number[][][] = [];
    let now = [0, 1].map(() => H.map(() => 0));
    for (let t = 0; t < T; t++) {
      now = now.map((h, b) =>
        H.map((i) => {
          const z = sigmoid(x(b, t, i) + dot(uz, i, h));
          return (1 - z) * Math.tanh(x(b, t, i) + 0.5 * dot(un, i, h)) + z * (h[i] ?? NaN);
        }),
      );
      all.push(now);
    }
    expectClose(reference.get('last')?.data, now.flat());
    expectClose(reference.get('every')?.data, all.flat(2));
  });

  test('a gated delta rule', async () => {
    const made = prepared(`model M {
      axis T, K = 3, V = 2
      forward(k: [T, K], v: [T, V], a: [T], b: [T]) -> (last: [K, V], every: [T, K, V]) {
        let (last, every) = chain t in T carrying s: [K, V] = 0 collecting next {
          let kept = sigmoid(a[t]) * s
          let next = kept + sigmoid(b[t]) * k[t] * (v[t] - sum(kept * k[t], over: K))
          next
        }
        (last: last, every: every)
      }
    }`);
    const { reference, inputs } = await results(made, T);
    const [k, v, a, b] = [['k', 3], ['v', 2], ['a', 1], ['b', 1]].map(([name, n]) => reader(inputs.get(String(name))?.data ?? [], T, Number(n))); // prettier-ignore
    const all: number[] = [];
    let s = [0, 0, 0, 0, 0, 0];
    for (let t = 0; t < T; t++) {
      const kept = s.map((each) => sigmoid(a?.(t, 0) ?? NaN) * each);
      s = kept.map((each, at) => {
        const [i, j] = [Math.floor(at / 2), at % 2];
        const held = [0, 1, 2].reduce((sum, m) => sum + (kept[m * 2 + j] ?? NaN) * (k?.(t, m) ?? NaN), 0);
        return each + sigmoid(b?.(t, 0) ?? NaN) * (k?.(t, i) ?? NaN) * ((v?.(t, j) ?? NaN) - held);
      });
      all.push(...s);
    }
    expectClose(reference.get('last')?.data, s);
    expectClose(reference.get('every')?.data, all);
  });

  test('a selective scan', async () => {
    const made = prepared(`model M {
      axis B, T, D = 3, N = 4
      param rate: [D, N]
      forward(x: [B, T, D], d: [B, T, D], enter: [B, T, N], leave: [B, T, N]) -> (last: [B, D, N], y: [B, T, D]) {
        let (last, y, _) = chain t in T carrying h: [B, D, N] = 0 collecting (y, next) {
          let step = softplus(d[T: t])
          let next = exp(-step * exp(rate)) * h + step * enter[T: t] * x[T: t]
          let y = sum(next * leave[T: t], over: N)
          next
        }
        (last: last, y: y)
      }
    }`);
    const { reference, inputs, stores } = await results(made, T);
    const of = (name: string, n: number) => reader(inputs.get(name)?.data ?? [], 2, T, n);
    const [x, d, enter, leave] = [of('x', 3), of('d', 3), of('enter', 4), of('leave', 4)];
    const rate = reader(stores.get('rate') ?? [], 3, 4);
    const last: number[] = [];
    const y = new Float64Array(2 * T * 3);
    for (const b of [0, 1])
      for (const i of [0, 1, 2]) {
        let h = [0, 0, 0, 0];
        for (let t = 0; t < T; t++) {
          const step = Math.log1p(Math.exp(d(b, t, i)));
          h = h.map((each, n) => Math.exp(-step * Math.exp(rate(i, n))) * each + step * enter(b, t, n) * x(b, t, i));
          y[(b * T + t) * 3 + i] = h.reduce((sum, each, n) => sum + each * leave(b, t, n), 0);
        }
        last.push(...h);
      }
    expectClose(reference.get('last')?.data, last);
    expectClose(reference.get('y')?.data, [...y]);
  });
});

const files = ['decayed-attention.moe', 'gated-delta-rule.moe', 'gru-over-tokens.moe', 'recurrent-router.moe', 'selective-scan.moe']; // prettier-ignore

describe.each(files)('%s', (file) => {
  const made = prepareArchitecture(file);

  test('has one launch for each chain, however many steps there are', () => {
    const { schedule, plan } = made.entry.withAux;
    const chains = schedule.steps.filter((step) => step.kind === 'fold').length;
    expect(chains).toBeGreaterThan(0);
    expect(plan.steps.filter((s) => s.kind === 'launch' && s.label.startsWith('chain')).length).toBe(chains);
  });

  test('is a text that reads back, and means the same', () => {
    const { graph } = made.entry.withAux;
    const text = printGraph(graph);
    const again = parseGraph(text).graph;
    expect(printGraph(again)).toBe(text);
    const sizes = new Map([['B', 2], ['T', 4]]); // prettier-ignore
    const inputs = new Map(
      graph.inputs.map(({ name, axes }) => {
        const count = axes.reduce((n, a) => n * sizeOfAxis(graph.axes.get(a)?.name ?? '', graph, sizes), 1);
        return [name, Float64Array.from({ length: count }, (_, i) => Math.sin(i + 1))] as const;
      }),
    );
    const numbers = (g: typeof graph) => interpretGraph(g, { inputs, sizes }).values.map((v) => [...v.data]);
    expect(numbers(again)).toEqual(numbers(graph));
  });

  test('is right where steps are many', async () => {
    const run = ready(made, { sizes: sizesOf(made, { B: 1, T: 64 }) });
    const stepwise = await stepwiseOnKernels(run);
    expect(stepwise.wrong).toBe(0);
    expect(stepwise.compared).toBeGreaterThan(0);
  });
});

function sizeOfAxis(name: string, graph: Prepared['entry']['withAux']['graph'], sizes: ReadonlyMap<string, number>): number {
  const known = sizes.get(name);
  if (known !== undefined) return known;
  const axis = [...graph.axes.values()].find((a) => a.name === name);
  if (axis?.size.kind !== 'exact') throw new Error(`no size of ${name}`);
  return Number(axis.size.numerator);
} // prettier-ignore

test('a state is carried from call to call: two halves are the whole', async () => {
  const made = prepared(`model M {
    axis T, D = 3
    state memory: [D] = 0.25
    forward(x: [T, D]) -> [T, D] {
      let (last, every) = chain t in T carrying h = memory collecting next {
        let next = 0.5 * h + x[t]
        next
      }
      update memory = last
      every
    }
  }`);
  const x = Array.from({ length: 18 }, (_, i) => Math.fround(Math.cos(i)));
  const given = (rows: readonly number[], memory: ArrayLike<number> | null) =>
    ready(made, {
      inputs: new Map([['x', tensor([rows.length / 3, 3], rows)]]),
      stores: memory === null ? new Map() : new Map([['memory', Float64Array.from(memory)]]),
    });
  for (const run of [onReference, onKernels]) {
    const whole = await run(given(x, null));
    const first = await run(given(x.slice(0, 6), null));
    const second = await run(given(x.slice(6), first.get('state.memory')?.data ?? []));
    const none = await run(given([], whole.get('state.memory')?.data ?? []));
    expect([...(first.get('output')?.data ?? []), ...(second.get('output')?.data ?? [])]).toEqual([...(whole.get('output')?.data ?? [])]); // prettier-ignore
    expect([...(second.get('state.memory')?.data ?? [])]).toEqual([...(whole.get('state.memory')?.data ?? [])]);
    expect([...(none.get('state.memory')?.data ?? [])]).toEqual([...(whole.get('state.memory')?.data ?? [])]);
    expect(none.get('output')?.data).toHaveLength(0);
  }
});

describe('MOE0326: what a chain over a dynamic axis cannot do', () => {
  const model = (body: string, declarations = '', result = '[T, D]'): string => `model M {
    axis T, S, D = 4, E = 3, Big = 5000, Big' = 5000
    ${declarations.replaceAll("Big'", "Big'")}
    forward(x: [T, D], s: [S]) -> ${result} { ${body} }
  }`.replace(", Big' = 5000", ''); // prettier-ignore

  test.each([
    ['a draw', 'let (_, y) = chain t in T carrying h: [D] = 0 collecting next { let next = h + normal[D] * x[t] next } y', '', 'draws random numbers'],
    ['a running sum', 'let (_, y) = chain t in T carrying h: [D] = 0 collecting next { let next = cumsum(h + x[t], over: D) next } y', '', 'takes a running sum'],
    ['a selection', 'let (_, y) = chain t in T carrying h: [D] = 0 collecting next { let next = h + dense(top_k(h + x[t], 2, over: D)) next } y', '', 'sorts or selects'],
    ['a look-up that a run checks', 'let (_, y) = chain t in T carrying h: [D] = 0 collecting next { let next = h + x[T: t - 1] next } y', '', 'looks something up'],
    ['a chain within', 'let (_, y) = chain t in T carrying h: [D] = 0 collecting next { let next = h + x[t] * (chain u in S carrying g = h { 0.5 * g + s[u] }) next } y', '', 'has a chain over a dynamic axis'],
    ['a loss', 'let (_, y) = chain t in T carrying h: [D] = 0 collecting next { let next = h + x[t] loss a = sum(next, over: D) next } y', '', '`loss`'],
    ['an update', 'let (_, y) = chain t in T carrying h: [D] = 0 collecting next { let next = h + x[t] update m = next next } y', 'state m: [D] = 0', '`update`'],
    ['a condition', 'let (_, y) = chain t in T carrying h: [D] = 0 collecting next { let next = h + x[t] require next > 0 else "x" next } y', '', '`require`'],
    ['what does not fit', "let (_, y) = chain t in T carrying h: [Big] = 0 collecting next { let next = w @ rename(h, Big: Big') next } sum(y, over: Big) * x", "param w: [Big, Big']", 'keeps 40000 bytes'],
    ['what has no size', "let (_, y) = chain t in T carrying h: [S] = 0 collecting next { let next = rename(sum(outer(h), over: S), S': S) next } sum(y, over: S) * x", "fn outer(h: [S]) -> [S, S'] { h * rename(h, S: S') }", 'whose size a run decides'],
  ])('%s', (_, body, declarations, says) => {
    const found = diagnosticsOf(model(body, declarations));
    expect(found.map((d) => d.code)).toEqual(['MOE0326']);
    expect(found[0]?.message).toContain(says);
    expect(found[0]?.help).toBeDefined();
  }); // prettier-ignore
});

const shapes: readonly (readonly [title: string, declarations: string, signature: string, body: string])[] = [
  [
    'kinds',
    '',
    '(x: [T, D]) -> (n: i32[D], f: bool[D], h: f16[D], ns: i32[T, D])',
    `let (n, f, h, ns) = chain t in T carrying (n: i32[D] = 0, f: bool[D] = false, h: f16[D] = 0) collecting next {
      let hit = x[t] > 0
      let next = where(hit, n + t, n)
      (next, f or hit, f16(0.5 * h + x[t]))
    }
 let q = n
 (n: q, f: f, h: h, ns: ns)`,
  ],
  [
    'keep inside',
    '',
    '(x: [B, T, D]) -> [B, T, D]',
    `let (_, y) = chain t in T carrying h: [B, D] = 0 collecting next {
      let next = 0.5 * h + dense(keep(x[T: t], x[T: t] > h, over: D))
      next
    } y`,
  ],
  [
    'route outside, sparse reading',
    'param w: [E, D] experts ffn[E] = SwiGLU<L>',
    '(x: [B, T, D]) -> [B, T, D]',
    `let (_, y) = chain t in T carrying h: [B, D] = 0 collecting next { let next = 0.5 * h + x[T: t] next }
      let r = top_k(w @ x, 1, over: E)
      r @ ffn(y)`,
  ],
  [
    'max, min, any, mixing with a max',
    '',
    '(x: [T, D]) -> [T, D]',
    `let (_, y) = chain t in T carrying h: [D] = 0 collecting next { let next = x[t] - 0.5 * max(h, over: D) + min(h, over: D) next } y`,
  ],
  ['own axis carried', '', '(x: [T, D]) -> [T, D]', `chain t in T carrying h = x { 0.5 * h + x[t] }`],
  [
    'no carried read, only the number',
    '',
    '(x: [T, D]) -> [T]',
    `let (_, y) = chain t in T carrying h: f32 = 0 collecting next { let next = f32(t) next } y + 0 * sum(x, over: D)`,
  ],
  [
    'scalars',
    '',
    '(x: [T]) -> (l: f32, y: [T])',
    `let (l, y) = chain t in T carrying h: f32 = 1 collecting next { let next = 0.5 * h + x[t] next }
 let q = l
 (l: q, y: y)`,
  ],
  [
    'gather by carried',
    '',
    '(x: [T, D]) -> [T, D]',
    `let (_, y) = chain t in T carrying h: [D] = 0 collecting next { let next = h[D: 3 - iota(D)] * 0.5 + x[t] next } y`,
  ],
  [
    'static chain inside',
    'param w: [L, D]',
    '(x: [T, D]) -> [T, D]',
    `let (_, y) = chain t in T carrying h: [D] = 0 collecting next { let next = chain l in L carrying g = 0.5 * h { tanh(g * w[l] + x[t]) } next } y`,
  ],
  [
    'softmax inside',
    'param w: [E, D]',
    '(x: [T, D]) -> [T, E]',
    `let (_, y) = chain t in T carrying h: [D] = 0 collecting p { let p = softmax(w @ h + sum(x[t], over: D), over: E) 0.5 * h + x[t] * sum(p, over: E) } y`,
  ],
  [
    'dynamic B not a row',
    '',
    '(x: [B, T, D]) -> [T, D]',
    `let (_, y) = chain t in T carrying h: [D] = 0 collecting next { let next = 0.5 * h + sum(x[T: t] * h, over: B) + sum(x[T: t], over: B) next } y`,
  ],
  [
    'heads',
    '',
    '(x: [T, D]) -> [T, L, E]',
    `let (_, y) = chain t in T carrying h: [D, L, E] = 0 collecting y { let y = sum(h, over: D) 0.5 * h + x[t] } y`,
  ],
];

describe('what a step may do', () => {
  test.each(shapes)('%s', async (_, declarations, signature, body) => {
    const text = `import { SwiGLU } from "std"
model M {
  axis B, T, D = 4, E = 3, L = 2
  ${declarations}
  forward${signature} { ${body} }
}`;
    const made = prepared(text);
    for (const T of [0, 1, 6]) {
      const run = ready(made, { sizes: sizesOf(made, { B: 2, T }) });
      expect(differences(run, await onKernels(run), await onReference(run))).toEqual([]);
      expect((await stepwiseOnKernels(run)).wrong).toBe(0);
    }
    // An axis that an option gives a size is the same recurrence.
    expect(prepareText(text, { sets: new Map([['T', '5']]) }).diagnostics).toEqual([]);
  });
});
