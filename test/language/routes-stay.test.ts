/**
 * A route stays a route where something is done to its targets or sources: what it says is written out here, on the reference and
 * by the kernels, and the experts behind it run for the chosen points alone.
 */
import { describe, expect, test } from 'vitest';
import type { NamedTensor } from '../../compiler/cli/running/execution.ts';
import type { Launch } from '../../compiler/schedule/memory/plan.ts';
import { differences, onKernels, onReference, prepareText, ready, type Given, type Ready } from './support.ts';

function prepared(text: string): NonNullable<ReturnType<typeof prepareText>['prepared']> {
  const { prepared: made, diagnostics } = prepareText(text);
  expect(diagnostics.map((d) => `${d.code} ${d.message}`)).toEqual([]);
  if (made === null) throw new Error('the text has a mistake');
  return made;
}

const f32 = (shape: readonly number[], data: readonly number[]): NamedTensor => ({
  element: 'f32',
  shape,
  data: Float32Array.from(data),
});
const i32 = (shape: readonly number[], data: readonly number[]): NamedTensor => ({
  element: 'i32',
  shape,
  data: Int32Array.from(data),
});

async function both(text: string, given: Given): Promise<Readonly<Record<string, readonly number[]>>> {
  const run: Ready = ready(prepared(text), given);
  const [reference, kernels] = [await onReference(run), await onKernels(run)];
  expect(differences(run, kernels, reference)).toEqual([]);
  return Object.fromEntries([...reference].map(([name, { data }]) => [name, [...data]]));
}

/** Scores of three tokens for four experts, or for two groups of two. */
const scores = f32([3, 4], [0.5, 0.25, 0.125, 0.0625, 0.0625, 0.5, 0.25, 0.125, 0.25, 0.125, 0.5, 0.0625]);

describe('summed over some of its targets', () => {
  const model = (over: string, operation: string): string => `model M {
    axis T, E = 4, G = 2, M = 2
    forward(s: [T, E]) -> (r: route[T -> ${over === 'M' ? 'G' : 'M'}], p: bool[T, ${over === 'M' ? 'G' : 'M'}]) {
      let r = ${operation}(split(top_k(s, 2, over: E), E: (G, M)), over: ${over})
      (r: r, p: where(r, true, false))
    }
  }`;

  test('it is present where anything was, with the sum and the least of the ranks', async () => {
    // Token 0 chose experts 0, 1 (group 0); token 1 chose 1, 2; token 2 chose 2, 0: the better one leads.
    const {
      ['r.indices']: indices,
      ['r.weights']: weights,
      p,
    } = await both(model('M', 'sum'), { inputs: new Map([['s', scores]]) });
    expect(indices).toEqual([0, -1, 0, 1, 1, 0]);
    expect(weights).toEqual([0.75, 0, 0.5, 0.25, 0.5, 0.25]);
    expect(p).toEqual([1, 0, 1, 1, 1, 1]);
  });

  test('over the outer axis alike', async () => {
    const { ['r.indices']: indices, ['r.weights']: weights } = await both(model('G', 'sum'), {
      inputs: new Map([['s', scores]]),
    });
    expect(indices).toEqual([0, 1, 1, 0, 0, -1]);
    expect(weights).toEqual([0.5, 0.25, 0.5, 0.25, 0.75, 0]);
  });

  test.each([
    ['max', [0.5, 0, 0.5, 0.25, 0.5, 0.25]],
    ['min', [0.25, 0, 0.5, 0.25, 0.5, 0.25]],
  ])('%s is of what is present', async (operation, wanted) => {
    const { ['r.weights']: weights } = await both(model('M', operation), { inputs: new Map([['s', scores]]) });
    expect(weights).toEqual(wanted);
  });

  test('a payload is summed point by point, and over it too where it is named', async () => {
    const text = `model M {
      axis T, E = 4, G = 2, M = 2, D = 2
      forward(s: [T, E], v: [E, D]) -> (r: route[T -> G] of [D], q: route[T -> G]) {
        let h = split(top_k(s, 2, over: E) * v, E: (G, M))
        (r: sum(h, over: M), q: sum(h, over: (M, D)))
      }
    }`;
    const inputs = new Map([['s', scores], ['v', f32([4, 2], [1, 2, 10, 20, 100, 200, 1000, 2000])]]); // prettier-ignore
    const { ['r.weights']: r, ['q.weights']: q } = await both(text, { inputs });
    expect(r).toEqual([0.5 + 2.5, 1 + 5, 0, 0, 5, 10, 25, 50, 50, 100, 0.25, 0.5]);
    expect(q).toEqual([9, 0, 15, 75, 150, 0.75]);
  });

  test('over all targets, over sources, and over both it is dense', async () => {
    const text = `model M {
      axis T, E = 4, G = 2, M = 2
      forward(s: [T, E]) -> (all: [T], sources: [E], both: [G]) {
        let r = top_k(s, 2, over: E)
        (all: sum(r, over: E), sources: sum(r, over: T), both: sum(split(r, E: (G, M)), over: (T, M)))
      }
    }`;
    const found = await both(text, { inputs: new Map([['s', scores]]) });
    expect(found).toMatchObject({ all: [0.75, 0.75, 0.75], sources: [0.75, 0.75, 0.75, 0], both: [1.5, 0.75] });
  });
});

describe('looked up', () => {
  const routes = (index: string, more: string, type: string): string => `model M {
    axis T, E = 4, K = 3, B = 2
    forward(s: [T, E], ${more}) -> ${type} { top_k(s, 2, over: E)[${index}] }
  }`;

  test('along targets: expert e of the new order is expert p[e] of the old one, with its weight and rank', async () => {
    const inputs = new Map([['s', scores], ['p', i32([4], [3, 2, 1, 0])]]); // prettier-ignore
    const found = await both(routes('E: p', 'p: i32[E] in E', 'route[T -> E]'), { inputs });
    expect(found).toMatchObject({
      // No bound is known of indices that may repeat: as many places as there are targets.
      'output.indices': [3, 2, -1, -1, 2, 1, -1, -1, 1, 3, -1, -1],
      'output.weights': [0.5, 0.25, 0, 0, 0.5, 0.25, 0, 0, 0.5, 0.25, 0, 0],
    });
  });

  test('a repeated index is there twice, -1 is absent, and there may be fewer', async () => {
    const inputs = new Map([['s', scores], ['p', i32([3], [1, -1, 1])]]); // prettier-ignore
    const found = await both(routes('E: p', 'p: i32[K] in E', 'route[T -> K]'), { inputs });
    expect(found['output.indices']).toEqual([0, 2, -1, 0, 2, -1, -1, -1, -1]);
    expect(found['output.weights']).toEqual([0.25, 0.25, 0, 0.5, 0.5, 0, 0, 0, 0]);
  });

  test('by a permutation of each token, which argsort is known to be', async () => {
    const text = `model M {
      axis T, E = 4
      forward(s: [T, E]) -> (sorted: route[T -> E], sum: route[T -> E], ranks: i32[T, E]) {
        let r = top_k(s, 2, over: E)
        let sorted = r[E: argsort(-s, over: E)]
        let two = sorted + mask(r)
        (sorted: sorted, sum: two, ranks: dense(rank(two)))
      }
    }`;
    const found = await both(text, { inputs: new Map([['s', scores]]) });
    // Two places: the bound of the route is kept. The best expert stands first, so everybody has 0 and 1.
    expect(found['sorted.indices']).toEqual([0, 1, 0, 1, 0, 1]);
    expect(found['sorted.weights']).toEqual([0.5, 0.25, 0.5, 0.25, 0.5, 0.25]);
    expect(found['ranks']).toEqual([0, 1, 0, 0, 0, 1, 3, 0, 0, 1, 2, 0]);
  });

  test('along sources: what token o[t] chose, and its bound for each token stays', async () => {
    const inputs = new Map([['s', scores], ['o', i32([3], [2, 0, -1])]]); // prettier-ignore
    const found = await both(routes('T: o', 'o: i32[T] in T', 'route[T -> E]'), { inputs });
    expect(found['output.indices']).toEqual([2, 0, 0, 1, -1, -1]);
    expect(found['output.weights']).toEqual([0.5, 0.25, 0.5, 0.25, 0, 0]);
  });

  test('along sources by indices of several axes, which are sources then', async () => {
    const inputs = new Map([['s', scores], ['o', i32([2, 2], [2, 1, 0, 0])]]); // prettier-ignore
    const found = await both(routes('T: o', "o: i32[B, B'] in T", "route[B, B' -> E]"), { inputs });
    expect(found['output.indices']).toEqual([2, 0, 1, 2, 0, 1, 0, 1]);
  });

  test('a permutation for each of a batch: the batch is a source', async () => {
    const inputs = new Map([['s', scores], ['p', i32([2, 4], [0, 1, 2, 3, 3, 2, 1, 0])]]); // prettier-ignore
    const found = await both(routes('E: p', 'p: i32[B, E] in E', 'route[T, B -> E]'), { inputs });
    expect(found['output.indices']?.slice(0, 8)).toEqual([0, 1, -1, -1, 3, 2, -1, -1]);
  });

  test('a payload along payload; of indices that differ along payload a point cannot be present for some of it', async () => {
    const text = `model M {
      axis T, E = 4, D = 2, C = 3
      forward(s: [T, E], v: [E, D], c: i32[C] in D) -> route[T -> E] of [C] { (top_k(s, 1, over: E) * v)[D: c] }
    }`;
    const inputs = new Map([['s', scores], ['v', f32([4, 2], [1, 2, 10, 20, 100, 200, 1000, 2000])], ['c', i32([3], [1, -1, 0])]]); // prettier-ignore
    const found = await both(text, { inputs });
    expect(found['output.weights']).toEqual([1, 0, 0.5, 10, 0, 5, 100, 0, 50]);
    const mixed = text.replace('i32[C] in D', 'i32[E, D] in E').replace('[D: c]', '[E: c]').replace('of [C]', 'of [D]');
    expect(prepareText(mixed).diagnostics.map((d) => d.code)).toEqual(['MOE0454']);
  });

  test('under a carried axis, through functions, lets with types, chains and ifs', async () => {
    const text = `model M {
      axis T, E = 4, G = 2, M = 2, L = 2
      const turned = true
      fn order(r: route[E], p: i32[E] in E) -> route[E] { r[E: p] }
      fn groups(r: route[G, M]) -> route[G] { sum(r, over: M) }
      forward(s: [T, E], p: i32[T, E] in E) -> (r: route[T -> E], g: route[T -> G], c: route[T -> E]) {
        let r: route[T -> E] = if turned { order(top_k(s, 2, over: E), p) } else { top_k(s, 2, over: E) }
        let c = chain l in L carrying h: route[T -> E] = top_k(s, 2, over: E) { h[E: p] }
        (r: r, g: groups(split(r, E: (G, M))), c: c)
      }
    }`;
    const p = i32([3, 4], [1, 2, 3, 0, 0, 1, 2, 3, 3, 2, 1, 0]);
    const found = await both(text, { inputs: new Map([['s', scores], ['p', p]]) }); // prettier-ignore
    expect(found['r.indices']?.filter((i) => i >= 0)).toEqual([3, 0, 1, 2, 1, 3]);
    expect(found['g.indices']).toEqual([1, 0, 0, 1, 0, 1]);
    expect(found['c.indices']?.filter((i) => i >= 0)).toEqual([2, 3, 1, 2, 2, 0]);
  });
});

describe('the experts behind it run for what is chosen', () => {
  const model = (choice: string): string => `import { SwiGLU } from "std"
  model M {
    axis T, D = 8, F = 12, E = 8, G = 4, M = 2, H = 4, Many = 6, L = 2
    param w: [E, D]
    experts ffn[E] = SwiGLU<F>
    experts big[G] = SwiGLU<F>
    experts few[H] = SwiGLU<F>
    router gate(x: [D]) -> route[E] { top_k(softmax(w @ x, over: E), 2, over: E) }
    forward(x: [T, D], p: i32[E] in E, o: i32[T] in T, h: i32[H] in E) -> [T, D] {
      let r = gate(x)
      ${choice}
    }
  }`;
  const launches = (text: string): readonly Launch[] =>
    prepared(text).entry.inference.plan.steps.flatMap((step) => (step.kind === 'launch' ? [step] : []));

  test.each([
    ['r @ ffn(x)', '2 * T'],
    ['sum(split(r, E: (G, M)), over: M) @ big(x)', '2 * T'],
    ['r[E: argsort(w @ x, over: E)] @ ffn(x)', '2 * T'],
    ['r[E: argsort(argsort(p))] @ ffn(x)', '2 * T'],
    ['r[T: o] @ ffn(x)', '2 * T'],
    ['r[E: 2 .. 6 as H] @ few(x)', '2 * T'],
    ['r[E: p] @ ffn(x)', 'T * 8'],
    ['r[E: h] @ few(x)', 'T * 4'],
  ])('%s', async (choice) => {
    const text = model(choice);
    const matmuls = launches(text).filter(({ label }) => /^(contract|mul): std\/experts/.test(label));
    expect(matmuls.length, 'gate with up, and down').toBe(2);
    for (const { work } of matmuls) expect(work.domain).toMatch(/^rows of/);
    const run = ready(prepared(text), { sizes: new Map([['T', 5]]) });
    expect(differences(run, await onKernels(run), await onReference(run))).toEqual([]);
  });
});
