/**
 * Every example of the repository, compiled once at small sizes. It is run by the kernels on the CPU and compared launch by launch:
 * numbers of each result are compared, at least 95 of 100 in all, and none is off.
 *
 * And what plans state of their work is counted: every launch of every example runs with counters in its kernel, and does no more float
 * operations, rounds and points than its plan says, as `moec explain kernels` prints it. What is stated is no guess either: where
 * nothing in memory has a say it is what is done, to the last operation; a row that is there costs what is stated for one; and what
 * is added up from a list costs in proportion to the rows in it.
 */
import { at } from '../../dsl/diagnostics/invariants.ts';
import { afterAll, describe, expect, it } from 'vitest';
import { comparisonOf } from '../../compiler/cli/running/comparisons.ts';
import { functionOf } from '../../compiler/cli/running/host-function.ts';
import { executableOf, hostMemory } from '../../compiler/cli/running/host-memory.ts';
import { planOf } from '../../compiler/cli/running/prepare.ts';
import { stepwiseOnKernels } from '../../compiler/cli/running/stepwise.ts';
import { widthOf } from '../../compiler/kernel/kernel-typing.ts';
import type { Kernel, KernelStmt } from '../../compiler/kernel/kernel-ir.ts';
import type { WorkCounted } from '../../compiler/schedule/executing/count-work.ts';
import type { Launch, Plan } from '../../compiler/schedule/memory/plan.ts';
import { Simulator } from '../../compiler/schedule/executing/simulate.ts';
import { asNumber, substitute, type Size } from '../../dsl/types/size.ts';
import { prepareText, ready, type Ready } from '../language/support.ts';
import { overExamples } from '../support/sweeps.ts';
import { exampleNames, hasHost, smallExample } from './small.ts';

/** Launches of each family that were held to exactly what is stated. */
const exact = new Map<string, number>();

/** Elements that one thread stores at most, a loop run once. */
function storesOf(body: readonly KernelStmt[]): number {
  return body.reduce((sum, s) => {
    if (s.kind === 'if') return sum + Math.max(storesOf(s.then), storesOf(s.else));
    return sum + (s.kind === 'for' ? storesOf(s.body) : s.kind === 'store' ? widthOf(s.value.type) : 0);
  }, 0);
}

interface Seen {
  readonly kernel: Kernel;
  readonly launch: Launch;
  readonly plan: Plan;
  readonly counted: WorkCounted;
  readonly sizes: ReadonlyMap<string, number>;
}

function mistakesOf({ kernel, launch, plan, counted, sizes }: Seen): readonly string[] {
  const number = (size: Size): number => asNumber(substitute(size, sizes)) ?? NaN;
  const flops = number(launch.work.flops);
  const rounds = number(launch.work.tripCount);
  const points = number(launch.work.points);
  const wrong: string[] = [];
  const holds = (truth: boolean, what: string): void => {
    if (!truth) wrong.push(`${kernel.name}, ${launch.label}: ${what}; counted ${JSON.stringify(counted)}, stated ${flops} flops, ${rounds} rounds, ${points} points`); // prettier-ignore
  };
  const bytes = launch.buffers.reduce((sum, b) => sum + 4 * number(at(plan.buffers, b, 'test: buffer').elements), 0);
  holds(number(launch.work.bytes) === bytes, `its buffers have ${bytes} bytes`);
  holds(counted.flops <= flops, 'more flops than stated');
  holds(counted.rounds <= rounds, 'more rounds than stated');
  if (kernel.name.startsWith('compact_')) {
    holds(counted.flops === flops, 'flops');
    // Each position is asked once; then once more, for the offset of the key it is before.
    if (kernel.name === 'compact_count') holds(counted.rounds === points && rounds === points, 'rounds are positions');
    if (kernel.name === 'compact_fill') holds(counted.rounds >= points, 'every position is asked');
    if (kernel.name === 'compact_scan') holds(counted.rounds === rounds, 'rounds');
    return wrong;
  }
  if (kernel.name.startsWith('check')) {
    // It looks at points and stores none; those that nobody needs, or at which nothing is wrong, are passed over.
    holds(counted.stores === 0, 'a check stores something');
    return wrong;
  }
  holds(counted.stores <= points, 'more points than stated');
  // The threads look at the rows that there are; stated are as many as there can be.
  if (kernel.name === 'row_blocks') return wrong;
  const dense = !launch.work.domain.includes('rows of');
  if (dense) holds(counted.stores === points, 'fewer points than stated');
  // Launches side by side are of several families.
  const families = kernel.name.split('_and_');
  const listed = families.some((family) => family.endsWith('_listed'));
  const tiled = families.every((family) => ['matmul', 'grouped_matmul'].includes(family));
  // A condition other than a row's being there: a mask, or the edge of a tile.
  if (counted.passed > 0 && !tiled) return wrong;
  if (counted.absent + counted.passed === 0 && !(listed && counted.rounds < rounds)) {
    exact.set(kernel.name, (exact.get(kernel.name) ?? 0) + 1);
    holds(counted.flops === flops, 'flops are not those stated');
    holds(counted.rounds === rounds, 'rounds are not those stated');
  } else if (listed) {
    holds(counted.flops * rounds >= flops * counted.rounds, 'a row of the list costs less than stated');
  } else {
    const all = Math.max(points, number(launch.invocations) * storesOf(kernel.body));
    holds(counted.flops * all >= flops * counted.stores, 'a point costs less than stated');
  }
  return wrong;
}

async function mistakesIn(given: Ready): Promise<readonly string[]> {
  const { prepared, request } = given;
  const { plan } = planOf(given);
  const memory = await hostMemory(prepared, request);
  const { sizes } = memory;
  const { counts } = await new Simulator(executableOf(prepared, request), { counts: true }).run({
    ...memory,
    asked: new Set(),
    seed: 1,
    extern: (name) => functionOf(request.externs ?? new Map(), name),
  });
  return plan.steps.flatMap((launch, i) => {
    const kernel = launch.kind === 'launch' ? plan.kernels[launch.kernel] : undefined;
    const counted = counts[i] ?? null;
    if (launch.kind === 'extern' || kernel === undefined || counted === null) return [];
    return mistakesOf({ kernel, launch, plan, counted, sizes });
  });
}

/** What was compared in each example, for who asks for this file alone. */
const lines: string[] = [];
afterAll(() => console.log(lines.join('\n')));

const sweep = overExamples(exampleNames, (name) => [name]);

describe.each(exampleNames)('%s', (name) => {
  const claim = sweep.testOf(name);
  let kept: Promise<Ready> | null = null;
  const example = (): Promise<Ready> => (kept ??= smallExample(name));
  afterAll(() => void (kept = null));

  claim('computes, launch by launch, what follows from the values it had', { timeout: 120_000 }, async () => {
    const given = await example();
    const verdict = comparisonOf(given, await stepwiseOnKernels(given), null);
    const { compared, undecided, left } = verdict.launches;
    lines.push(`${name.padEnd(28)} ${String(compared).padStart(8)} compared, ${undecided} undecided, ${left} left f32`);
    expect(verdict.firstWrong).toBe(null);
    expect(compared).toBeGreaterThanOrEqual(0.95 * (compared + undecided + left));
    for (const tensor of verdict.tensors) {
      const isHosts = tensor.reason?.startsWith('nothing was compared: it is the host') === true && hasHost(name);
      const count = tensor.shape.reduce((n, k) => n * k, 1);
      if (!isHosts && count > 0) expect(tensor.compared, `${name}: ${tensor.name}`).toBeGreaterThan(0);
    }
  });

  claim('does the work that is stated', { timeout: 60_000 }, async () => {
    expect(await mistakesIn(await example())).toEqual([]);
  });
});

it.each([
  // Parts that cost differently, told apart by the number of the thread; too many for a row to hold.
  ['concat', 'axis A = 5000, B = 4, C = 5004\n  forward(x: [A], y: [B]) -> [C] { concat(exp(x), y + 1, (A, B): C) }'],
  // Terms that fill no block of 32 where an axis ends: they are counted.
  ['sum', 'axis T, U, A = 3\n  forward(x: [T, U, A]) -> [T] { sum(x * x, over: (U, A)) }'],
  ['sum of hundreds', 'axis T, U = 700, A = 5\n  forward(x: [T, U, A]) -> [T] { sum(x, over: (U, A)) }'],
  ['cumsum', 'axis T, U = 40\n  forward(x: [T, U]) -> [T, U] { cumsum(x, over: U) }'],
])('%s', async (name, body) => {
  const { prepared, diagnostics } = prepareText(`model M {\n  ${body}\n}\n`);
  if (prepared === null) throw new Error(diagnostics.map((d) => d.message).join('; '));
  const before = [...exact.values()].reduce((a, b) => a + b, 0);
  const given = ready(prepared, { sizes: new Map(prepared.manifest.dynamic.map((axis) => [axis, 21] as const)) });
  expect(await mistakesIn(given)).toEqual([]);
  const after = [...exact.values()].reduce((a, b) => a + b, 0);
  const launches = planOf(given).plan.steps.length;
  expect(after - before, name).toBe(launches);
});

/** Routes whose points are named: what stands on slots, and what is summed along them, by the slots of a pair of choices and merged ones. */
it.each([
  [
    'product keys',
    `axis T, D = 4, Q = 3, R = 9, C = 9, N = 81, H = 2
  param query: [H, Q, D], rows: [H, R, Q], columns: [H, C, Q], down: [N, D], up: [N, D]
  forward(x: [T, D]) -> [T, D] {
    let q = query @ x
    let s = dot(rows, q, over: Q)
    let z = dot(columns, q, over: Q)
    let best = top_k(s + z, 3, over: (R, C), where: mask(top_k(s, 3, over: R) * top_k(z, 3, over: C)))
    let r = softmax(merge(best, (R, C): N), over: N)
    sum(r @ (relu(down @ x) * up), over: H)
  }`,
  ],
  [
    'a softmax over what is chosen',
    'axis T, E = 40, F = 5\n  forward(s: [T, E], v: [E, F]) -> [T, F] { softmax(top_k(s, 4, over: E), over: E) @ v }',
  ],
])('%s: counted and stated', async (_, body) => {
  const { prepared, diagnostics } = prepareText(`model M {\n  ${body}\n}\n`);
  if (prepared === null) throw new Error(diagnostics.map((d) => d.message).join('; '));
  expect(await mistakesIn(ready(prepared, { sizes: new Map([['T', 7]]) }))).toEqual([]);
});

it('some launches of each family are held to exactly what is stated, where memory does not say into how many blocks rows fall', () => {
  console.log([...exact].map(([family, n]) => `${family.padEnd(24)} ${n} exact`).join('\n'));
  const families = ['map', 'contract', 'matmul', 'reduce_sum', 'reduce_sum_listed', 'scan'];
  for (const family of families) expect(exact.get(family) ?? 0, family).toBeGreaterThan(0);
});
