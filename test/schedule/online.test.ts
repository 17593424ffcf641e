/** Sums that go along the softmax of their weights: which, the same bits however they are cut, and the numbers at the edges. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { manifestOfClass } from '../../runtime/contract/device-class.ts';
import type { Prepared } from '../../compiler/cli/running/execution.ts';
import { printSchedule } from '../../compiler/schedule/deciding/print-schedule.ts';
import { differences, onKernels, onReference, preparedOf, ready, type Results } from '../language/support.ts';
import { webgpuCore } from '../../compiler/target.ts';
import { compiledAgain } from './compiled-again.ts';

const attention = `import { Attention } from "std"
model Attend {
  axis T, H = 2, C = 8
  forward(q: [T, H, C], k: [T, H, C], v: [T, H, C]) -> [T, H, C] { Attention(q, k, v, iota(T) >= iota(T')) }
}`;
const kinds = readFileSync(new URL('../architectures/attention-kinds.moe', import.meta.url), 'utf8');

/** A mean under a softmax: nothing but a number for each row is weighed, or for several axes at once. */
const means = `model Means {
  axis N, B, S = 3, E = 30, K = 4
  forward(x: [B, K], y: [N, S, K], z: [N, K], v: [N, E]) -> (one: [B], many: [B, E]) {
    (
      one: sum(softmax(dot(x, y, over: K), over: (N, S)) * 2, over: (N, S)),
      many: dot(softmax(tanh(x @ z), over: N), v, over: N),
    )
  }
}`;

const scheduleOf = ({ entry }: Prepared): string =>
  printSchedule(entry.inference.schedule, entry.inference.fused.graph);
const onlineIn = (prepared: Prepared): readonly string[] => scheduleOf(prepared).match(/%\d+ online [^\n]*/g) ?? [];

const bitsOf = (results: Results): Readonly<Record<string, readonly number[]>> =>
  Object.fromEntries(
    [...results].map(([name, { data }]) => [name, [...new Uint32Array(Float32Array.from(data).buffer)]]),
  );

describe('a sum of weights of a softmax', () => {
  it('is one launch where no row has room for its scores, which are not stored', () => {
    const { entry } = preparedOf(attention, { target: webgpuCore });
    const { plan } = entry.inference;
    const launches = plan.steps.filter((step) => step.kind === 'launch');
    // What queries are divided by, and all else.
    expect(launches).toHaveLength(2);
    expect(onlineIn(preparedOf(attention, { target: webgpuCore }))).toHaveLength(1);
    expect(onlineIn(preparedOf(kinds, { target: webgpuCore }))).toHaveLength(4);
  });

  it.each([
    ['weights that are returned', '(a: dot(p, v, over: N), b: p)', 'a: [B, C], b: [B, N]'],
    ['scores that something else reads', '(a: dot(p, v, over: N), b: sum(s, over: N))', 'a: [B, C], b: [B]'],
    [
      'the sum of exponentials that something else reads',
      '(a: dot(p, v, over: N), b: logsumexp(s * 2, over: N))',
      'a: [B, C], b: [B]',
    ],
  ])('is apart from %s', (_, results, types) => {
    const text = `model Apart {
      axis B, N, C = 4
      forward(q: [B, C], v: [N, C]) -> (${types}) {
        let s = q @ v
        let p = softmax(s * 2, over: N)
        ${results}
      }
    }`;
    expect(onlineIn(preparedOf(text, { target: webgpuCore }))).toHaveLength(0);
  });

  it('stays within a row that has room for it, where a text does not say otherwise', () => {
    const text = attention.replaceAll("T'", 'S').replace('axis T,', 'axis T, S = 48,').replace('k: [T, H, C], v: [T, H, C]', 'k: [S, H, C], v: [S, H, C]')
      .replace('Attention(q, k, v, iota(T) >= iota(S))', 'dot(softmax(dot(q, k, over: C), over: S), v, over: S)').replace('import { Attention } from "std"\n', ''); // prettier-ignore
    expect(onlineIn(preparedOf(text, { target: webgpuCore }))).toHaveLength(0);
    expect(scheduleOf(preparedOf(text, { target: webgpuCore }))).toContain('row (T, H)');
  });
});

describe('a sum online', () => {
  it.each([attention, kinds, means])('is read as it was printed: %#', (text) => {
    const { prepared, schedules } = compiledAgain(text, (schedule) => schedule);
    expect(schedules).toContain(scheduleOf(prepared));
    expect(prepared.manifest.hash).toBe(preparedOf(text, { target: webgpuCore }).manifest.hash);
  });

  it.each([
    ['attention', attention],
    ['all kinds', kinds],
    ['means', means],
  ])('has the same bits however many rows a workgroup has, on every class: %s', async (_, text) => {
    const sizes = new Map([['T', 37], ['B', 11], ['N', 41]]); // prettier-ignore
    const plain = preparedOf(text, { target: webgpuCore });
    const run = (prepared: Prepared): Promise<Results> =>
      onKernels(ready(prepared, { sizes: new Map([...sizes].filter(([name]) => plain.manifest.dynamic.includes(name))), seed: 3 }));
    const expected = bitsOf(await run(plain));
    for (const name of ['simd4', 'simd8'] as const)
      expect(bitsOf(await run({ ...plain, manifest: manifestOfClass(plain.manifest, name) }))).toEqual(expected);
    for (const rows of [1, 4]) {
      const { prepared } = compiledAgain(text, (schedule) =>
        schedule.replaceAll(/(\) by \([^)]+\), columns[^\n]*)/g, '$1').replaceAll(/online by 8 rows(; simd4: \d; simd8: \d)?/g, `online by ${rows} rows`),
      );
      expect(scheduleOf(prepared)).toContain(`online by ${rows} rows,`);
      expect(bitsOf(await run(prepared))).toEqual(expected);
    }
  }, 120_000); // prettier-ignore

  it('gives a row the bits that it has alone', async () => {
    const prepared = preparedOf(kinds, { target: webgpuCore });
    const at = (T: number): Promise<Results> => {
      const tensor = (name: string, shape: readonly number[], seed: number) => {
        const count = shape.reduce((a, b) => a * b, 1);
        return [name, { element: 'f32' as const, shape, data: Float64Array.from({ length: count }, (_, i) => Math.fround(Math.sin(seed + i))) }] as const;
      };
      const inputs = new Map([tensor('x', [T, 6], 1), tensor('y', [35, 6], 2), tensor('filled', [40], 3)]);
      return onKernels(ready(prepared, { inputs, seed: 5 }));
    };
    const [many, few] = [await at(21), await at(3)];
    for (const [name, { data }] of few) expect([...data]).toEqual([...(many.get(name)?.data.slice(0, data.length) ?? [])]);
  }); // prettier-ignore

  it.each([
    ['nothing counts', () => -Infinity],
    ['one score is all that counts', (i: number) => (i === 44 ? 1 : -Infinity)],
    ['scores grow from block to block', (i: number) => i * 3],
    ['scores shrink', (i: number) => -i * 3],
    ['one score is NaN', (i: number) => (i === 40 ? NaN : i)],
    ['one score is infinite', (i: number) => (i === 33 ? Infinity : i)],
  ])('is what it is by its definition where %s', async (_, score) => {
    const text = `model Edges {
      axis B, N, C = 3, A = 1
      forward(unit: [B, A], s: [N, A], v: [N, C]) -> (plain: [B, C], bare: [B, C]) {
        let z = dot(2 * unit, s, over: A)
        let e = exp(z - max(z, over: N))
        (plain: dot(softmax(dot(unit, s, over: A), over: N), v, over: N), bare: dot(e / sum(e, over: N), v, over: N))
      }
    }`;
    const prepared = preparedOf(text, { target: webgpuCore });
    expect(onlineIn(prepared)).toHaveLength(2);
    const [B, N] = [2, 45];
    const tensor = (shape: readonly number[], of: (i: number) => number) => ({
      element: 'f32' as const,
      shape,
      data: Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (__, i) => of(i)),
    });
    const inputs = new Map([['unit', tensor([B, 1], () => 1)], ['s', tensor([N, 1], score)], ['v', tensor([N, 3], (i) => Math.fround(Math.cos(i)))]]); // prettier-ignore
    const run = ready(prepared, { inputs });
    expect(differences(run, await onKernels(run), await onReference(run))).toEqual([]);
  });
});
