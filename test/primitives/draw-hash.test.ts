/** The draw hash, number for number: a kernel has to give the same, so these values may never change. */
import { describe, expect, test } from 'vitest';
import { drawAt, drawAxes, drawKey, fold, foldAxis, hashText, mix } from '../../dsl/primitives/draw-hash.ts';
import { drawNames } from '../../dsl/types/primitive-names.ts';
import { exact } from '../../dsl/types/size.ts';
import { axis } from './support.ts';

/** The same in exact integers, as the header of draw-hash.ts words it. */
function exactMix(h: bigint): bigint {
  const u32 = (n: bigint): bigint => n & 0xffffffffn;
  h = u32((h ^ (h >> 16n)) * 0x7feb352dn);
  h = u32((h ^ (h >> 15n)) * 0x846ca68bn);
  return h ^ (h >> 16n);
}

describe('draw hash', () => {
  test('agrees with exact integer arithmetic', () => {
    for (const h of [0, 1, 2, 0x7fffffff, 0x80000000, 0xdeadbeef, 0xffffffff]) {
      expect(mix(h)).toBe(Number(exactMix(BigInt(h))));
      const v = (h * 7 + 3) >>> 0;
      const inner = exactMix((BigInt(v) + 0x9e3779b9n) & 0xffffffffn);
      expect(fold(h, v)).toBe(Number(exactMix(BigInt(h) ^ inner)));
    }
  });

  test('texts are FNV-1a over the bytes of UTF-16', () => {
    expect(hashText('')).toBe(0x811c9dc5);
    // FNV-1a of the bytes 0x61, 0x00.
    expect(hashText('a')).toBe(Math.imul(Math.imul(0x811c9dc5 ^ 0x61, 0x01000193) ^ 0, 0x01000193) >>> 0);
    expect(hashText("T'")).not.toBe(hashText('T'));
  });

  test('folds axes one by one in canonical order, from the root', () => {
    const [L, T] = [axis('L', 8), axis('T', 4)];
    const W = { ...axis('W', 2), root: { axis: L, offset: exact(3) } };
    const V = { ...axis('V', 1), root: { axis: W, offset: exact(1) } };
    expect(drawAxes([T, V]).map(({ axis, offset }) => [axis.name, offset])).toEqual([
      ['V', exact(4)],
      ['T', exact(0)],
    ]);
    expect(drawAxes([T, T])).toHaveLength(1);
    expect(foldAxis(drawKey(7, 'here'), hashText('L'), 4)).toBe(
      fold(fold(fold(mix(7), hashText('here')), hashText('L')), 4),
    );
  });

  test('gives numbers in range, at the ends of the range too', () => {
    const points = Array.from({ length: 20000 }, (_, h) => h);
    expect(points.map((h) => drawAt('uniform', h)).every((u) => u >= 0 && u < 1)).toBe(true);
    expect(points.map((h) => drawAt('normal', h)).every(Number.isFinite)).toBe(true);
    // u is at least 2^-25 and at most 1 - 2^-24.
    const gumbels = points.map((h) => drawAt('gumbel', h));
    expect(Math.min(...gumbels)).toBeGreaterThanOrEqual(-Math.log(25 * Math.LN2));
    expect(Math.max(...gumbels)).toBeLessThanOrEqual(-Math.log(-Math.log(1 - 2 ** -24)));
  });

  test('these numbers stand for ever', () => {
    expect(drawKey(1, 'forward/120')).toMatchInlineSnapshot(`1238260664`);
    expect(drawNames.map((name) => drawAt(name, 0x12345678))).toMatchInlineSnapshot(`
      [
        0.5589744448661804,
        -1.07158605923673,
        0.5418837688685213,
      ]
    `);
  });
});
