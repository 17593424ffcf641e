/** Size formulas: exact where they can be, refused where they make no size. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SizeOp } from '../../runtime/contract/exact.ts';
import type { SizeFormula } from '../../runtime/contract/manifest.ts';
import {
  elementCount,
  evaluateCount,
  evaluateNumber,
  evaluateShape,
  evaluateWord,
} from '../../runtime/contract/sizes.ts';

const sizes = new Map([
  ['T', 7],
  ['B', 0],
]);
const op = (name: SizeOp, ...args: readonly SizeFormula[]): SizeFormula => ({ op: name, args });
const rational = (numerator: number, denominator: number): SizeFormula => ({
  numerator: String(numerator),
  denominator: String(denominator),
});
const count = (formula: SizeFormula): number => evaluateCount(formula, sizes, 'it');

describe('counts', () => {
  it.each<[string, SizeFormula, number]>([
    ['a number', 5, 5],
    ['an axis', 'T', 7],
    ['ceil(T / 4)', op('ceil', op('div', 'T', 4)), 2],
    ['floor(-T / 4) + 3', op('add', op('floor', op('div', op('mul', -1, 'T'), 4)), 3), 1],
    ['floored remainder', op('mod', op('sub', 0, 'T'), 4), 1],
    ['remainder by a negative', op('add', op('mod', 'T', -4), 1), 0],
    ['0.29 * 100 is 29', op('floor', op('mul', rational(29, 100), 100)), 29],
    ['2 ** 10', op('pow', 2, 10), 1024],
    ['T * 2 ** -1, rounded up', op('ceil', op('mul', 'T', op('pow', 2, -1))), 4],
    ['min', op('min', 'T', 3, 9), 3],
    ['max', op('max', 'B', rational(5, 1)), 5],
    ['abs and sign', op('mul', op('abs', -3), op('sign', 4)), 3],
    ['floor of an inexact number', op('floor', op('sqrt', 50)), 7],
    ['floor of a given real', op('floor', { real: 2.9 }), 2],
    ['nothing', 'B', 0],
  ])('%s', (_, formula, expected) => expect(count(formula)).toBe(expected));

  it.each<[string, SizeFormula]>([
    ['a fraction', op('div', 'T', 2)],
    ['a negative', op('sub', 'B', 1)],
    ['an inexact number, even if whole', op('sqrt', 49)],
    ['division by zero', op('div', 'T', 'B')],
    ['remainder by zero', op('mod', 'T', 'B')],
    ['an axis that is not known', 'X'],
    ['more than 2^53', op('pow', 2, 60)],
    ['a huge power', op('pow', 'T', 1e9)],
    ['not a number', op('floor', op('log', -1))],
    ['nothing to add', op('add')],
  ])('refuses %s', (_, formula) => expect(() => count(formula)).toThrow(/MOE0715/));

  it('refuses a formula without end', () => {
    let deep: SizeFormula = 1;
    for (let i = 0; i < 10_000; i++) deep = op('add', deep, 1);
    expect(() => count(deep)).toThrow(/nested/);
  });

  it('agree with arithmetic on whole numbers', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e6 }), fc.integer({ min: 1, max: 1e6 }), (a, b) => {
        const known = new Map([['A', a]]);
        const at = (formula: SizeFormula): number => evaluateCount(formula, known, 'it');
        expect(at(op('floor', op('div', 'A', b)))).toBe(Math.floor(a / b));
        expect(at(op('ceil', op('div', 'A', b)))).toBe(Math.ceil(a / b));
        expect(at(op('mod', 'A', b))).toBe(a % b);
        expect(at(op('mul', op('div', 'A', b), b))).toBe(a);
      }),
    );
  });
});

describe('numbers', () => {
  it('are the nearest doubles', () => {
    expect(evaluateNumber(rational(1, 3), sizes)).toBe(1 / 3);
    expect(evaluateNumber(op('div', -1, 'T'), sizes)).toBe(-1 / 7);
    expect(evaluateNumber({ numerator: '1', denominator: `1${'0'.repeat(30)}` }, sizes)).toBe(1e-30);
    expect(evaluateNumber({ numerator: `1${'0'.repeat(30)}`, denominator: '3' }, sizes)).toBe(1e30 / 3);
    expect(evaluateNumber(op('exp', 1), sizes)).toBe(Math.E);
    expect(evaluateNumber(2.5, sizes)).toBe(2.5);
  });

  it('of 32 bits are checked', () => {
    expect(evaluateWord(-1, sizes, true, 'it')).toBe(-1);
    expect(evaluateWord(op('sub', 0, 'T'), sizes, true, 'it')).toBe(-7);
    expect(evaluateWord(op('pow', 2, 31), sizes, false, 'it')).toBe(2 ** 31);
    expect(() => evaluateWord(op('sub', 0, 'T'), sizes, false, 'it')).toThrow(/MOE0715/);
    expect(() => evaluateWord(op('pow', 2, 31), sizes, true, 'it')).toThrow(/MOE0715/);
    expect(() => evaluateWord(rational(1, 2), sizes, true, 'it')).toThrow(/1\/2/);
  });
});

describe('shapes', () => {
  it('have exact products', () => {
    expect(elementCount([])).toBe(1);
    expect(elementCount([65536, 65536])).toBe(2 ** 32);
    expect(() => elementCount([2 ** 30, 2 ** 30])).toThrow(/too large/);
    expect(
      evaluateShape(
        [
          { name: 'T', size: 'T' },
          { name: 'P', size: op('mul', 'T', 2) },
        ],
        sizes,
      ),
    ).toEqual([7, 14]);
  });
});
