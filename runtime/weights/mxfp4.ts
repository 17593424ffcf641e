/** The decoder of MXFP4. A file of its own: checkpoints that have it load it. */
import { missing } from '../contract/bug.ts';
import type { WeightSliceSpec } from '../contract/manifest.ts';
import { MXFP4_BLOCK } from './fit.ts';
import type { WeightSource } from './weight-source.ts';
import type { LoadOptions } from './weights.ts';

/** The sixteen values of FP4 (E2M1) by bit pattern. */
const FP4_VALUES = [0, 0.5, 1, 1.5, 2, 3, 4, 6, -0, -0.5, -1, -1.5, -2, -3, -4, -6];

/**
 * MXFP4: blocks of 32 values, two to a byte with the low half first, and for each block a power of two with bias 127
 * (E8M0; 255 is NaN).
 */
export async function readMxfp4(
  slice: WeightSliceSpec,
  source: WeightSource,
  start: number,
  count: number,
  options: LoadOptions,
): Promise<Float32Array<ArrayBuffer>> {
  const { values, bytes: blockBytes } = MXFP4_BLOCK;
  const first = Math.floor(start / values);
  const last = Math.ceil((start + count) / values);
  const blocks = await source.read(slice.tensor, first * blockBytes, (last - first) * blockBytes, options.signal);
  const scales = await source.read(slice.scales ?? '', first, last - first, options.signal);
  options.onBytes?.(blocks.length + scales.length);
  const words = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    const position = start + i - first * values;
    const byte = blocks[position >> 1] ?? missing('block');
    const nibble = (position & 1) === 0 ? byte & 15 : byte >> 4;
    const exponent = scales[Math.floor(position / values)] ?? missing('scale');
    words[i] = exponent === 255 ? NaN : (FP4_VALUES[nibble] ?? missing('value')) * 2 ** (exponent - 127);
  }
  return words;
}
