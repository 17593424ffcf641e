/**
 * What a route knows by construction is not scanned for: the work of selections as formulas, as `moec explain kernels` prints it.
 * Rounds are those of the innermost loops over all threads, at most.
 */
import { expect, it } from 'vitest';
import { asNumber, substitute, type Size } from '../../dsl/types/size.ts';
import type { Launch } from '../../compiler/schedule/memory/plan.ts';
import { examine } from '../fuzz/examine.ts';
import { comparisonOf } from '../../compiler/cli/running/comparisons.ts';
import { stepwiseOnKernels } from '../../compiler/cli/running/stepwise.ts';
import { differences, onKernels, onReference, prepareText, ready } from '../language/support.ts';
import { routedLayer } from './programs.ts';

function launchesOf(text: string): readonly Launch[] {
  const { prepared, diagnostics } = prepareText(text);
  if (prepared === null) throw new Error(diagnostics.map((d) => d.message).join('; '));
  return prepared.entry.inference.plan.steps.flatMap((step) => (step.kind === 'launch' ? [step] : []));
}

/** Rounds of all launches together. */
function roundsOf(launches: readonly Pick<Launch, 'work'>[], sizes: Readonly<Record<string, number>>): number {
  const number = (size: Size): number => asNumber(substitute(size, new Map(Object.entries(sizes)))) ?? NaN;
  return launches.reduce((sum, { work }) => sum + number(work.tripCount), 0);
}

const sampler = (pick: string, points: number): string => `model Sampler {
  axis B, V = ${points}
  forward(logits: [B, V]) -> i32[B] { argmax(log(dense(${pick})) + gumbel[B, V], over: V) }
}`;

it.each([
  ['top_k', 'softmax(top_k(logits, 50, over: V), over: V)', 50, 2],
  ['top_p', 'top_p(softmax(logits, over: V), 0.9, over: V, at_most: 64)', 64, 5],
])('%s of a vocabulary takes passes over it, and what is chosen for each of its points', (_, pick, most, others) => {
  const of = (points: number): number => roundsOf(launchesOf(sampler(pick, points)), { B: 1 });
  const [one, two] = [of(75_968), of(151_936)];
  // A point more costs ten passes that find what is chosen, a mask that asks each point whether it is, and what else goes over all:
  // the draw's greatest, and what is dense of the route; the three passes of the softmax before top_p.
  expect(two - one).toBeLessThanOrEqual(75_968 * (10 + most + others));
  // What does not depend on how many points there are is less than one of those passes.
  expect(2 * one - two).toBeLessThan(75_968);
});

it('what is summed over a route costs what was chosen, however many there are to choose from', () => {
  const of = (points: number): readonly Launch[] =>
    launchesOf(`model Weights {
      axis T, E = ${points}
      forward(s: [T, E], v: [E]) -> [T] { softmax(top_k(s, 4, over: E), over: E) @ v }
    }`);
  // A row of a token: what may be chosen is looked at once, and five times for what is; the sums take four rounds each.
  const [few, many] = [of(64), of(128)];
  expect(few.length).toBe(1);
  expect(roundsOf(many, { T: 5 }) - roundsOf(few, { T: 5 })).toBe(5 * 64 * 6);
  expect(roundsOf(few, { T: 5 }) - 5 * 64 * 6, 'beside that').toBeLessThanOrEqual(5 * 5 * 4);
});

/** A layer of 64 experts, of which 4 are chosen. */
const layer = (features: number, hidden: number): string => routedLayer(features, hidden, 64, 4);

it('a routed layer lists its assignments once, by expert', () => {
  const launches = launchesOf(layer(64, 128));
  const made = launches.filter(({ label }) => label.includes('assignments'));
  expect(made.length, 'the list, and its blocks of rows').toBe(1);
  // Slots are counted and sorted, and one of sixteen begins a block; whoever was not chosen is not looked at.
  expect(roundsOf(made, { T: 2000 }) - roundsOf(made, { T: 1000 })).toBe(1000 * 4 * 2 + 250);
  const combine = launches.filter(({ work }) => work.domain === 'T × D');
  // A thread does four columns.
  expect(roundsOf(combine, { T: 5 })).toBe((5 * 64 * 4) / 4);
});

/** A layer whose experts are said from outside, one for each token. */
const pickedLayer = (experts: number): string => `import { SwiGLU } from "std"
model Picked {
  axis T, D = 64, F = 64, E = ${experts}
  experts ffn[E] = SwiGLU<F>
  forward(x: [T, D], ids: i32[T]) -> [T, D] { pick(ids, over: E) @ ffn(x) }
}`;

it('what an index names is listed once, and nobody looks at other experts', () => {
  const of = (experts: number): readonly Launch[] => launchesOf(pickedLayer(experts));
  expect(of(8).map(({ label }) => label.replace(/:.*/, ''))).toEqual([
    expect.stringMatching(/^check/),
    expect.stringMatching(/^assignments/),
    'mul',
    'contract',
    'reduce',
  ]);
  // Each index is counted and sorted, and one row of sixteen begins a block: of a token more, however many experts there are.
  const more = (experts: number): number => {
    const lists = of(experts).filter(({ label }) => label.includes('assignments'));
    return roundsOf(lists, { T: 2000 }) - roundsOf(lists, { T: 1000 });
  };
  expect([8, 32].map(more)).toEqual([1000 * 2 + Math.floor(1000 / 16) + 1, 1000 * 2 + Math.floor(1000 / 16) + 1]);
});

it('an index that names an expert, or none, means what it means; one outside stops the run', async () => {
  const { prepared } = prepareText(pickedLayer(3));
  if (prepared === null) throw new Error('it does not compile');
  const of = (ids: readonly number[]) => {
    const tensor = { element: 'i32', shape: [ids.length], data: Float64Array.from(ids) } as const;
    return ready(prepared, { sizes: new Map([['T', ids.length]]), inputs: new Map([['ids', tensor]]) });
  };
  const run = of([2, -1, 0, 0, -1, 1]);
  expect(differences(run, await onKernels(run), await onReference(run))).toEqual([]);
  expect(comparisonOf(run, await stepwiseOnKernels(run), null).firstWrong).toBe(null);
  await expect(onKernels(of([0, 3]))).rejects.toThrow(/MOE0721|outside/);
});

it('where rows need not be grouped, nothing is listed', () => {
  const launches = launchesOf(layer(16, 32));
  expect(launches.filter(({ label }) => label.startsWith('assignments'))).toEqual([]);
  const experts = launches.filter(({ work }) => work.domain === 'rows of (E, T) × F');
  // A thread has two columns of each of two matrices.
  expect(roundsOf(experts, { T: 5 })).toBe(5 * 4 * (32 / 2) * 16);
});

/** Product keys (PEER): a row and a column of a square of experts are chosen, then pairs of them. */
const productKeys = (side: number, most: number): string => `model Peer {
  axis T, D = 4, R = ${side}, C = ${side}, N = ${side * side}, H = 2
  param rows: [H, R, D], columns: [H, C, D], down: [N, D], up: [N, D]
  forward(x: [T, D]) -> [T, D] {
    let s = dot(rows, x, over: D)
    let z = dot(columns, x, over: D)
    let best = top_k(s + z, ${most}, over: (R, C), where: mask(top_k(s, ${most}, over: R) * top_k(z, ${most}, over: C)))
    let r = softmax(merge(best, (R, C): N), over: N)
    sum(r @ (relu(down @ x) * up), over: H)
  }
}`;

it('a choice among what was chosen goes over that alone', () => {
  const of = (side: number): number => roundsOf(launchesOf(productKeys(side, 3)), { T: 5 });
  // Scores and what is chosen of a side take more rounds for a longer one; what is chosen of pairs does not: there are nine, however many
  // there could be.
  expect(of(40) - of(28)).toBe(of(28) - of(16));
  expect(of(128)).toBeLessThan((5 * 2 * 128 * 128) / 4);
});

/**
 * As published: queries, a million neurons, 16 of them at each of 8 heads. What of it is not queries, scores and neurons is what choosing
 * takes: ten rounds over the keys of a row and of a column.
 */
const peer = (side: number, features: number): string => `model Peer {
  axis T, D = ${features}, R = ${side}, C = ${side}, N = ${side * side}, H = 8, Q = 128
  param query: [H, Q, D], rows: [H, R, Q], columns: [H, C, Q], down: [N, D], up: [N, D]
  forward(x: [T, D]) -> [T, D] {
    let q = query @ x
    let s = dot(rows, q, over: Q)
    let z = dot(columns, q, over: Q)
    let best = top_k(s + z, 16, over: (R, C), where: mask(top_k(s, 16, over: R) * top_k(z, 16, over: C)))
    let r = softmax(merge(best, (R, C): N), over: N)
    sum(r @ (relu(down @ x) * up), over: H)
  }
}`;

it('a route over a million targets costs what its choices cost', () => {
  const sizes = new Map([['T', 64]]);
  const number = (size: Size): number => asNumber(substitute(size, sizes)) ?? NaN;
  const [features, side] = [32, 1000];
  const launches = launchesOf(peer(side, features));
  const flops = launches.reduce((sum, { work }) => sum + number(work.flops), 0);
  // Products and sums: of queries, of scores, and of the two vectors of each chosen neuron.
  const needed = 64 * 8 * (2 * 128 * features + 2 * 2 * side * 128 + 16 * 2 * 2 * features);
  expect(flops).toBeLessThan(1.1 * needed);
  expect(roundsOf(launches, { T: 64 })).toBeLessThan(2 * needed);
  // Nothing is computed at every neuron, and nothing has memory there but what the layer was given: scores of a side, whether they are
  // numbers, and what is chosen of them.
  for (const { work, label } of launches)
    expect(number(work.points), label).toBeLessThan(64 * 8 * (2 * side + 8 * 16) + 1);
  expect(launches.reduce((sum, { work }) => sum + number(work.bytes), 0)).toBeLessThan(3 * 4 * side * side * features);
});

it('... however many targets there are', () => {
  const of = (side: number): readonly number[] =>
    launchesOf(peer(side, 8))
      .slice(-4)
      .map(({ work }) => roundsOf([{ work }], { T: 3 }));
  expect(of(32)).toEqual(of(64));
});

it.each([
  ['normal', { kind: 'agreed' }],
  ['ties', { kind: 'agreed' }],
  // With a NaN among the scores both tell of it.
  ['edges', { kind: 'stopped', code: 'MOE0720' }],
] as const)('product keys mean what they mean, on values with %s', async (profile, outcome) => {
  const given = { text: productKeys(5, 3), sizes: new Map([['T', 4]]), profile, seed: 5 };
  expect(await examine(given, { on: 'kernels' })).toMatchObject(outcome);
});

/** An expert for each of what a selection chooses. */
const weights = (selection: string): string => `model Weights {
  axis T, E = 24, G = 4, M = 6, D = 3, F = 2
  param w: [E, D, F], on: [G]
  forward(s: [T, E], x: [T, F]) -> [T, D] { softmax(${selection}, over: E) @ gelu(w @ x) }
}`;

it.each([
  ['pairs of choices, merged', productKeys(5, 3)],
  ['slots that a run leaves empty', weights('top_k(softmax(s, over: E), 3, over: E, where: s > 0.3)')],
  ['slots up to a sum', weights('top_p(softmax(s, over: E), 0.6, over: E, at_most: 4)')],
  ['split targets', weights('merge(keep(split(top_k(s, 3, over: E), E: (G, M)), on > 0.5), (G, M): E)')],
])('what stands on slots is verified launch by launch: %s', async (_, text) => {
  const { prepared, diagnostics } = prepareText(text);
  if (prepared === null) throw new Error(diagnostics.map((d) => d.message).join('; '));
  expect(prepared.entry.inference.schedule.assignmentLists.some(({ form }) => form.kind === 'slots')).toBe(true);
  const given = ready(prepared, { sizes: new Map([['T', 5]]) });
  expect(comparisonOf(given, await stepwiseOnKernels(given), null)).toMatchObject({
    status: 'verified',
    firstWrong: null,
  });
});

it('a value that a kernel is written from has memory, also where nothing depends on it in the end', () => {
  const text = `model Loaded {
    axis D = 1, L = 2
    state s: [D] = 0
    param p: [L, D]
    forward() -> [D] {
      let r = normalize(top_k(softmax(p @ s, over: L), 1, over: L))
      dot(r, where(r, p, r @ (p + f32(argmax(1 - p, over: D)))), over: L)
    }
  }`;
  expect(launchesOf(text).length).toBeGreaterThan(0);
});
