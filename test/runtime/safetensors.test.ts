/** Safetensors: what is written is read back, and every kind of broken file has its code. */
import { describe, expect, it } from 'vitest';
import { type WeightsProblem, WeightsError } from '../../runtime/contract/errors.ts';
import { type HeaderCaps, headerCaps, parseHeader, writeSafetensors } from '../../runtime/weights/safetensors.ts';

/** A file with any text for a header and `data` bytes after it; the length in front can be made to lie. */
function file(header: string | Uint8Array, data = 0, length?: bigint): Uint8Array {
  const text = typeof header === 'string' ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + text.length + data);
  new DataView(bytes.buffer).setBigUint64(0, length ?? BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

const entry = (dtype: string, shape: string, begin: string | number, end: string | number): string =>
  `{"dtype":"${dtype}","shape":${shape},"data_offsets":[${begin},${end}]}`;

const bytesOf = (...text: readonly (string | number)[]): Uint8Array =>
  Uint8Array.from(text.flatMap((part) => (typeof part === 'number' ? [part] : [...part].map((c) => c.charCodeAt(0)))));

const nested = (depth: number): string => `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`;

interface BadFile {
  readonly what: string;
  readonly bytes: Uint8Array;
  readonly code: string;
  readonly caps?: Partial<HeaderCaps>;
}

const BAD: readonly BadFile[] = [
  { what: 'an empty file', bytes: new Uint8Array(0), code: 'MOE0601' },
  { what: 'seven bytes', bytes: new Uint8Array(7), code: 'MOE0601' },
  { what: 'a header length of 2^63', bytes: file('{}', 0, 2n ** 63n), code: 'MOE0601' },
  { what: 'a header length of 2^64 - 1', bytes: file('{}', 0, 2n ** 64n - 1n), code: 'MOE0601' },
  { what: 'a header that ends behind the file', bytes: file('{}', 0, 3n), code: 'MOE0601' },
  { what: 'a header past the cap', bytes: file(`{}${' '.repeat(100)}`), code: 'MOE0602', caps: { headerBytes: 64 } },
  { what: 'a header that is not UTF-8', bytes: file(bytesOf('{"', 0xff, '":1}')), code: 'MOE0603' },
  { what: 'a byte order mark', bytes: file(bytesOf(0xef, 0xbb, 0xbf, '{}')), code: 'MOE0604' },
  { what: 'an empty header', bytes: file(''), code: 'MOE0604' },
  { what: 'a header that begins with a space', bytes: file(' {}'), code: 'MOE0604' },
  { what: 'a list for a header', bytes: file('[]'), code: 'MOE0604' },
  { what: 'text after the header', bytes: file('{}x'), code: 'MOE0604' },
  { what: 'a NUL after the header', bytes: file('{}\0'), code: 'MOE0604' },
  { what: 'a header that is not closed', bytes: file('{"a":'), code: 'MOE0604' },
  { what: 'a name that is not closed', bytes: file('{"a'), code: 'MOE0604' },
  { what: 'a bad escape', bytes: file('{"\\x":1}'), code: 'MOE0604' },
  { what: 'a control character in a name', bytes: file('{"\n":1}'), code: 'MOE0604' },
  { what: 'a comma at the end', bytes: file(`{"a":${entry('U8', '[1]', 0, 1)},}`, 1), code: 'MOE0604' },
  { what: 'deep nesting', bytes: file(nested(100)), code: 'MOE0604' },
  { what: 'very deep nesting', bytes: file(nested(1_000_000)), code: 'MOE0604' },
  {
    what: 'a name twice',
    bytes: file(`{"a":${entry('U8', '[1]', 0, 1)},"a":${entry('U8', '[1]', 0, 1)}}`, 1),
    code: 'MOE0605',
  },
  {
    what: 'a name twice, once escaped',
    bytes: file(`{"a":${entry('U8', '[1]', 0, 1)},"\\u0061":${entry('U8', '[1]', 0, 1)}}`, 1),
    code: 'MOE0605',
  },
  {
    what: 'a field twice',
    bytes: file('{"a":{"dtype":"U8","dtype":"F32","shape":[1],"data_offsets":[0,1]}}', 1),
    code: 'MOE0605',
  },
  { what: 'metadata twice', bytes: file('{"__metadata__":{},"__metadata__":{}}'), code: 'MOE0605' },
  {
    what: 'an offset of 2^53 + 1',
    bytes: file(`{"a":${entry('U8', '[1]', 0, '9007199254740993')}}`, 1),
    code: 'MOE0606',
  },
  { what: 'an offset 1e3', bytes: file(`{"a":${entry('U8', '[1000]', 0, '1e3')}}`, 1000), code: 'MOE0606' },
  { what: 'an offset 1.0', bytes: file(`{"a":${entry('U8', '[1]', 0, '1.0')}}`, 1), code: 'MOE0606' },
  { what: 'a negative offset', bytes: file(`{"a":${entry('U8', '[1]', -1, 0)}}`, 1), code: 'MOE0606' },
  { what: 'minus zero', bytes: file(`{"a":${entry('U8', '[1]', '-0', 1)}}`, 1), code: 'MOE0606' },
  { what: 'a negative dimension', bytes: file(`{"a":${entry('U8', '[-1]', 0, 1)}}`, 1), code: 'MOE0606' },
  { what: 'a string for a dimension', bytes: file(`{"a":${entry('U8', '["1"]', 0, 1)}}`, 1), code: 'MOE0606' },
  { what: 'an entry that is a number', bytes: file('{"a":1}'), code: 'MOE0607' },
  { what: 'an entry without shape', bytes: file('{"a":{"dtype":"U8","data_offsets":[0,1]}}', 1), code: 'MOE0607' },
  {
    what: 'an entry with another field',
    bytes: file('{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"code":"x"}}', 1),
    code: 'MOE0607',
  },
  { what: 'three offsets', bytes: file('{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,1]}}', 1), code: 'MOE0607' },
  { what: 'a shape that is a number', bytes: file(`{"a":${entry('U8', '1', 0, 1)}}`, 1), code: 'MOE0607' },
  {
    what: 'a dtype that is a number',
    bytes: file('{"a":{"dtype":1,"shape":[1],"data_offsets":[0,1]}}', 1),
    code: 'MOE0607',
  },
  { what: 'metadata that is a list', bytes: file('{"__metadata__":[]}'), code: 'MOE0607' },
  { what: 'metadata with a number', bytes: file('{"__metadata__":{"a":1}}'), code: 'MOE0607' },
  { what: 'an unknown dtype', bytes: file(`{"a":${entry('Q4_K', '[1]', 0, 1)}}`, 1), code: 'MOE0608' },
  {
    what: 'a dtype that is a name of every object',
    bytes: file(`{"a":${entry('constructor', '[1]', 0, 1)}}`, 1),
    code: 'MOE0608',
  },
  { what: 'nine axes', bytes: file(`{"a":${entry('U8', '[1,1,1,1,1,1,1,1,1]', 0, 1)}}`, 1), code: 'MOE0609' },
  {
    what: 'a product that wraps to 4',
    bytes: file(`{"a":${entry('U8', '[4194305,4194305,211106198978564]', 0, 4)}}`, 4),
    code: 'MOE0609',
  },
  { what: 'offsets the wrong way round', bytes: file(`{"a":${entry('U8', '[1]', 1, 0)}}`, 1), code: 'MOE0610' },
  {
    what: 'a tensor behind the end of the file',
    bytes: file(`{"a":${entry('F32', '[2]', 0, 8)}}`, 4),
    code: 'MOE0610',
  },
  {
    what: 'a file cut at nine tenths',
    bytes: writeSafetensors([{ name: 'a', dtype: 'F32', shape: [100], data: new Float32Array(100) }]).slice(0, -40),
    code: 'MOE0610',
  },
  {
    what: 'two tensors on the same bytes',
    bytes: file(`{"a":${entry('U8', '[4]', 0, 4)},"b":${entry('U8', '[4]', 0, 4)}}`, 4),
    code: 'MOE0611',
  },
  {
    what: 'tensors that overlap',
    bytes: file(`{"a":${entry('U8', '[4]', 0, 4)},"b":${entry('U8', '[4]', 2, 6)}}`, 6),
    code: 'MOE0611',
  },
  {
    what: 'an empty tensor inside another',
    bytes: file(`{"a":${entry('U8', '[4]', 0, 4)},"b":${entry('U8', '[0]', 2, 2)}}`, 4),
    code: 'MOE0611',
  },
  {
    what: 'a hole between tensors',
    bytes: file(`{"a":${entry('U8', '[2]', 0, 2)},"b":${entry('U8', '[2]', 3, 5)}}`, 5),
    code: 'MOE0612',
  },
  { what: 'a hole in front', bytes: file(`{"a":${entry('U8', '[2]', 1, 3)}}`, 3), code: 'MOE0612' },
  { what: 'bytes after the last tensor', bytes: file(`{"a":${entry('U8', '[2]', 0, 2)}}`, 3), code: 'MOE0612' },
  { what: 'data without tensors', bytes: file('{}', 4), code: 'MOE0612' },
  { what: 'too few bytes for the shape', bytes: file(`{"a":${entry('F32', '[2]', 0, 4)}}`, 4), code: 'MOE0614' },
  { what: 'too many bytes for the shape', bytes: file(`{"a":${entry('F16', '[2]', 0, 8)}}`, 8), code: 'MOE0614' },
  { what: 'an odd number of half bytes', bytes: file(`{"a":${entry('F4', '[3]', 0, 1)}}`, 1), code: 'MOE0614' },
  {
    what: 'more tensors than the cap',
    bytes: file(`{"a":${entry('U8', '[0]', 0, 0)},"b":${entry('U8', '[0]', 0, 0)}}`),
    code: 'MOE0615',
    caps: { tensors: 1 },
  },
  {
    what: 'more metadata than the cap',
    bytes: file('{"__metadata__":{"note":"too long"}}'),
    code: 'MOE0615',
    caps: { metadataCharacters: 8 },
  },
  { what: 'a zip archive', bytes: bytesOf('PK', 3, 4, 20, 0, 0, 0, 0, 0), code: 'MOE0619' },
  { what: 'a pickle', bytes: bytesOf(0x80, 2, 'c__builtin__'), code: 'MOE0619' },
  { what: 'a GGUF file', bytes: bytesOf('GGUF', 3, 0, 0, 0, 0, 0), code: 'MOE0619' },
  { what: 'a NumPy array', bytes: bytesOf(0x93, 'NUMPY', 1, 0, 0, 0), code: 'MOE0619' },
  { what: 'a Git LFS pointer', bytes: bytesOf('version https://git-lfs'), code: 'MOE0619' },
  { what: 'a web page', bytes: bytesOf('<!DOCTYPE html>'), code: 'MOE0619' },
  { what: 'a JSON text', bytes: bytesOf('{"weight_map": {}}'), code: 'MOE0619' },
];

/** The problems of bytes that are refused. */
function problemsOf(bytes: Uint8Array, caps?: Partial<HeaderCaps>): readonly WeightsProblem[] {
  try {
    parseHeader(bytes, bytes.length, 'bad.safetensors', { ...headerCaps, ...caps });
  } catch (error) {
    if (error instanceof WeightsError) return error.problems;
    throw error;
  }
  return [];
}

describe('broken files', () => {
  it('are at least thirty-five', () => expect(BAD.length).toBeGreaterThanOrEqual(35));

  it('does not ask for alignment', () => {
    expect(problemsOf(file(`{"a":${entry('U8', '[1]', 0, 1)},"b":${entry('F32', '[1]', 1, 5)}}`, 5))).toEqual([]);
  });

  it.each(BAD)('$code: $what', ({ bytes, code, caps }) => {
    expect(problemsOf(bytes, caps).map((problem) => problem.code)).toEqual([code]);
  });

  it('are reported with all entries that are wrong', () => {
    const bytes = file(`{"a":${entry('Q9', '[1]', 0, 1)},"b":${entry('F32', '[2]', 0, 4)},"c":1}`, 4);
    expect(problemsOf(bytes).map(({ code, tensor }) => [code, tensor])).toEqual([
      ['MOE0608', 'a'],
      ['MOE0614', 'b'],
      ['MOE0607', 'c'],
    ]);
  });

  it('never throw anything else, whatever a byte is changed to', () => {
    const good = writeSafetensors([
      { name: 'a', dtype: 'F32', shape: [2, 2], data: new Float32Array(4) },
      { name: 'b', dtype: 'U8', shape: [3], data: new Uint8Array(3) },
    ]);
    let refused = 0;
    for (let at = 0; at < good.length - 19; at++) {
      for (const value of [0, 0x20, 0x22, 0x2c, 0x31, 0x5c, 0x7b, 0x7d, 0xff]) {
        const bytes = good.slice();
        bytes[at] = value;
        refused += problemsOf(bytes).length > 0 ? 1 : 0;
      }
    }
    expect(refused).toBeGreaterThan(1000);
  });
});

describe('good files', () => {
  it('come back as they were written', () => {
    const bytes = writeSafetensors(
      [
        { name: 'small', dtype: 'U8', shape: [3], data: Uint8Array.of(1, 2, 3) },
        { name: '__proto__', dtype: 'F32', shape: [], data: Float32Array.of(1.5) },
        { name: 'none', dtype: 'BF16', shape: [0, 4], data: new Uint16Array(0) },
      ],
      new Map([['format', 'pt']]),
    );
    const { tensors, metadata, dataStart } = parseHeader(bytes, bytes.length);
    expect(dataStart % 8).toBe(0);
    expect([...metadata]).toEqual([['format', 'pt']]);
    expect([...tensors.keys()].sort()).toEqual(['__proto__', 'none', 'small']);
    const small = tensors.get('small');
    expect(bytes.slice(small?.byteOffset, (small?.byteOffset ?? 0) + (small?.byteLength ?? 0))).toEqual(
      Uint8Array.of(1, 2, 3),
    );
    expect(tensors.get('__proto__')?.shape).toEqual([]);
  });

  it('may have no tensor at all, and empty tensors at a border', () => {
    expect(parseHeader(file('{}'), 10).tensors.size).toBe(0);
    const bytes = file(`{"a":${entry('U8', '[4]', 0, 4)},"b":${entry('F32', '[0]', 4, 4)}}`, 4);
    expect(parseHeader(bytes, bytes.length).tensors.size).toBe(2);
  });

  it('are padded with spaces', () => expect(parseHeader(file('{}      '), 16).tensors.size).toBe(0));

  it('are not written from data that do not fit', () => {
    expect(() => writeSafetensors([{ name: 'a', dtype: 'F32', shape: [2], data: new Float32Array(3) }])).toThrow(
      /MOE0614/,
    );
    const a = { name: 'a', dtype: 'F32', shape: [1], data: new Float32Array(1) } as const;
    expect(() => writeSafetensors([a, a])).toThrow(/MOE0605/);
  });

  it('with many tensors are read in time', () => {
    const tensors = Array.from({ length: 20_000 }, (_, i) => ({
      name: `model.layers.${i}.weight`,
      dtype: 'U8' as const,
      shape: [1],
      data: new Uint8Array(1),
    }));
    const bytes = writeSafetensors(tensors);
    expect(parseHeader(bytes, bytes.length).tensors.size).toBe(20_000);
  });
});
