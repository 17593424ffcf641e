/** Whether a stored tensor can fill a slice of a variable: what it is called, its element type, its shape. */
import { unreachable } from '../contract/bug.ts';
import { classOf, type CheckpointType, storedTypes } from '../contract/elements.ts';
import type { WeightSliceSpec, VariableSpec } from '../contract/manifest.ts';
import type { SourceTensor, WeightSource } from './weight-source.ts';

/** Values of MXFP4 that share a scale, and the bytes they take. */
export const MXFP4_BLOCK = { values: 32, bytes: 16 } as const;

/** What is wrong with a slice's tensor, each true where it is; null where it, or its scales, are not there. */
export interface Fit {
  readonly tensor: SourceTensor;
  readonly scales: SourceTensor | null;
  readonly wrongType: boolean;
  readonly wrongShape: boolean;
  readonly wrongScales: boolean;
}

export function fits(variable: VariableSpec, slice: WeightSliceSpec, source: WeightSource): boolean {
  const fit = fitOf(variable, slice, source);
  return fit !== null && !fit.wrongType && !fit.wrongShape && !fit.wrongScales;
}

export function fitOf(variable: VariableSpec, slice: WeightSliceSpec, source: WeightSource): Fit | null {
  const tensor = source.tensors.get(slice.tensor);
  const scales = slice.scales === null ? null : source.tensors.get(slice.scales);
  if (tensor === undefined || scales === undefined) return null;
  const parts = { tensor, scales };
  switch (slice.decoder) {
    case null: {
      const wrongType = !accepts(variable, tensor.dtype);
      return { ...parts, wrongType, wrongShape: !sameShape(tensor.shape, slice.shape), wrongScales: false };
    }
    case 'mxfp4': {
      const shapes = blockShapes(slice);
      return {
        ...parts,
        wrongType: tensor.dtype !== 'U8' || (scales !== null && scales.dtype !== 'U8' && scales.dtype !== 'F8_E8M0'),
        wrongShape: !shapes.blocks.some((shape) => sameShape(tensor.shape, shape)),
        wrongScales: scales !== null && !sameShape(scales.shape, shapes.scales),
      };
    }
    default:
      return unreachable(slice.decoder);
  }
}

/** Files have the 16 bytes of a block as a dimension of their own, or joined into the last one. */
export function blockShapes({ shape }: WeightSliceSpec): {
  readonly blocks: readonly (readonly number[])[];
  readonly scales: readonly number[];
} {
  const last = shape.at(-1) ?? 0;
  const scales = [...shape.slice(0, -1), last / MXFP4_BLOCK.values];
  return {
    blocks: [
      [...scales, MXFP4_BLOCK.bytes],
      [...shape.slice(0, -1), last / 2],
    ],
    scales,
  };
}

/** A single number is one whether it is stored as [] or as [1]. */
const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  (a.length === b.length && a.every((size, i) => size === b[i])) || [...a, ...b].every((size) => size === 1);

/**
 * Floats of up to 32 bits widen exactly, and round where f16 is declared; F64 would round unasked. Raw words of up to 32 bits are the
 * numbers they are, where the declared type has them.
 */
function accepts(variable: VariableSpec, dtype: CheckpointType): boolean {
  switch (variable.element) {
    case 'f32':
    case 'f16':
      return classOf(dtype) === 'float' ? dtype !== 'F64' : classOf(dtype) === 'integer' && storedTypes[dtype] <= 32;
    case 'i32':
      return classOf(dtype) === 'integer';
    case 'bool':
      return dtype === 'BOOL' || dtype === 'U8';
    default:
      return unreachable(variable.element);
  }
}
