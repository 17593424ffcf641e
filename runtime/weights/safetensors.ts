/**
 * The safetensors format: eight bytes of header length (u64, little endian), a JSON header
 * `{ name: { dtype, shape, data_offsets: [begin, end] } }` with an optional `__metadata__` of strings, then the data.
 *
 * What it is for: files of unknown origin. Everything is checked before a byte of a tensor is read, so that a header
 * that was accepted describes a partition of the data: tensors in range, of the size their shape needs, without
 * overlap and without holes. They may begin at any byte.
 *
 * Invariant: reading a header allocates no more than the caps below allow, whatever the file claims.
 */
import { type CheckpointType, elementBytes, isStoredType, storedTypes } from '../contract/elements.ts';
import { type ErrorCode, WeightsError, type WeightsProblem, weightsFault } from '../contract/errors.ts';
import {
  JsonFault,
  type JsonObject,
  type JsonValue,
  isJsonArray,
  isJsonNumber,
  isJsonObject,
  parseJson,
  plainInteger,
  quoteName,
} from './json.ts';

/** Where a tensor lies and what it is. `shape` is in elements, row-major; `byteOffset` counts from the file's start. */
export interface TensorInfo {
  readonly name: string;
  readonly dtype: CheckpointType;
  readonly shape: readonly number[];
  readonly byteOffset: number;
  readonly byteLength: number;
}

export interface Header {
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly metadata: ReadonlyMap<string, string>;
  /** Bytes before the data. */
  readonly dataStart: number;
}

/** What is accepted of a header; all may be raised by a caller who trusts the file. */
export interface HeaderCaps {
  readonly headerBytes: number;
  readonly tensors: number;
  readonly metadataCharacters: number;
  readonly rank: number;
}

export const headerCaps: HeaderCaps = {
  headerBytes: 16 * 2 ** 20,
  tensors: 65_536,
  metadataCharacters: 2 ** 20,
  rank: 8,
};

/** Bytes of the header length in front. */
export const PREFIX_BYTES = 8;

/**
 * Checks the first bytes of a file of `fileSize` bytes and returns how many more bytes the header has.
 * Throws WeightsError (MOE0601, MOE0602, MOE0619).
 */
export function parseHeaderLength(prefix: Uint8Array, fileSize: number, file?: string, caps = headerCaps): number {
  const foreign = foreignFormat(prefix);
  if (foreign !== null) throw weightsFault('MOE0619', `this is ${foreign}, not a safetensors file`, { file });
  if (prefix.length < PREFIX_BYTES || fileSize < PREFIX_BYTES) {
    throw weightsFault('MOE0601', `the file has ${fileSize} bytes, its header length alone takes 8`, { file });
  }
  const length = new DataView(prefix.buffer, prefix.byteOffset, prefix.byteLength).getBigUint64(0, true);
  if (length > BigInt(fileSize - PREFIX_BYTES)) {
    throw weightsFault('MOE0601', `the header should have ${length} bytes, the file has ${fileSize}`, { file });
  }
  if (length > BigInt(caps.headerBytes)) {
    throw weightsFault('MOE0602', `the header has ${length} bytes, ${caps.headerBytes} are accepted`, { file });
  }
  return Number(length);
}

/**
 * Checks a header. `bytes` begin at the start of the file and hold at least the whole header; `fileSize` is the size of
 * the file. Throws WeightsError with every fault that can be told apart.
 */
export function parseHeader(bytes: Uint8Array, fileSize: number, file?: string, caps = headerCaps): Header {
  const length = parseHeaderLength(bytes, fileSize, file, caps);
  const dataStart = PREFIX_BYTES + length;
  if (bytes.length < dataStart) {
    throw weightsFault('MOE0601', `${bytes.length} bytes are given, the header ends at ${dataStart}`, { file });
  }
  const header = parseHeaderText(bytes.subarray(PREFIX_BYTES, dataStart), file);
  const problems: WeightsProblem[] = [];
  const metadata = readMetadata(header.get('__metadata__'), file, caps);
  const count = header.size - (header.has('__metadata__') ? 1 : 0);
  if (count > caps.tensors) {
    throw weightsFault('MOE0615', `the file has ${count} tensors, ${caps.tensors} are accepted`, { file });
  }
  const tensors = new Map<string, TensorInfo>();
  for (const [name, entry] of header) {
    if (name === '__metadata__') continue;
    const info = readEntry(name, entry, dataStart, fileSize, caps);
    if (info.kind === 'tensor') tensors.set(name, info.tensor);
    else problems.push({ code: info.code, message: `${quoteName(name)} ${info.message}`, file, tensor: name });
  }
  // Entries that are wrong by themselves leave holes that mean nothing.
  if (problems.length === 0) problems.push(...checkPartition([...tensors.values()], dataStart, fileSize, file));
  if (problems.length > 0) throw new WeightsError(problems);
  return { tensors, metadata, dataStart };
}

function parseHeaderText(bytes: Uint8Array, file: string | undefined): JsonObject {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw weightsFault('MOE0603', 'the header is not UTF-8', { file });
  }
  if (!text.startsWith('{')) throw weightsFault('MOE0604', 'the header does not begin with {', { file });
  let value: JsonValue;
  try {
    value = parseJson(text);
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error;
    const code = error.kind === 'duplicate' ? 'MOE0605' : 'MOE0604';
    throw weightsFault(code, `the header is malformed: ${error.message}`, { file });
  }
  if (!isJsonObject(value)) throw weightsFault('MOE0604', 'the header is not an object', { file });
  return value;
}

function readMetadata(
  value: JsonValue | undefined,
  file: string | undefined,
  caps: HeaderCaps,
): ReadonlyMap<string, string> {
  const metadata = new Map<string, string>();
  if (value === undefined) return metadata;
  if (!isJsonObject(value)) throw weightsFault('MOE0607', '__metadata__ is not an object', { file });
  let characters = 0;
  for (const [key, text] of value) {
    if (typeof text !== 'string') throw weightsFault('MOE0607', '__metadata__ holds more than strings', { file });
    characters += key.length + text.length;
    metadata.set(key, text);
  }
  if (characters > caps.metadataCharacters) {
    throw weightsFault('MOE0615', `__metadata__ has ${characters} characters`, { file });
  }
  return metadata;
}

type Entry =
  | { readonly kind: 'tensor'; readonly tensor: TensorInfo }
  | { readonly kind: 'fault'; readonly code: ErrorCode; readonly message: string };

const fault = (code: ErrorCode, message: string): Entry => ({ kind: 'fault', code, message });

const FIELDS = ['dtype', 'shape', 'data_offsets'];

function readEntry(name: string, entry: JsonValue, dataStart: number, fileSize: number, caps: HeaderCaps): Entry {
  if (!isJsonObject(entry)) return fault('MOE0607', 'is not an object');
  const extra = [...entry.keys()].find((key) => !FIELDS.includes(key));
  if (extra !== undefined) return fault('MOE0607', `has the field ${quoteName(extra)}, which is not known`);
  const absent = FIELDS.find((field) => !entry.has(field));
  if (absent !== undefined) return fault('MOE0607', `lacks the field ${absent}`);
  const dtype = entry.get('dtype');
  if (typeof dtype !== 'string') return fault('MOE0607', 'has a dtype that is not a string');
  if (!isStoredType(dtype)) return fault('MOE0608', `has the element type ${quoteName(dtype)}, which is not known`);
  const shape = readIntegers(entry.get('shape'));
  if (shape.kind === 'fault') return fault(shape.code, `has a shape ${shape.message}`);
  const offsets = readIntegers(entry.get('data_offsets'));
  if (offsets.kind === 'fault') return fault(offsets.code, `has data_offsets ${offsets.message}`);
  const [begin, end, ...rest] = offsets.values;
  if (begin === undefined || end === undefined || rest.length > 0) {
    return fault('MOE0607', 'has data_offsets that are not two numbers');
  }
  if (shape.values.length > caps.rank) {
    return fault('MOE0609', `has ${shape.values.length} axes, ${caps.rank} are accepted`);
  }
  // Exact, whatever the numbers: three factors of 2^53 are no trouble.
  const elements = shape.values.reduce((product, size) => product * BigInt(size), 1n);
  const bits = elements * BigInt(storedTypes[dtype]);
  if (bits / 8n > BigInt(Number.MAX_SAFE_INTEGER))
    return fault('MOE0609', `has ${elements} elements, too many for a file`);
  if (begin > end) return fault('MOE0610', `begins at ${begin}, behind its end at ${end}`);
  if (end > fileSize - dataStart) {
    return fault('MOE0610', `ends at ${end}, the file has ${fileSize - dataStart} bytes of data`);
  }
  if (BigInt(end - begin) * 8n !== bits) {
    const shown = `${dtype}[${shape.values.join(', ')}]`;
    return fault('MOE0614', `takes ${end - begin} bytes, ${shown} needs ${Number(bits) / 8}`);
  }
  return {
    kind: 'tensor',
    tensor: { name, dtype, shape: shape.values, byteOffset: dataStart + begin, byteLength: end - begin },
  };
}

type Integers =
  | { readonly kind: 'integers'; readonly values: readonly number[] }
  | { readonly kind: 'fault'; readonly code: ErrorCode; readonly message: string };

function readIntegers(value: JsonValue | undefined): Integers {
  if (!isJsonArray(value)) return { kind: 'fault', code: 'MOE0607', message: 'that is not a list' };
  const values: number[] = [];
  for (const item of value) {
    const number = plainInteger(item);
    if (number === null) {
      const shown = isJsonNumber(item) ? item.text.slice(0, 40) : 'something else than a number';
      return {
        kind: 'fault',
        code: 'MOE0606',
        message: `with ${shown}: whole numbers below 2^53, written plainly, are read`,
      };
    }
    values.push(number);
  }
  return { kind: 'integers', values };
}

/** Tensors, sorted by place, have to follow one another without gap from the first byte of data to the last. */
function checkPartition(
  tensors: readonly TensorInfo[],
  dataStart: number,
  fileSize: number,
  file: string | undefined,
): readonly WeightsProblem[] {
  const problems: WeightsProblem[] = [];
  const sorted = [...tensors].sort((a, b) => a.byteOffset - b.byteOffset || a.byteLength - b.byteLength);
  let end = dataStart;
  let before: TensorInfo | null = null;
  for (const tensor of sorted) {
    const shown = quoteName(tensor.name);
    if (tensor.byteOffset < end && before !== null) {
      const message = `${shown} and ${quoteName(before.name)} share bytes`;
      problems.push({ code: 'MOE0611', message, file, tensor: tensor.name });
    } else if (tensor.byteOffset > end) {
      const message = `${tensor.byteOffset - end} bytes before ${shown} belong to no tensor`;
      problems.push({ code: 'MOE0612', message, file, tensor: tensor.name });
    }
    const next = tensor.byteOffset + tensor.byteLength;
    if (next >= end) before = tensor;
    end = Math.max(end, next);
  }
  if (end < fileSize) {
    problems.push({ code: 'MOE0612', message: `the last ${fileSize - end} bytes belong to no tensor`, file });
  }
  return problems;
}

/** What a file that is no safetensors file most likely is, by its first bytes; null if nothing is known. */
function foreignFormat(bytes: Uint8Array): string | null {
  const starts = (...magic: readonly number[]): boolean => magic.every((byte, i) => bytes[i] === byte);
  const text = String.fromCharCode(...bytes.subarray(0, 8));
  if (text.startsWith('PK\x03\x04')) return 'a zip archive (a PyTorch or NumPy file, which may carry code)';
  // Pickle, protocols 2 to 5. As a header length it would be past any cap.
  if (starts(0x80) && [2, 3, 4, 5].includes(bytes[1] ?? 0) && bytes[7] !== 0)
    return 'a Python pickle, which may carry code';
  if (text.startsWith('GGUF')) return 'a GGUF file';
  if (text.startsWith('\x93NUMPY')) return 'a NumPy array';
  if (text.startsWith('\x89HDF')) return 'an HDF5 file';
  if (text.startsWith('version ')) return 'a Git LFS pointer: the file itself has still to be fetched';
  if (text.startsWith('<!DOCTYP') || text.startsWith('<html')) return 'a web page';
  if (text.startsWith('{')) return 'a text file';
  return null;
}

/** A tensor to be written: `data` are its bytes, row-major and little endian. */
export interface WritableTensor {
  readonly name: string;
  readonly dtype: CheckpointType;
  readonly shape: readonly number[];
  readonly data: ArrayBufferView;
}

/**
 * Writes a safetensors file. Tensors are placed by falling element size, then by name, so that all are aligned and the
 * bytes depend on the contents alone. Throws WeightsError if data and shape disagree or a name stands twice.
 */
export function writeSafetensors(
  tensors: readonly WritableTensor[],
  metadata: ReadonlyMap<string, string> = new Map(),
): Uint8Array<ArrayBuffer> {
  const sorted = [...tensors].sort(
    (a, b) => storedTypes[b.dtype] - storedTypes[a.dtype] || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
  );
  const seen = new Set<string>();
  let end = 0;
  const entries: string[] = [];
  if (metadata.size > 0) {
    const pairs = [...metadata].map(([key, text]) => `${JSON.stringify(key)}:${JSON.stringify(text)}`);
    entries.push(`"__metadata__":{${pairs.join(',')}}`);
  }
  for (const { name, dtype, shape, data } of sorted) {
    if (seen.has(name) || name === '__metadata__') {
      throw weightsFault('MOE0605', `the name ${quoteName(name)} is taken`, { tensor: name });
    }
    seen.add(name);
    const bytes = shape.reduce((product, size) => product * size, 1) * elementBytes(dtype);
    if (bytes !== data.byteLength) {
      const message = `${quoteName(name)} has ${data.byteLength} bytes, ${dtype}[${shape.join(', ')}] needs ${bytes}`;
      throw weightsFault('MOE0614', message, { tensor: name });
    }
    entries.push(
      `${JSON.stringify(name)}:{"dtype":"${dtype}","shape":[${shape.join(',')}],"data_offsets":[${end},${end + bytes}]}`,
    );
    end += bytes;
  }
  const text = new TextEncoder().encode(`{${entries.join(',')}}`);
  const headerBytes = Math.ceil(text.length / 8) * 8;
  const dataStart = PREFIX_BYTES + headerBytes;
  const file = new Uint8Array(dataStart + end);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerBytes), true);
  file.fill(0x20, PREFIX_BYTES, dataStart);
  file.set(text, PREFIX_BYTES);
  let at = dataStart;
  for (const { data } of sorted) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return file;
}
