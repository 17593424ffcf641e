/** What callers give and what it becomes: words of every element type, sizes that follow or do not, buffers of the GPU, faults as text. */
import { describe, expect, it } from 'vitest';
import { layOut } from '../../runtime/contract/buffer-layout.ts';
import { f16Table } from '../../runtime/contract/elements.ts';
import { faultsOf, NO_FAULT } from '../../runtime/contract/faults.ts';
import type { AxisSpec, ManifestElement } from '../../runtime/contract/manifest.ts';
import { bindSizes, type DeclaredTensor, readInput, toWords } from '../../runtime/contract/tensors.ts';
import { manifest } from './sample-model.ts';

const tensor = (
  element: ManifestElement,
  axes: readonly AxisSpec[],
  within: AxisSpec | null = null,
): DeclaredTensor => ({
  name: 'x',
  element,
  axes,
  within,
});
const T: AxisSpec = { name: 'T', size: 'T' };
const S: AxisSpec = { name: 'S', size: 'S' };

describe('words', () => {
  it('of f16 are rounded numbers, or the bits that were given', () => {
    const x = tensor('f16', [T]);
    expect([...toWords(x, [1 + 2 ** -12, 65519, -0.5], null)]).toEqual([1, 65504, -0.5]);
    const bits = Uint16Array.of(0x3c00, 0xc000, 0x7c00, 1);
    expect([...toWords(x, bits, null)]).toEqual([1, -2, Infinity, 2 ** -24]);
    expect([...toWords(x, bits, null)]).toEqual([...bits].map((b) => f16Table()[b]));
  });

  it('of bools are 0 and 1, whatever stands for true', () => {
    expect([...toWords(tensor('bool', [T]), [true, false, true], null)]).toEqual([1, 0, 1]);
    expect([...toWords(tensor('bool', [T]), Float32Array.of(0, -0, 0.5, NaN), null)]).toEqual([0, 0, 1, 1]);
    expect([...toWords(tensor('f32', [T]), [true, false], null)]).toEqual([1, 0]);
  });

  it.each([
    [[1, 0.5], null, 'MOE0707', 'x holds 0.5 at 1, i32 is wanted'],
    [[2 ** 31], null, 'MOE0707', 'x holds 2147483648 at 0, i32 is wanted'],
    [[NaN], null, 'MOE0707', 'x holds NaN at 0, i32 is wanted'],
    [[0, -1, 3, 4], 4, 'MOE0710', 'x holds 4 at 3, an index of E lies in -1 .. 3'],
    [[-2], 4, 'MOE0710', 'x holds -2 at 0, an index of E lies in -1 .. 3'],
  ] as const)('of i32 are integers, and indices points of their axis: %j of %s', (data, limit, code, message) => {
    const ids = tensor('i32', [T], { name: 'E', size: 4 });
    expect(() => toWords(ids, data, limit)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });
});

describe('sizes', () => {
  const bind = (...inputs: readonly (readonly [DeclaredTensor, unknown])[]) =>
    bindSizes(
      ['T', 'S'],
      inputs.map(([declared, value]) => readInput(declared, value)),
      new Map(),
    );

  it('follow from a square, and from another input', () => {
    expect(
      Object.fromEntries(
        bind([tensor('f32', [T, T]), new Float32Array(9)], [tensor('f32', [T, S]), new Float32Array(6)]),
      ),
    ).toEqual({ T: 3, S: 2 });
  });

  it.each([
    ['two axes by one length', [[tensor('f32', [T, S]), new Float32Array(6)]]],
    ['one axis where another has no point', [[tensor('f32', [{ name: 'Z', size: 0 }, T]), new Float32Array(0)]]],
  ] as const)('do not follow for %s', (_, inputs) => {
    expect(() => bind(...inputs)).toThrow(/MOE0706.*does not follow from the inputs: give x its shape/s);
  });

  it('of no square are refused', () => {
    expect(() => bind([tensor('f32', [T, T]), new Float32Array(8)])).toThrow(/MOE0708.*x has 8 numbers/s);
  });
});

describe('a buffer of the GPU', () => {
  /** As one behaves: the class is not there in every host. */
  const buffer = (size: number, usage: number) => ({ size, usage, mapState: 'unmapped', getMappedRange: () => null });
  const bind = (value: unknown) => bindSizes(['T'], [readInput(tensor('f32', [T]), value)], new Map([['T', 4]]));

  it('is taken, with a shape or without', () => {
    expect(bind(buffer(16, 4)).get('T')).toBe(4);
    expect(bind({ buffer: buffer(16, 4), shape: [4] }).get('T')).toBe(4);
    expect(bind({ buffer: buffer(16, 4) }).get('T')).toBe(4);
  });

  it.each([
    ['of too few bytes', buffer(12, 4), 'MOE0708'],
    ['that cannot be copied from', buffer(16, 8), 'MOE0707'],
    ['of another shape', { buffer: buffer(16, 4), shape: [2, 2] }, 'MOE0708'],
  ])('%s is refused', (_, value, code) => {
    expect(() => bind(value)).toThrow(code);
  });
});

describe('an array', () => {
  it('without its shape, or whose memory was transferred away, is refused beside one', () => {
    const x = tensor('f32', [T]);
    expect(() => readInput(x, { data: [1] })).toThrow(/MOE0707.*without its shape/s);
    const gone = new Float32Array(2);
    structuredClone(gone.buffer, { transfer: [gone.buffer] });
    expect(() => readInput(x, { data: gone, shape: [2] })).toThrow(/MOE0707.*transferred away/s);
  });
});

describe('a fault', () => {
  const [entry] = manifest.entries;
  if (entry === undefined) throw new Error('the sample has no entry');
  const layout = layOut(manifest, entry.plan, new Map([['T', 3]]));
  const told = (element: ManifestElement, word: number): string => {
    const status = [
      {
        word: 0,
        code: 'MOE0723',
        message: '{0} of {1}',
        place: 'm.moe:1:1',
        axes: [T],
        group: 'result',
        unless: [],
        shown: [{ word: 1, element }, { size: 'T' }],
      },
    ] as const;
    const plan = { ...layout.plan, status };
    const faults = faultsOf(
      { ...layout, plan },
      { asked: new Set(['result']), given: new Set() },
      Uint32Array.of(2, word),
    );
    return faults.map((fault) => fault.message).join();
  };
  const wordOf = (value: number): number => new Uint32Array(Float32Array.of(value).buffer)[0] ?? NaN;

  it.each([
    ['f32', wordOf(-0.5), '-0.5 of 3'],
    ['f32', wordOf(NaN), 'NaN of 3'],
    ['f16', wordOf(1.5), '1.5 of 3'],
    ['i32', 0xfffffffe, '-2 of 3'],
    ['bool', 1, 'true of 3'],
    ['bool', 0, 'false of 3'],
  ] as const)('shows its numbers as their type has them: %s %i', (element, word, text) => {
    expect(told(element, word)).toContain(text);
  });

  it('that did not happen is none', () => {
    expect(NO_FAULT).toBe(2 ** 32 - 1);
    const faults = faultsOf(
      layout,
      { asked: new Set(['result']), given: new Set() },
      new Uint32Array(64).fill(NO_FAULT),
    );
    expect(faults).toEqual([]);
  });
});
