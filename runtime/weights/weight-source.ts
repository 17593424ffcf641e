/**
 * Where weights come from: a reader of ranges of named tensors. Nothing is read but what is asked for, so a checkpoint
 * larger than memory loads tensor by tensor.
 *
 * Invariants:
 * - A source that opened has checked the header of every file; a range it returns has exactly the length asked for.
 * - Reads are independent of each other and may overlap in time.
 */
import { type CheckpointType } from '../contract/elements.ts';
import { InputError, WeightsError, type WeightsProblem, weightsFault } from '../contract/errors.ts';
import { JsonFault, isJsonObject, parseJson, quoteName } from './json.ts';
import {
  type Header,
  PREFIX_BYTES,
  type TensorInfo,
  type WritableTensor,
  parseHeader,
  parseHeaderLength,
} from './safetensors.ts';

/** The largest range that is read at once. */
export const PIECE_BYTES = 16 * 2 ** 20;

/** A reader of tensors by name. Implement it to bring weights from elsewhere. */
export interface WeightSource {
  /** Every tensor that is known, by name: all there are, or those of the files that `open` opened. */
  readonly tensors: ReadonlyMap<string, SourceTensor>;
  /** Where not all are known yet: the names of all. */
  readonly names?: ReadonlySet<string>;
  /** Opens what holds tensors of these names, which are in `tensors` afterwards; names that there are not are passed over. */
  open?(names: Iterable<string>, signal?: AbortSignal): Promise<void>;
  /** `byteLength` bytes of a tensor from `byteOffset` on, counted from the tensor's first byte. */
  read(name: string, byteOffset: number, byteLength: number, signal?: AbortSignal): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** What is known of a tensor before it is read. */
export interface SourceTensor {
  readonly dtype: CheckpointType;
  readonly shape: readonly number[];
  readonly byteLength: number;
}

/** One opened file: its size, and its bytes by range. `read` may return fewer bytes only at the end of the file. */
export interface RangeFile {
  readonly name: string;
  readonly size: number;
  read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** Weights in safetensors files that are in memory. */
export function fromArrayBuffers(
  buffers: ArrayBufferView | ArrayBuffer | readonly (ArrayBufferView | ArrayBuffer)[],
): Promise<WeightSource> {
  const list = isList(buffers) ? buffers : [buffers];
  return openFiles(list.map((buffer, i) => memoryFile(buffer, list.length === 1 ? 'weights' : `weights ${i}`)));
}

function isList(value: unknown): value is readonly (ArrayBufferView | ArrayBuffer)[] {
  return Array.isArray(value);
}

function memoryFile(buffer: ArrayBufferView | ArrayBuffer, name: string): RangeFile {
  const bytes = ArrayBuffer.isView(buffer)
    ? new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
    : new Uint8Array(buffer);
  return {
    name,
    size: bytes.length,
    read: async (offset, length) => bytes.subarray(offset, offset + length),
    close: async () => undefined,
  };
}

/** Weights as plain arrays, without a file: for tests and for weights that a program computed. */
export function fromTensors(tensors: readonly WritableTensor[]): WeightSource {
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  return {
    tensors: new Map(
      tensors.map(({ name, dtype, shape, data }) => [name, { dtype, shape, byteLength: data.byteLength }]),
    ),
    read: async (name, byteOffset, byteLength) => {
      const tensor = byName.get(name);
      if (tensor === undefined) throw unknownTensor(name);
      return new Uint8Array(tensor.data.buffer, tensor.data.byteOffset + byteOffset, byteLength);
    },
    close: async () => undefined,
  };
}

export interface FetchOptions {
  /** Stands in for the global `fetch`, for instance one that adds headers or a cache. */
  readonly fetch?: typeof fetch;
  readonly signal?: AbortSignal;
}

/**
 * Weights behind a URL, read with range requests: a safetensors file, or the `….safetensors.index.json` of a sharded
 * checkpoint whose files lie beside it. Throws WeightsError; MOE0623 where the server does not answer ranges.
 */
export async function fromFetch(url: string | URL, options: FetchOptions = {}): Promise<WeightSource> {
  const doFetch = options.fetch ?? globalThis.fetch;
  const text = String(url);
  if (!text.split(/[?#]/, 1)[0]?.endsWith('.index.json')) {
    return openFiles([await openUrl(text, doFetch, options.signal)], options.signal);
  }
  const response = await doFetch(text, { signal: options.signal });
  if (!response.ok) throw weightsFault('MOE0623', `the server answered ${response.status}`, { file: text });
  const index = parseShardIndex(new Uint8Array(await response.arrayBuffer()), text);
  return openShards(index, (shard, signal) => openUrl(shardUrl(text, shard), doFetch, signal ?? options.signal, shard));
}

/** The URL of a file beside another one; a query, such as a signature, stays. */
function shardUrl(index: string, shard: string): string {
  const [path = '', query] = index.split('?', 2);
  const url = path.slice(0, path.lastIndexOf('/') + 1) + encodeURIComponent(shard);
  return query === undefined ? url : `${url}?${query}`;
}

async function openUrl(
  url: string,
  doFetch: typeof fetch,
  signal: AbortSignal | undefined,
  name = url,
): Promise<RangeFile> {
  const request = async (offset: number, length: number, within?: AbortSignal) => {
    const last = offset + length - 1;
    const response = await doFetch(url, { headers: { Range: `bytes=${offset}-${last}` }, signal: within });
    if (response.status === 404) throw weightsFault('MOE0621', 'there is no such file', { file: name });
    if (!response.ok) {
      await response.body?.cancel();
      throw weightsFault('MOE0623', `the server answered ${response.status}`, { file: name });
    }
    const tag = response.headers.get('etag');
    const bytes = new Uint8Array(await response.arrayBuffer());
    // A server that knows no ranges sends the whole file.
    if (response.status !== 206) return { whole: true, bytes, size: bytes.length, tag };
    const range = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(response.headers.get('content-range') ?? '');
    const [, begin, end, total] = range ?? [];
    if (Number(begin) !== offset || bytes.length !== Number(end) - offset + 1) {
      throw weightsFault('MOE0623', 'the server answered another range than was asked for', { file: name });
    }
    return { whole: false, bytes, size: Number(total), tag };
  };
  const first = await request(0, PREFIX_BYTES, signal);
  // It is not asked for again: what was sent is kept.
  if (first.whole) return memoryFile(first.bytes, name);
  return {
    name,
    size: first.size,
    read: async (offset, length, within) => {
      const wanted = Math.min(length, first.size - offset);
      if (wanted <= 0) return new Uint8Array(0);
      const { whole, bytes, size, tag } = await request(offset, wanted, within);
      if (size !== first.size || tag !== first.tag) throw changed(name);
      return whole ? bytes.subarray(offset, offset + wanted) : bytes;
    },
    close: async () => undefined,
  };
}

/** Tensors of which an index and one of its files tell different things. */
function disagreements(
  index: ReadonlyMap<string, string>,
  shard: string,
  found: ReadonlyMap<string, FileTensor>,
): readonly WeightsProblem[] {
  const problem = (name: string, message: string): WeightsProblem => ({ code: 'MOE0622', message, tensor: name });
  const absent = [...index].filter(([name, of]) => of === shard && !found.has(name));
  const elsewhere = [...found.keys()].filter((name) => index.has(name) && index.get(name) !== shard);
  return [
    ...absent.map(([name]) => problem(name, `the index puts ${quoteName(name)} into ${shard}, it is not there`)),
    ...elsewhere.map((name) =>
      problem(name, `the index puts ${quoteName(name)} into ${index.get(name)}, it is in ${shard}`),
    ),
  ];
}

/** Files that are opened at the same time. */
const OPENED_AT_ONCE = 8;

/**
 * The tensors of a sharded checkpoint, in the files that its index names (tensor → file). A file is opened when a tensor of it is
 * asked for: what nobody needs may be missing, or broken. Throws WeightsError with the faults of all files that were asked for.
 */
export function openShards(
  index: ReadonlyMap<string, string>,
  openShard: (shard: string, signal?: AbortSignal) => Promise<RangeFile>,
): WeightSource {
  const fileTensors = new Map<string, FileTensor>();
  const tensors = new Map<string, TensorInfo>();
  const opened = new Map<string, RangeFile>();
  let closed = false;
  const openOne = async (shard: string, signal: AbortSignal | undefined): Promise<readonly WeightsProblem[]> => {
    let file: RangeFile | null = null;
    try {
      file = await openShard(shard, signal);
      const found = await fileTensorsOf([file], signal);
      const disagree = disagreements(index, shard, found);
      if (disagree.length === 0 && !closed && !opened.has(shard)) {
        opened.set(shard, file);
        file = null;
        for (const [name, fileTensor] of found) {
          if (index.get(name) !== shard) continue;
          fileTensors.set(name, fileTensor);
          tensors.set(name, fileTensor.tensor);
        }
      }
      return disagree;
    } catch (error) {
      if (error instanceof WeightsError) return error.problems;
      throw error;
    } finally {
      await file?.close();
    }
  };
  const source: WeightSource & Required<Pick<WeightSource, 'open'>> = {
    tensors,
    names: new Set(index.keys()),
    open: async (names, signal) => {
      const shards = new Set<string>();
      for (const name of names) {
        const shard = index.get(name);
        if (shard !== undefined && !opened.has(shard)) shards.add(shard);
      }
      const waiting = [...shards].sort();
      const problems: WeightsProblem[] = [];
      const work = async (): Promise<void> => {
        for (let shard = waiting.shift(); shard !== undefined; shard = waiting.shift()) {
          signal?.throwIfAborted();
          problems.push(...(await openOne(shard, signal)));
        }
      };
      await Promise.all(Array.from({ length: Math.min(OPENED_AT_ONCE, waiting.length) }, work));
      if (problems.length > 0) throw new WeightsError(problems);
    },
    read: async (name, byteOffset, byteLength, within) => {
      if (!fileTensors.has(name)) await source.open([name], within);
      return readFileTensor(fileTensors, name, byteOffset, byteLength, within);
    },
    close: async () => {
      closed = true;
      await Promise.all([...opened.values()].map((file) => file.close()));
    },
  };
  return source;
}

/** A source of opened safetensors files, with all their tensors. If opening fails, all files are closed. */
export async function openFiles(files: readonly RangeFile[], signal?: AbortSignal): Promise<WeightSource> {
  const closeAll = async (): Promise<void> => {
    await Promise.all(files.map((file) => file.close()));
  };
  try {
    const fileTensors = await fileTensorsOf(files, signal);
    return {
      tensors: new Map([...fileTensors].map(([name, { tensor }]) => [name, tensor])),
      read: (name, byteOffset, byteLength, within) => readFileTensor(fileTensors, name, byteOffset, byteLength, within),
      close: closeAll,
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

interface FileTensor {
  readonly file: RangeFile;
  readonly tensor: TensorInfo;
}

async function readFileTensor(
  fileTensors: ReadonlyMap<string, FileTensor>,
  name: string,
  byteOffset: number,
  byteLength: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const fileTensor = fileTensors.get(name);
  if (fileTensor === undefined) throw unknownTensor(name);
  if (byteOffset < 0 || byteLength < 0 || byteOffset + byteLength > fileTensor.tensor.byteLength) {
    throw new InputError('MOE0708', `a range outside of the tensor ${quoteName(name)} was asked for`);
  }
  return readExactly(fileTensor.file, fileTensor.tensor.byteOffset + byteOffset, byteLength, signal);
}

async function fileTensorsOf(
  files: readonly RangeFile[],
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, FileTensor>> {
  const problems: WeightsProblem[] = [];
  const fileTensors = new Map<string, FileTensor>();
  for (const file of files) {
    signal?.throwIfAborted();
    let header: Header;
    try {
      header = await readHeader(file, signal);
    } catch (error) {
      if (!(error instanceof WeightsError)) throw error;
      problems.push(...error.problems);
      continue;
    }
    for (const [name, tensor] of header.tensors) {
      const other = fileTensors.get(name);
      if (other !== undefined) {
        const message = `${quoteName(name)} is also in ${other.file.name}`;
        problems.push({ code: 'MOE0622', message, file: file.name, tensor: name });
      } else {
        fileTensors.set(name, { file, tensor });
      }
    }
  }
  if (problems.length > 0) throw new WeightsError(problems);
  return fileTensors;
}

async function readHeader(file: RangeFile, signal: AbortSignal | undefined): Promise<Header> {
  const prefix = await file.read(0, PREFIX_BYTES, signal);
  const length = parseHeaderLength(prefix, file.size, file.name);
  const bytes = await readExactly(file, 0, PREFIX_BYTES + length, signal);
  return parseHeader(bytes, file.size, file.name);
}

/** Reads in pieces of at most PIECE_BYTES; a file that ends early was cut short after it was opened. */
async function readExactly(file: RangeFile, offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array> {
  if (length <= PIECE_BYTES) {
    const bytes = await file.read(offset, length, signal);
    if (bytes.length !== length) throw changed(file.name);
    return bytes;
  }
  const whole = new Uint8Array(length);
  for (let at = 0; at < length; at += PIECE_BYTES) {
    signal?.throwIfAborted();
    const wanted = Math.min(PIECE_BYTES, length - at);
    const bytes = await file.read(offset + at, wanted, signal);
    if (bytes.length !== wanted) throw changed(file.name);
    whole.set(bytes, at);
  }
  return whole;
}

function changed(file: string): WeightsError {
  return weightsFault('MOE0616', 'the file was cut short or changed while it was read', { file });
}

function unknownTensor(name: string): WeightsError {
  return weightsFault('MOE0630', `there is no tensor ${quoteName(name)}`, { tensor: name });
}

/** Larger indices than this describe more tensors than any file may hold. */
export const MAX_INDEX_BYTES = 64 * 2 ** 20;

/**
 * The index of a sharded checkpoint, tensor → file name. File names have to be plain: nothing in an index may lead
 * elsewhere. Throws WeightsError (MOE0618, MOE0620).
 */
export function parseShardIndex(bytes: Uint8Array, file: string): ReadonlyMap<string, string> {
  const malformed = (why: string): WeightsError => weightsFault('MOE0620', `the index is malformed: ${why}`, { file });
  if (bytes.length > MAX_INDEX_BYTES) throw malformed('it is too large');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw malformed('it is not UTF-8');
  }
  let value;
  try {
    value = parseJson(text);
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error;
    throw malformed(error.message);
  }
  const map = isJsonObject(value) ? value.get('weight_map') : undefined;
  if (!isJsonObject(map)) throw malformed('it has no weight_map');
  const index = new Map<string, string>();
  const problems: WeightsProblem[] = [];
  for (const [name, shard] of map) {
    if (typeof shard !== 'string') throw malformed(`${quoteName(name)} has no file name`);
    if (!/^[\w][\w.+=@ -]*$/u.test(shard)) {
      const message = `the index names ${quoteName(shard)}, which is not a plain file name`;
      problems.push({ code: 'MOE0618', message, file, tensor: name });
    }
    index.set(name, shard);
  }
  if (problems.length > 0) throw new WeightsError(problems);
  return index;
}
