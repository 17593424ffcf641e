/**
 * Element types as checkpoints store them, and the way from their bytes to the 32-bit words of the GPU.
 *
 * Invariants:
 * - Decoding is exact: every stored float of 8, 16 or 32 bits is an f32; F64 is not read (it would round).
 * - Bytes are little endian, as the format and WebGPU both say; hosts of the other order are not supported.
 * - Encoding to f16 and bf16 rounds to nearest, ties to even, and overflows to infinity: what a declared `f16` does.
 */

import { missing, unreachable } from './bug.ts';

/** Bits of one element, for every element type that safetensors files use. */
export const storedTypes = {
  F64: 64,
  F32: 32,
  F16: 16,
  BF16: 16,
  F8_E4M3: 8,
  F8_E5M2: 8,
  F8_E8M0: 8,
  F4: 4,
  I64: 64,
  I32: 32,
  I16: 16,
  I8: 8,
  U64: 64,
  U32: 32,
  U16: 16,
  U8: 8,
  BOOL: 8,
} as const;

export type CheckpointType = keyof typeof storedTypes;

/** The kind of number a stored type holds. */
export type StoredClass = 'float' | 'integer' | 'bool' | 'packed';

export function isStoredType(text: string): text is CheckpointType {
  return Object.hasOwn(storedTypes, text);
}

export function classOf(type: CheckpointType): StoredClass {
  if (type === 'BOOL') return 'bool';
  if (type === 'F4') return 'packed';
  return isIntegerType(type) ? 'integer' : 'float';
}

/** Arrays of the stored integer types, in the order of bytes that this host has to have. */
const integerArrays = {
  I64: BigInt64Array,
  I32: Int32Array,
  I16: Int16Array,
  I8: Int8Array,
  U64: BigUint64Array,
  U32: Uint32Array,
  U16: Uint16Array,
  U8: Uint8Array,
} as const;

const isIntegerType = (type: CheckpointType): type is keyof typeof integerArrays => type in integerArrays;

/** Bytes of one element; whole for every type but F4, of which a shape always holds an even number. */
export function elementBytes(type: CheckpointType): number {
  return storedTypes[type] / 8;
}

/** The f32 value of an f16 bit pattern. */
export function f16ToNumber(bits: number): number {
  const sign = (bits & 0x8000) === 0 ? 1 : -1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** All 65,536 f16 values by bit pattern. Building it once costs less than decoding a small tensor by arithmetic. */
let f16Values: Float32Array<ArrayBuffer> | null = null;

export function f16Table(): Float32Array<ArrayBuffer> {
  f16Values ??= Float32Array.from({ length: 65536 }, (_, bits) => f16ToNumber(bits));
  return f16Values;
}

const scratch = new Float32Array(1);
const scratchBits = new Uint32Array(scratch.buffer);

function f32Bits(value: number): number {
  scratch[0] = value;
  return scratchBits[0] ?? missing('word');
}

/** The f16 bit pattern nearest to an f32 value, ties to even; too large gives infinity, NaN a quiet NaN. */
export function numberToF16(value: number): number {
  const bits = f32Bits(value);
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  // 65520 is half way between the largest f16 and what would follow: from there on it is infinity.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude < 0x38800000) {
    // Subnormal in f16: the value in units of 2^-24, rounded to an even whole number at ties.
    const units = Math.abs(Math.fround(value)) * 2 ** 24;
    const floor = Math.floor(units);
    const rest = units - floor;
    return sign | (rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor);
  }
  const rebased = magnitude - 0x38000000;
  return sign | ((rebased + 0xfff + ((rebased >>> 13) & 1)) >>> 13);
}

/** The bf16 bit pattern nearest to an f32 value, ties to even. */
export function numberToBf16(value: number): number {
  const bits = f32Bits(value);
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x40;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

/** The f32 value of a bf16 bit pattern. */
export function bf16ToNumber(bits: number): number {
  scratchBits[0] = bits << 16;
  return scratch[0] ?? missing('number');
}

/** Whether an f32 bit pattern is an infinity or a NaN. */
export function isNonFinite(bits: number): boolean {
  return (bits & 0x7f800000) === 0x7f800000;
}

/**
 * Decodes elements of a stored float type. `bytes` holds `target.length` elements of `type`; null is returned for a
 * type that holds no floats or more than f32 can (F64).
 */
export function decodeFloats(type: CheckpointType, bytes: Uint8Array, target: Float32Array): Float32Array | null {
  switch (type) {
    case 'F32': {
      new Uint8Array(target.buffer, target.byteOffset, target.byteLength).set(bytes.subarray(0, target.byteLength));
      return target;
    }
    case 'F16': {
      const table = f16Table();
      for (let i = 0; i < target.length; i++) target[i] = table[halfAt(bytes, i)] ?? missing('entry of a table');
      return target;
    }
    case 'BF16': {
      const words = new Uint32Array(target.buffer, target.byteOffset, target.length);
      for (let i = 0; i < words.length; i++) words[i] = halfAt(bytes, i) << 16;
      return target;
    }
    case 'F8_E4M3':
    case 'F8_E5M2':
    case 'F8_E8M0':
      for (let i = 0; i < target.length; i++) target[i] = f8ToNumber(type, bytes[i] ?? missing('byte'));
      return target;
    default:
      return null;
  }
}

/**
 * The value of an FP8 bit pattern: E4M3 as "FN" (no infinities, all ones is NaN), E5M2 as the upper half of an f16, E8M0 a power of
 * two with bias 127 whose 255 is NaN. All are f32 numbers.
 */
export function f8ToNumber(type: 'F8_E4M3' | 'F8_E5M2' | 'F8_E8M0', bits: number): number {
  switch (type) {
    case 'F8_E5M2':
      return f16ToNumber(bits << 8);
    case 'F8_E8M0':
      return bits === 255 ? NaN : 2 ** (bits - 127);
    case 'F8_E4M3': {
      const sign = (bits & 0x80) === 0 ? 1 : -1;
      const exponent = (bits >> 3) & 15;
      const fraction = bits & 7;
      if (exponent === 15 && fraction === 7) return NaN;
      return exponent === 0 ? sign * fraction * 2 ** -9 : sign * (1 + fraction / 8) * 2 ** (exponent - 7);
    }
    default:
      return unreachable(type);
  }
}

/** As `decodeIntegers`, to floats: the position of the first element that f32 has not, -1 if it has all. */
export function decodeWholeFloats(type: CheckpointType, bytes: Uint8Array, target: Float32Array): number | null {
  return decodeInto(type, bytes, target, (value) =>
    type === 'U32' || value === (value | 0) ? Math.fround(value) : NaN,
  );
}

function halfAt(bytes: Uint8Array, index: number): number {
  return (bytes[2 * index] ?? missing('byte')) | ((bytes[2 * index + 1] ?? missing('byte')) << 8);
}

/**
 * Decodes elements of a stored integer type, or truth values as 0 and 1, to 32 bits. Returns the position of the first
 * element that does not fit a signed word, -1 if all do, and null for a type that holds no integers.
 */
export function decodeIntegers(type: CheckpointType, bytes: Uint8Array, target: Int32Array): number | null {
  return decodeInto(type, bytes, target, (value) => value | 0);
}

function decodeInto(
  type: CheckpointType,
  bytes: Uint8Array,
  target: Int32Array | Float32Array,
  nearest: (value: number) => number,
): number | null {
  const stored = type === 'BOOL' ? 'U8' : type;
  if (!isIntegerType(stored)) return null;
  // A copy, since elements need not lie at multiples of their size.
  const values = new integerArrays[stored](bytes.slice(0, target.length * elementBytes(type)).buffer);
  for (let i = 0; i < target.length; i++) {
    const value = type === 'BOOL' ? Number(values[i] !== 0) : Number(values[i]);
    if (value !== nearest(value)) return i;
    target[i] = value;
  }
  return -1;
}
