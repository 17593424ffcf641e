/**
 * What stands where something is to be written, and how it is written there without replacing what it is: links are
 * followed, devices, pipes and terminals are written into, a file keeps its mode, its owner and its other names.
 */
import { constants, fstat as fstatOf, open as openDescriptor, type Stats } from 'node:fs';
import { access, lstat, open, readlink, realpath, stat, type FileHandle } from 'node:fs/promises';
import { Socket } from 'node:net';
import { dirname, resolve } from 'node:path';
import { promisify } from 'node:util';
import { CliError } from './cli-error.ts';
import { exitCodes } from './exit.ts';
import { fileFaultOf } from './file-faults.ts';

const fstat = promisify(fstatOf);
const openFd = promisify(openDescriptor);

/** How a path is written. */
export type OutputTarget =
  /** A file to be put in place as a whole; `stats` are those of the file that is there now, whose mode stays. */
  | { readonly kind: 'file'; readonly path: string; readonly stats: Stats | null }
  /** Something that cannot be replaced by a file of the same meaning: its bytes are written where it is. */
  | { readonly kind: 'into'; readonly path: string; readonly what: 'pipe' | 'device' | 'stdout' | 'file' };

/** As many links as the system itself follows. */
const maxLinks = 40;

/** Milliseconds to wait for a reader of a pipe: longer than a shell takes to start one. */
const readerWait = 10_000;

/**
 * How `path` is written. Nothing is opened or changed. Throws CliError 74 for a folder, a socket, or a file that may not
 * be written; file faults as they are.
 */
export async function outputTarget(path: string): Promise<OutputTarget> {
  const stats = await whatIs(path);
  if (stats === null) return { kind: 'file', path: await followed(path), stats: null };
  const refuse = (why: string): never => {
    throw new CliError(exitCodes.io, `cannot write ${path}: ${why}`);
  };
  if (stats.isDirectory()) return refuse('this is a folder');
  if (stats.isSocket()) return refuse('this is a socket');
  if (await isStdout(stats)) return { kind: 'into', path, what: 'stdout' };
  await access(path, constants.W_OK);
  if (stats.isFIFO()) return { kind: 'into', path, what: 'pipe' };
  if (!stats.isFile()) return { kind: 'into', path, what: 'device' };
  // A file of several names would lose the others; one that has no name any more, but a descriptor, has no place.
  if (stats.nlink !== 1) return { kind: 'into', path, what: 'file' };
  return { kind: 'file', path: await realpath(path), stats };
}

/** Writes into what must not be replaced. What was there is lost as soon as the writing begins. */
export async function writeInto(
  target: OutputTarget & { readonly kind: 'into' },
  bytes: Uint8Array | string,
): Promise<void> {
  switch (target.what) {
    case 'stdout':
      return new Promise((done, failed) => {
        process.stdout.write(bytes, (error) => (error instanceof Error ? failed(error) : done()));
      });
    case 'pipe':
      return writePipe(target.path, bytes);
    case 'device':
      return writeOpen(await open(target.path, constants.O_WRONLY | constants.O_NOCTTY), bytes);
    case 'file':
      return writeOpen(
        await open(target.path, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC),
        bytes,
        true,
      );
  }
}

/** Gives a new file the mode and, where that is permitted, the owner of the one that it is to replace. */
export async function keepAttributes(handle: FileHandle, stats: Stats | null): Promise<void> {
  if (stats === null) return;
  const own = await handle.stat();
  try {
    if (own.uid !== stats.uid || own.gid !== stats.gid) await handle.chown(stats.uid, stats.gid);
  } catch (error) {
    if (fileFaultOf(error)?.code !== 'EPERM') throw error;
  }
  await handle.chmod(stats.mode & 0o7777);
}

async function whatIs(path: string): Promise<Stats | null> {
  try {
    return await stat(path);
  } catch (error) {
    if (fileFaultOf(error)?.code === 'ENOENT') return null;
    throw error;
  }
}

/** Where a path leads of which nothing is there yet: a link to nothing names the file that is to be made. */
async function followed(path: string): Promise<string> {
  let at = resolve(path);
  for (let links = 0; links < maxLinks; links++) {
    try {
      if (!(await lstat(at)).isSymbolicLink()) return at;
    } catch (error) {
      if (fileFaultOf(error)?.code === 'ENOENT') return at;
      throw error;
    }
    at = resolve(dirname(at), await readlink(at));
  }
  throw new CliError(exitCodes.io, `cannot write ${path}: too many links follow one another`);
}

/** Whether this is what stdout of this process is, under whatever name: `/dev/stdout`, `/proc/self/fd/1`, a file. */
async function isStdout(stats: Stats): Promise<boolean> {
  try {
    const own = await fstat(1);
    // Every process has the same /dev/null, and a terminal is written by its name as well.
    return !stats.isCharacterDevice() && own.dev === stats.dev && own.ino === stats.ino;
  } catch {
    return false;
  }
}

async function writeOpen(handle: FileHandle, bytes: Uint8Array | string, flush = false): Promise<void> {
  try {
    await handle.writeFile(bytes);
    if (flush) await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Opened without waiting in a thread, which no signal would end; then written as its reader takes it. */
async function writePipe(path: string, bytes: Uint8Array | string): Promise<void> {
  const started = Date.now();
  let fd: number | null = null;
  while (fd === null) {
    try {
      fd = await openFd(path, constants.O_WRONLY | constants.O_NONBLOCK);
    } catch (error) {
      if (fileFaultOf(error)?.code !== 'ENXIO') throw error;
      if (Date.now() - started > readerWait)
        throw new CliError(exitCodes.io, `cannot write ${path}: nobody reads this pipe`, { cause: error });
      await new Promise((next) => setTimeout(next, 50));
    }
  }
  // From here on the descriptor is the socket's, which closes it.
  const socket = new Socket({ fd, readable: false, writable: true });
  await new Promise<void>((done, failed) => {
    socket.on('error', failed);
    socket.end(bytes, done);
  });
}
