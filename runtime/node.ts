/**
 * What only Node has: weights from files, and a device from the npm package `webgpu`. The one file of the runtime that
 * imports from Node, and a module of its own so that bundles for browsers never see it.
 *
 * Invariants:
 * - Only regular files are read, through one open handle each; their size is the handle's.
 * - No path that a checkpoint names leads out of the folder that the caller named.
 * - The object that `webgpu` hands out stays referenced as long as one of its devices lives: the process dies if it is
 *   collected before.
 */
import { constants } from 'node:fs';
import { type FileHandle, open, readdir, realpath, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative, isAbsolute, sep } from 'node:path';
import { type DeviceOptions, requestDeviceFrom } from './running/device.ts';
import { MoecError, weightsFault } from './contract/errors.ts';
import { quoteName } from './weights/json.ts';
import {
  MAX_INDEX_BYTES,
  PIECE_BYTES,
  type RangeFile,
  type WeightSource,
  openFiles,
  openShards,
  parseShardIndex,
} from './weights/weight-source.ts';

/** Weights in one safetensors file. */
export async function fromFile(path: string): Promise<WeightSource> {
  return openFiles([await openFile(path, basename(path))]);
}

export interface DirectoryOptions {
  /**
   * Files may be links to anywhere below this folder. Unless given, it is the folder of the checkpoint itself, or of the repository in
   * a cache of the Hugging Face hub; another cache that keeps files apart from the folder that links to them needs its own root here.
   */
  readonly root?: string;
  readonly signal?: AbortSignal;
}

const INDEX_NAME = 'model.safetensors.index.json';
const SINGLE_NAME = 'model.safetensors';

/**
 * Weights of a checkpoint folder: the files of `model.safetensors.index.json`, else `model.safetensors`, else the only
 * safetensors file there is. Throws WeightsError.
 */
export async function fromDirectory(path: string, options: DirectoryOptions = {}): Promise<WeightSource> {
  let names: readonly string[];
  try {
    names = await readdir(path);
  } catch (error) {
    throw missingFile(path, error);
  }
  const folder = await realpath(path);
  const root = options.root === undefined ? await rootOf(folder) : await realpath(options.root);
  if (names.includes(INDEX_NAME)) {
    const index = parseShardIndex(await readWhole(await contained(folder, root, INDEX_NAME)), INDEX_NAME);
    return openShards(index, async (shard) => openFile(await contained(folder, root, shard), shard));
  }
  const files = names.filter((name) => name.endsWith('.safetensors')).sort();
  const name = files.includes(SINGLE_NAME) ? SINGLE_NAME : files.length === 1 ? files[0] : undefined;
  if (name === undefined) {
    const found = files.length === 0 ? 'no safetensors file' : `${files.length} safetensors files and no index of them`;
    throw weightsFault('MOE0621', `the folder has ${found}`, { file: basename(folder) });
  }
  return openFiles([await openFile(await contained(folder, root, name), name)], options.signal);
}

/**
 * The folder that links of a checkpoint may lead into: its own; in a cache of the Hugging Face hub, whose `snapshots/REVISION` links to
 * `blobs`, that of the repository.
 */
async function rootOf(folder: string): Promise<string> {
  for (let at = folder; dirname(at) !== at; at = dirname(at)) {
    if (basename(at) !== 'snapshots') continue;
    const repository = dirname(at);
    const blobs = await stat(join(repository, 'blobs')).catch(() => null);
    if (at !== folder && blobs?.isDirectory() === true) return repository;
  }
  return folder;
}

/** The real path of a file of a folder, if it is below the root. */
async function contained(folder: string, root: string, name: string): Promise<string> {
  let real: string;
  try {
    real = await realpath(join(folder, name));
  } catch (error) {
    throw missingFile(name, error);
  }
  const way = relative(root, real);
  if (way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way)) {
    throw weightsFault('MOE0618', 'this is a link to a file outside of the folder', { file: name });
  }
  return real;
}

async function openFile(path: string, name: string): Promise<RangeFile> {
  let handle: FileHandle;
  try {
    // A look first, since opening a device may do things; and no waiting, since opening a pipe waits for a writer.
    if (!(await stat(path)).isFile()) throw weightsFault('MOE0617', 'this is not a regular file', { file: name });
    handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    throw missingFile(name, error);
  }
  const stats = await handle.stat();
  if (!stats.isFile()) {
    await handle.close();
    throw weightsFault('MOE0617', 'this is not a regular file', { file: name });
  }
  return {
    name,
    size: stats.size,
    read: (offset, length) => readRange(handle, offset, length),
    close: () => handle.close(),
  };
}

/** Reads until the range is full or the file ends; systems may hand out less than asked for. */
async function readRange(handle: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const wanted = Math.min(length - filled, PIECE_BYTES);
    const { bytesRead } = await handle.read(bytes, filled, wanted, offset + filled);
    if (bytesRead === 0) return bytes.subarray(0, filled);
    filled += bytesRead;
  }
  return bytes;
}

async function readWhole(path: string): Promise<Uint8Array> {
  const file = await openFile(path, basename(path));
  try {
    if (file.size > MAX_INDEX_BYTES) throw weightsFault('MOE0620', 'the index is too large', { file: file.name });
    return await file.read(0, file.size);
  } finally {
    await file.close();
  }
}

function missingFile(name: string, error: unknown): unknown {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return weightsFault('MOE0621', `there is no file ${quoteName(basename(name))}`, { file: name });
  }
  if (code === 'ENXIO') return weightsFault('MOE0617', 'this is not a regular file', { file: name });
  return error;
}

export interface NodeDeviceOptions extends Omit<DeviceOptions, 'gpu'> {
  /** Options of the package's `create`, for instance `backend=null` for a device that only validates. */
  readonly dawnOptions?: readonly string[];
}

/** Entry points whose devices live: the process dies if one is collected. */
const kept = new Set<GPU>();

/**
 * A device from the npm package `webgpu`, which has to be installed beside this one. Throws MoecError MOE0701 where the
 * package or an adapter is missing, RequirementsError where the adapter does not suffice.
 */
export async function requestDevice(options: NodeDeviceOptions = {}): Promise<GPUDevice> {
  const gpu = await createGpu(options.dawnOptions ?? []);
  kept.add(gpu);
  try {
    const device = await requestDeviceFrom(gpu, options);
    void device.lost.then(() => kept.delete(gpu));
    return device;
  } catch (error) {
    kept.delete(gpu);
    throw error;
  }
}

async function createGpu(options: readonly string[]): Promise<GPU> {
  // The Vulkan loader complains on stderr where a session has no such folder.
  process.env.XDG_RUNTIME_DIR ||= tmpdir();
  let create: (options: string[]) => GPU;
  try {
    ({ create } = await import('webgpu'));
  } catch (error) {
    throw new MoecError('MOE0701', 'the npm package webgpu is not installed or does not load here', { cause: error });
  }
  return create([...options]);
}
