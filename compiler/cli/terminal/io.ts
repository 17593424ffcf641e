/**
 * Files, read and written so that nobody ever sees half of one.
 *
 * Invariants:
 * - What is written is staged in a folder beside its target (same volume), flushed to the disk, and renamed into place as the
 *   last step. On any failure, and on signals, the staging folder is removed and what was there before is untouched.
 * - Only files are replaced: what else stands at a path is written into or refused, and links are followed (output-target.ts).
 * - Staging folders of processes that died are removed when the next one writes to the same place.
 * - A failed file operation is a `CliError` with exit code 74 that names the path as the user wrote it.
 */
import { createHash, randomBytes } from 'node:crypto';
import { rmSync, type Stats } from 'node:fs';
import { link, lstat, mkdir, mkdtemp, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { CliError } from './cli-error.ts';
import { exitCodes } from './exit.ts';
import { fileFaultOf } from './file-faults.ts';
import { keepAttributes, outputTarget, writeInto } from './output-target.ts';

/** `cannot read IN: there is no such file or folder`, exit code 74; anything that is no file fault is passed on. */
export function ioError(verb: 'read' | 'write', path: string, error: unknown): unknown {
  if (error instanceof CliError) return error;
  const fault = fileFaultOf(error);
  if (fault === null) return error;
  return new CliError(exitCodes.io, `cannot ${verb} ${path}: ${fault.text} (${fault.code})`, { cause: error });
}

/** The bytes of a regular file, at most `most` of them: a pipe or a device that never ends is refused. */
export async function readBytes(path: string, maxBytes = 2 ** 31): Promise<Uint8Array> {
  try {
    const stats = await stat(path);
    if (stats.isDirectory()) throw new CliError(exitCodes.io, `cannot read ${path}: this is a folder`);
    if (!stats.isFile()) throw new CliError(exitCodes.io, `cannot read ${path}: this is not a regular file`);
    if (stats.size > maxBytes)
      throw new CliError(exitCodes.io, `cannot read ${path}: ${stats.size} bytes are too many`);
    return await readFile(path);
  } catch (error) {
    throw ioError('read', path, error);
  }
}

/** What stands at a path, or null. */
export async function statOrNull(path: string): Promise<Stats | null> {
  try {
    return await stat(path);
  } catch (error) {
    const fault = fileFaultOf(error);
    if (fault?.code === 'ENOENT' || fault?.code === 'ENOTDIR') return null;
    throw ioError('read', path, error);
  }
}

/** A file to be written; `path` is relative to the folder written to. */
export interface OutputFile {
  readonly path: string;
  readonly bytes: Uint8Array | string;
}

/** Replaces one file as a whole, behind links if need be; a pipe or a device is written into. */
export async function writeFileAtomic(path: string, bytes: Uint8Array | string): Promise<void> {
  try {
    const target = await outputTarget(path);
    if (target.kind === 'into') return await writeInto(target, bytes);
    const parent = dirname(target.path);
    await mkdir(parent, { recursive: true });
    await inStaging(parent, async (staging) => {
      const staged = { path: basename(target.path), bytes };
      await stageFile(staging, staged, target.stats);
      await renameFile(join(staging, staged.path), target.path, bytes);
      await flushFolder(parent);
    });
  } catch (error) {
    throw ioError('write', path, error);
  }
}

/** Throws CliError 74 where `path` cannot be written, as far as that can be known before: to be asked before long work. */
export async function checkWritable(path: string): Promise<void> {
  try {
    await outputTarget(path);
  } catch (error) {
    throw ioError('write', path, error);
  }
}

/**
 * Writes files into a folder. A folder that is not there yet appears with all of them at once; in one that is, each file is
 * replaced as a whole, in the order given: what others refer to goes first.
 */
export async function writeFilesAtomic(folder: string, files: readonly OutputFile[]): Promise<void> {
  try {
    const there = await statOrNull(folder);
    if (there !== null && !there.isDirectory())
      throw new CliError(exitCodes.io, `cannot write ${folder}: this is not a folder`);
    const target = there === null ? (await outputTarget(folder)).path : resolve(folder);
    const parent = there === null ? dirname(target) : target;
    await mkdir(parent, { recursive: true });
    await inStaging(parent, async (staging) => {
      const inside = there === null ? join(staging, 'new') : staging;
      await stage(inside, files);
      if (there === null) await renameFolder(inside, target, files);
      else await place(inside, target, files);
      await flushFolder(parent);
    });
  } catch (error) {
    throw ioError('write', folder, error);
  }
}

/** Writes files that must not be there yet; if one is, nothing is written at all. Returns the names that were in the way. */
export async function createFiles(folder: string, files: readonly OutputFile[]): Promise<readonly string[]> {
  try {
    await mkdir(folder, { recursive: true });
    return await inStaging(resolve(folder), async (staging) => {
      const taken: string[] = [];
      for (const { path } of files) if ((await existing(join(folder, path))) !== null) taken.push(path);
      if (taken.length > 0) return taken;
      await stage(staging, files);
      const made: string[] = [];
      try {
        for (const { path } of files) {
          // A link, unlike a rename, fails where somebody else was faster.
          await link(join(staging, path), join(folder, path));
          made.push(path);
        }
      } catch (error) {
        for (const path of made) await rm(join(folder, path), { force: true });
        if (fileFaultOf(error)?.code === 'EEXIST') return files.map((f) => f.path).slice(made.length, made.length + 1);
        throw error;
      }
      return [];
    });
  } catch (error) {
    throw ioError('write', folder, error);
  }
}

async function existing(path: string): Promise<Stats | null> {
  try {
    return await lstat(path);
  } catch (error) {
    if (fileFaultOf(error)?.code === 'ENOENT') return null;
    throw error;
  }
}

async function stage(folder: string, files: readonly OutputFile[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const file of files) await stageFile(folder, file, null);
}

/** `stats` are those of the file to be replaced: nobody may read the new one who could not read the old one. */
async function stageFile(folder: string, { path, bytes }: OutputFile, stats: Stats | null): Promise<void> {
  const file = join(folder, path);
  await mkdir(dirname(file), { recursive: true });
  const handle = await open(file, 'w', stats === null ? 0o666 : 0o600);
  try {
    await handle.writeFile(bytes);
    await keepAttributes(handle, stats);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function place(from: string, to: string, files: readonly OutputFile[]): Promise<void> {
  // Whatever can be known to fail is looked at before the first file is replaced.
  const targets = [];
  for (const { path, bytes } of files) {
    const target = await outputTarget(join(to, path));
    targets.push({ path, bytes, target });
    if (target.kind === 'file') await mkdir(dirname(target.path), { recursive: true });
  }
  for (const { path, bytes, target } of targets) {
    if (target.kind === 'file' && target.stats === null) await renameFile(join(from, path), target.path, bytes);
    else await writeFileAtomic(join(to, path), bytes);
  }
}

/** In one step; where another volume is mounted at the very file, by writing into it. */
async function renameFile(from: string, to: string, bytes: Uint8Array | string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    const code = fileFaultOf(error)?.code;
    if (code !== 'EBUSY' && code !== 'EXDEV') throw error;
    await writeInto({ kind: 'into', path: to, what: 'file' }, bytes);
  }
}

/** A whole folder in one step; if somebody made it meanwhile, file by file. */
async function renameFolder(from: string, to: string, files: readonly OutputFile[]): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    const code = fileFaultOf(error)?.code;
    if (code !== 'EEXIST' && code !== 'ENOTEMPTY') throw error;
    await place(from, to, files);
  }
}

/** Makes renames last through a power cut, where the system lets folders be flushed. */
async function flushFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch {
    // Not every file system has this; the files themselves are flushed.
  }
}

/** `.moec-PID-HOST-…`: whose it is can be read off the name. */
const stagingName = /^\.moec-(\d+)-([0-9a-f]{8})-\w+$/;
const hostMark = (): string => createHash('sha256').update(hostname()).digest('hex').slice(0, 8);

/** A day: nobody writes a model that long. */
const oldest = 24 * 3600 * 1000;

async function inStaging<T>(parent: string, work: (folder: string) => Promise<T>): Promise<T> {
  await sweep(parent);
  const mark = randomBytes(2).toString('hex');
  const folder = await mkdtemp(join(parent, `.moec-${process.pid}-${hostMark()}-${mark}`));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove);
  try {
    return await work(folder);
  } finally {
    process.off('exit', remove);
    remove();
  }
}

/** Removes staging folders whose process is gone, or which are a day old. */
async function sweep(parent: string): Promise<void> {
  const mine = hostMark();
  for (const name of await readdir(parent)) {
    const match = stagingName.exec(name);
    if (match === null) continue;
    try {
      const { mtimeMs } = await stat(join(parent, name));
      const gone = match[2] === mine && !isAlive(Number(match[1]));
      if (gone || Date.now() - mtimeMs > oldest) await rm(join(parent, name), { recursive: true, force: true });
    } catch {
      // Another process was faster.
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return fileFaultOf(error)?.code === 'EPERM';
  }
}
