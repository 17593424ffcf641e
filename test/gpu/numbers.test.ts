/** The tables of test/numbers on the adapter of this run: numbers are those of the language, not those of a driver. */
import { beforeAll, describe, expect, it } from 'vitest';
import { roundToF16 } from '../../compiler/kernel/math/f16.ts';
import { different, onDevice } from '../numbers/elementwise.ts';
import { f16Arguments, nearestHalf } from '../numbers/f16.ts';
import { softwareAdapter } from '../support/gpu.ts';

let device: GPUDevice | null = null;
beforeAll(async () => {
  device = await softwareAdapter();
});

describe('rounding to f16', () => {
  it('every f16, every tie and what is beside it', async () => {
    if (device === null) return;
    const a = f16Arguments();
    expect(different(a, await onDevice(device, { a, make: roundToF16 }), nearestHalf)).toEqual([]);
  });
});
