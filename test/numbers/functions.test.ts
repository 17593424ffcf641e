/** Every scalar function of the language, in the kernels' interpreter, against float64 over its whole domain and beyond. */
import { describe, expect, it } from 'vitest';
import { boundOfMap } from '../../compiler/graph/error-bound.ts';
import { LARGEST } from '../../compiler/graph/infinity.ts';
import type { MapOp } from '../../compiler/graph/graph-ir.ts';
import { mapBound, type Point } from '../../compiler/graph/scalar-bound.ts';
import { binaryFunctionOf, unaryFunctionOf } from '../../compiler/schedule/emitting/scalar-functions.ts';
import { onKernels } from './elementwise.ts';
import { binaries, binaryArguments, flushedOf, TINY, unaries, unaryArguments, wrongOf } from './functions.ts';

describe('functions of one number', () => {
  const a = unaryArguments();
  it.each(unaries)('$name', ({ name, exact, error }) => {
    const results = onKernels({ a, make: (k, x) => unaryFunctionOf(k, name, x) });
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
});

describe('the bounds that verification works with', () => {
  const a = unaryArguments();
  it.each(unaries)(
    'of $name hold what kernels compute, and are no wider than a few roundings',
    ({ name, exact, error }) => {
      const results = onKernels({ a, make: (k, x) => unaryFunctionOf(k, name, x) });
      const at = (i: number): number => a[i] ?? 0;
      const bound = (i: number): number => mapBound(name, [{ v: at(i), d: 0 }], 'f32').d;
      expect(
        wrongOf(
          results,
          (i) => exact(at(i)),
          bound,
          (i) => `${name}(${at(i)})`,
        ),
      ).toEqual([]);
      // A bound that reaches beyond the largest f32 says that nothing is known.
      const reaches = (x: number): boolean => Math.abs(exact(x)) + 2 * error(x, exact(x)) > LARGEST;
      const most = (x: number): number => (reaches(x) ? Infinity : 2 * error(x, exact(x)) + 300 * TINY);
      const wide = [...a].filter((x, i) => bound(i) > most(x));
      expect(wide.slice(0, 5)).toEqual([]);
    },
  );
  it('of a remainder is its own rounding, also by small divisors, and moves with what is uncertain', () => {
    const mod = (x: number, y: number, d = 0, e = 0) =>
      mapBound(
        'mod',
        [
          { v: x, d },
          { v: y, d: e },
        ],
        'f32',
      );
    expect(mod(12345.677734375, 0.0010000000474974513).d).toBeLessThan(1e-10);
    expect(mod(7.5, 2, 1e-6).d).toBeLessThan(1.2e-6);
    expect(mod(7.5, 2, 0, 1e-6).d).toBeGreaterThan(2.9e-6);
    expect(mod(8, 2, 1e-6).d).toBeGreaterThanOrEqual(2);
    // NaN where the divisor may be 0, the divisor itself where it is infinite and the signs differ.
    expect(mod(1, 0.25, 0, 0.25).d).toBe(Infinity);
    expect(mod(1e-9, Infinity, 1e-6).d).toBe(Infinity);
    expect(mod(1, Infinity, 1e-6)).toEqual({ v: 1, d: 1e-6 });
    expect(mod(-1, Infinity, 1e-6)).toEqual({ v: Infinity, d: 1e-6 });
    expect(mod(Infinity, 2, 0, 1e-6)).toEqual({ v: NaN, d: 0 });
    expect(mod(3.4e38, 2, 1e37).d).toBe(Infinity);
  });
  it('of infinite results are nothing where they are certain', () => {
    const d = (op: MapOp, ...args: Point[]) => mapBound(op, args, 'f32').d;
    const below = { v: -Infinity, d: 0 };
    expect(d('add', below, { v: 1, d: 1e-3 })).toBe(0);
    expect(d('div', below, { v: 1e9, d: 10 })).toBe(0);
    expect(d('mul', below, { v: 1e-9, d: 1e-6 })).toBe(Infinity);
    expect(d('exp', below)).toBe(0);
    expect(d('log', { v: 0, d: 1e-9 })).toBe(Infinity);
  });
  it('of what is not known are unbounded, whatever is made of it', () => {
    const d = (op: MapOp, element: string, ...args: Point[]) => mapBound(op, args, element).d;
    const unknown = { v: NaN, d: Infinity };
    for (const op of ['exp', 'tanh', 'abs', 'sign', 'floor'] as const) expect(d(op, 'f32', unknown)).toBe(Infinity);
    for (const element of ['f16', 'i32', 'bool']) expect(d('convert', element, unknown)).toBe(Infinity);
    expect(d('mul', 'f32', { v: 0, d: 0 }, unknown)).toBe(Infinity);
    expect(d('lt', 'bool', { v: 0, d: 0 }, unknown)).toBe(Infinity);
    expect(d('where', 'f32', { v: 1, d: 0 }, { v: 2, d: 0 }, unknown)).toBe(0);
  });
  it('of a number that may have rounded to an infinity are unbounded', () => {
    const d = (op: MapOp, ...args: Point[]) => mapBound(op, args, 'f32').d;
    const sure = (v: number): Point => ({ v, d: 0 });
    expect(d('mul', sure(1e30), sure(1e30))).toBe(Infinity);
    expect(d('add', { v: LARGEST, d: 2 ** 104 }, sure(0))).toBe(Infinity);
    expect(d('add', sure(3.4e38), sure(0))).toBeLessThan(Infinity);
    expect(mapBound('lt', [{ v: LARGEST, d: 2 ** 104 }, sure(Infinity)], 'bool')).toEqual({ v: 1, d: 1 });
    expect(mapBound('lt', [sure(LARGEST), sure(Infinity)], 'bool')).toEqual({ v: 1, d: 0 });
  });
  it('of a subnormal operand have what the function makes of 0: a driver may take it for that, in a comparison too', () => {
    const of = (op: MapOp, element: 'f32' | 'bool' | 'i32', ...args: number[]): Point =>
      boundOfMap({ op, element }, args.map((v) => ({ v, d: 0 }))); // prettier-ignore
    expect(of('ne', 'bool', -1e-38, 0)).toEqual({ v: 1, d: 1 });
    expect(of('lt', 'bool', 0, 1e-40)).toEqual({ v: 1, d: 1 });
    expect(of('convert', 'bool', 1e-40).d).toBe(1);
    expect(of('floor', 'f32', -1e-40).d).toBeGreaterThanOrEqual(1);
    expect(of('log', 'f32', 1e-40).d).toBe(Infinity);
    expect(of('div', 'f32', 1e-3, 1e-39).d).toBe(Infinity);
    expect(of('sqrt', 'f32', 1e-40).d).toBeGreaterThan(9e-21);
    // From the smallest normal number on nothing is flushed, and 0 is 0.
    expect(of('ne', 'bool', 2 ** -126, 0)).toEqual({ v: 1, d: 0 });
    expect(of('ne', 'bool', 0, 0)).toEqual({ v: 0, d: 0 });
    expect(of('add', 'f32', 1, 1e-40).d).toBeLessThan(1e-7);
  });
  it('of a quotient of whole numbers has the dividend where the divisor is 0', () => {
    const quotient = (a: number, b: number) => mapBound('div', [{ v: a, d: 0 }, { v: b, d: 0 }], 'i32'); // prettier-ignore
    for (const [a, b, v] of [
      [7, 0, 7],
      [-3, 0, -3],
      [0, 0, 0],
      [-7, 2, -4],
      [-(2 ** 31), -1, -(2 ** 31)],
    ] as const)
      expect(quotient(a, b)).toEqual({ v, d: 0 });
  });
  it('of a whole number are nothing where its fraction is dropped whatever it is', () => {
    const whole = (v: number, d: number) => mapBound('convert', [{ v, d }], 'i32');
    expect(whole(2.5, 0.25)).toEqual({ v: 2, d: 0 });
    expect(whole(2.9, 0.25)).toEqual({ v: 2, d: 1 });
    expect(whole(3e9, 1e3)).toEqual({ v: 2 ** 31 - 1, d: 0 });
  });
});

describe('functions of two numbers', () => {
  const { a, b } = binaryArguments();
  it.each(binaries)('$name', ({ name, exact, error }) => {
    const results = onKernels({ a, b, make: (k, x, y) => binaryFunctionOf(k, name, x, y) });
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
