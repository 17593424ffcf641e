/** What a comparison is: good only with numbers compared and tight bounds, else wrong or not verified, with a reason and a place. */
import { expect, it } from 'vitest';
import type { NamedTensor } from '../../compiler/cli/running/execution.ts';
import { compareResults } from '../../compiler/cli/running/compare.ts';
import { stepwiseOnKernels } from '../../compiler/cli/running/stepwise.ts';
import { comparisonOf } from '../../compiler/cli/running/comparisons.ts';
import { Tallying } from '../../compiler/verify/tally.ts';
import { onReference, prepareText, ready, type Given } from '../language/support.ts';

type Numbers = readonly number[];
const f32 = (...data: Numbers) => ({ element: 'f32' as const, shape: [data.length], data: Float32Array.from(data) });
const i32 = (...data: Numbers) => ({ element: 'i32' as const, shape: [data.length], data: Int32Array.from(data) });

async function outcome(body: string, given: Given) {
  const { prepared, diagnostics } = prepareText(`model Case {\n  axis T, V = 5\n${body}\n}\n`, { name: 'model.moe' });
  if (prepared === null) throw new Error(diagnostics.map((d) => d.message).join('; '));
  const run = ready(prepared, given);
  const stepwise = await stepwiseOnKernels(run);
  return comparisonOf(run, stepwise, compareResults(run, stepwise.results, await onReference(run)));
}

it('a value that leaves f32 is told as such, with its place', async () => {
  const told = await outcome('  forward(x: [T]) -> [T] { log(2 * (x * x)) }', {
    inputs: new Map([['x', f32(1e30, 1)]]),
  });
  expect(told).toMatchObject({ status: 'not verified', firstWrong: null });
  expect(told.unverified).toMatchObject([{ place: 'model.moe:3:28', reason: '1 numbers left the range of f32' }]);
});

it('what is made of an undecided integer is undecided, and the rest is compared', async () => {
  const told = await outcome(
    '  forward(x: [T], v: [V]) -> (a: i32[T], c: [T]) {\n    let i = i32(floor(x * 10))\n    (a: i % 3, c: v[V: i % V])\n  }',
    { inputs: new Map([['x', f32(0.699999988079071, 0.25)], ['v', f32(1, 2, 3, 4, 5)]]) }, // prettier-ignore
  );
  expect(told.status).toBe('verified');
  for (const t of told.tensors) expect(t).toMatchObject({ compared: 1, undecided: 1 });
});

it('a tensor of which nothing was compared is not verified', async () => {
  const told = await outcome('  forward(x: [T]) -> i32[T] { i32(floor(x * 10)) }', {
    inputs: new Map([['x', f32(0.699999988079071)]]),
  });
  expect(told.status).toBe('not verified');
  expect(told.tensors).toMatchObject([{ compared: 0, undecided: 1, status: 'not verified' }]);
});

it('a run without a number is not verified', async () => {
  const told = await outcome('  forward(x: [T]) -> [T] { x + 1 }', { inputs: new Map([['x', f32()]]) });
  expect(told.status).toBe('not verified');
});

it('the bound of a look-up along the axis of its indices has the error of what is looked up', async () => {
  const told = await outcome(
    '  forward(x: [T], p: i32[T] in T) -> [T] { exp(x * 3)[T: p] + exp(x)[T: argsort(x, over: T)] }',
    {
      inputs: new Map<string, NamedTensor>([['x', f32(1.1, 2.3, 0.7, 3.9)], ['p', i32(3, 0, 2, 1)]]), // prettier-ignore
    },
  );
  expect(told.status).toBe('verified');
  const [output] = told.tensors;
  expect(output?.endToEnd).toMatchObject({ passed: true, compared: 4 });
  expect(output?.endToEnd?.bound).toBeGreaterThan(1e-3);
});

it('bounds as large as a value do not verify it', () => {
  const tallying = new Tallying('f32');
  tallying.compare(1, 1.5, 0.9, false, () => [0]);
  expect(tallying.tally).toMatchObject({ compared: 1, wrong: 0 });
  expect(tallying.tally.looseness).toBeCloseTo(0.6, 6);
});

it('what a launch did not write is off, whatever it should have been', () => {
  const tallying = new Tallying('f32');
  tallying.compare(NaN, NaN, 0, true, () => [0]);
  expect(tallying.tally).toMatchObject({ compared: 1, wrong: 1 });
});
