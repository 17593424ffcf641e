/** The tables of test/numbers on the adapter of this run: numbers are those of the language, not those of a driver. */
import { describe, expect } from 'vitest';
import { boundOfDraw } from '../../compiler/graph/error-bound.ts';
import { bitcast } from '../../compiler/kernel/make-expressions.ts';
import type { KernelExpr } from '../../compiler/kernel/kernel-ir.ts';
import type { KernelBuilder } from '../../compiler/kernel/kernel-builder.ts';
import { numberAt } from '../../compiler/kernels/draw.ts';
import { roundToF16 } from '../../compiler/kernel/math/f16.ts';
import { binaryFunctionOf, integerOf, unaryFunctionOf } from '../../compiler/schedule/emitting/scalar-functions.ts';
import { executeGpu } from '../../compiler/cli/running/execute.ts';
import { programOf, selectionOf } from '../language/not-a-number.ts';
import { onReference, type Ready, type Results } from '../language/support.ts';
import { anglePrograms, farthest, readyAngles } from '../numbers/angles.ts';
import { drawNames, drawnAt, farthestDraws, hashes, readyDraws } from '../numbers/draws.ts';
import { different, onDevice } from '../numbers/elementwise.ts';
import { f16Arguments, nearestHalf } from '../numbers/f16.ts';
import {
  binaries,
  binaryArguments,
  flushedOf,
  integerOfFloat,
  unaries,
  unaryArguments,
  wrongOf,
} from '../numbers/functions.ts';
import { differences, infiniteExpressions, infiniteRows, infiniteScores } from '../numbers/infinities.ts';
import { gpuDevice, gpuTest } from '../support/gpu-test.ts';

describe('rounding to f16', () => {
  gpuTest('every f16, every tie and what is beside it', async () => {
    const a = f16Arguments();
    expect(different(a, await onDevice(gpuDevice(), { a, make: roundToF16 }), nearestHalf)).toEqual([]);
  });
});

describe('functions of one number', () => {
  const a = unaryArguments();
  gpuTest.each(unaries)('$name', async ({ name, exact, error }) => {
    const results = await onDevice(gpuDevice(), { a, make: (k, x) => unaryFunctionOf(k, name, x) });
    const at = (i: number): number => a[i] ?? 0;
    const wrong = wrongOf(
      results,
      (i) => exact(at(i)),
      (i, y) => error(at(i), y),
      (i) => `${name}(${at(i)})`,
      (i) => flushedOf(at(i)),
    );
    expect(wrong).toEqual([]);
  });
  gpuTest('i32', async () => {
    const results = await onDevice(gpuDevice(), { a, result: 'i32', make: integerOf });
    expect(different(a, results, integerOfFloat)).toEqual([]);
  });
});

describe('functions of two numbers', () => {
  const { a, b } = binaryArguments();
  gpuTest.each(binaries)('$name', async ({ name, exact, error }) => {
    const results = await onDevice(gpuDevice(), { a, b, make: (k, x, y) => binaryFunctionOf(k, name, x, y) });
    const at = (i: number): [number, number] => [a[i] ?? 0, b[i] ?? 0];
    const wrong = wrongOf(
      results,
      (i) => exact(...at(i)),
      (i, z) => error(...at(i), z),
      (i) => `${name}(${at(i).join(', ')})`,
    );
    expect(wrong).toEqual([]);
  });
});

describe('sines and cosines of computed angles', () => {
  gpuTest.each(anglePrograms)('$name', async ({ text }) => {
    const run = readyAngles(text);
    const got = await executeGpu(run.prepared, { ...run.request, on: 'gpu' });
    expect(farthest(got, await onReference(run))).toBeLessThan(3e-7);
  });
});

describe('draws', () => {
  const a = hashes();
  gpuTest.each(drawNames)('%s', async (name) => {
    const make = (k: KernelBuilder, h: KernelExpr): KernelExpr => numberAt(k, name, k.let(bitcast('u32', h)));
    const results = await onDevice(gpuDevice(), { a, result: 'f32', make });
    const exact = (i: number): number => drawnAt(name, a[i] ?? 0);
    const show = (i: number): string => `${name} at ${(a[i] ?? 0) >>> 0}`;
    expect(wrongOf(results, exact, () => boundOfDraw(name), show)).toEqual([]);
  });
  gpuTest('of a program', async () => {
    const run = readyDraws(700);
    const got = await executeGpu(run.prepared, { ...run.request, on: 'gpu' });
    for (const [name, distance] of farthestDraws(got)) expect(distance, name).toBeLessThanOrEqual(boundOfDraw(name));
  });
});

describe('infinities', () => {
  const onGpu = ({ prepared, request }: Ready): Promise<Results> => executeGpu(prepared, { ...request, on: 'gpu' });
  gpuTest('mean what they mean in the reference', async () => {
    for (let at = 0; at < infiniteExpressions.length; at += 12) {
      const some = infiniteExpressions.slice(at, at + 12);
      const run = programOf(some, infiniteRows);
      expect(differences(some, await onGpu(run), await onReference(run))).toEqual([]);
    }
  });
  gpuTest.each(infiniteScores)('the best two by %s', async (score) => {
    const run = selectionOf(score, infiniteRows);
    const [got, wanted] = [await onGpu(run), await onReference(run)];
    const numbers = (results: Results) => [...results].map(([name, { data }]) => [name, ...Float32Array.from(data)]);
    expect(numbers(got)).toEqual(numbers(wanted));
  });
});
