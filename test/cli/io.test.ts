/** Files as a whole or not at all; what is left of processes that died; what errors mean for the exit code. */
import { existsSync, mkdirSync, readFileSync, readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CliError } from '../../compiler/cli/terminal/cli-error.ts';
import { exitCodeOf } from '../../compiler/cli/terminal/failures.ts';
import { createFiles, writeFileAtomic, writeFilesAtomic } from '../../compiler/cli/terminal/io.ts';
import { CompilerBug } from '../../dsl/diagnostics/bug.ts';
import {
  DeviceLostError,
  InputError,
  MoecError,
  OutOfMemoryError,
  RequirementsError,
  RunError,
  TimeoutError,
  WeightsError,
} from '../../runtime/contract/errors.ts';
import { scratch } from './support.ts';

let folder: ReturnType<typeof scratch>;
beforeEach(() => (folder = scratch()));
afterEach(() => folder.remove());

const hidden = (): readonly string[] => readdirSync(folder.path).filter((name) => name.startsWith('.'));

describe('writing', () => {
  test('replaces a file, and leaves nothing else', async () => {
    const file = folder.file('a', 'old');
    await writeFileAtomic(file, 'new');
    expect(readFileSync(file, 'utf8')).toBe('new');
    expect(readdirSync(folder.path)).toEqual(['a']);
  });

  test('makes the folders on the way, and keeps what else is in them', async () => {
    await writeFilesAtomic(join(folder.path, 'a', 'b'), [{ path: 'c/d', bytes: '1' }]);
    await writeFilesAtomic(join(folder.path, 'a', 'b'), [{ path: 'e', bytes: '2' }]);
    expect(readFileSync(join(folder.path, 'a', 'b', 'c', 'd'), 'utf8')).toBe('1');
    expect(readFileSync(join(folder.path, 'a', 'b', 'e'), 'utf8')).toBe('2');
  });

  test('what is in the way of one file keeps all as they were', async () => {
    folder.file('first', 'old');
    mkdirSync(join(folder.path, 'second'));
    const files = [
      { path: 'first', bytes: 'new' },
      { path: 'second', bytes: 'new' },
    ];
    await expect(writeFilesAtomic(folder.path, files)).rejects.toMatchObject({ exitCode: 74 });
    expect(readFileSync(join(folder.path, 'first'), 'utf8')).toBe('old');
    expect(hidden()).toEqual([]);
  });

  test('creating never replaces', async () => {
    folder.file('b', 'mine');
    const files = ['a', 'b'].map((path) => ({ path, bytes: 'new' }));
    expect(await createFiles(folder.path, files)).toEqual(['b']);
    expect(readdirSync(folder.path)).toEqual(['b']);
    expect(readFileSync(join(folder.path, 'b'), 'utf8')).toBe('mine');
  });

  test('what a dead process left is swept, what a living one works on is not', async () => {
    await writeFileAtomic(folder.file('a'), '1');
    const [mine] = await namesWhile(() => writeFileAtomic(folder.file('a'), '2'));
    const host = /^\.moec-\d+-(\w{8})-/.exec(mine ?? '')?.[1] ?? '';
    expect(host).not.toBe('');
    // No process has the largest number there is.
    const dead = `.moec-4194999-${host}-x`;
    const alive = `.moec-${process.pid}-${host}-x`;
    const old = `.moec-1-00000000-x`;
    for (const name of [dead, alive, old]) mkdirSync(join(folder.path, name));
    const before = new Date(Date.now() - 48 * 3600 * 1000);
    utimesSync(join(folder.path, old), before, before);
    await writeFileAtomic(folder.file('a'), '3');
    expect(hidden()).toEqual([alive]);
  });

  /** Names of hidden entries that appear while something is written. */
  async function namesWhile(work: () => Promise<void>): Promise<readonly string[]> {
    const seen = new Set<string>();
    let done = false;
    const writing = work().then(() => (done = true));
    while (!done) {
      for (const name of hidden()) seen.add(name);
      await new Promise((next) => setImmediate(next));
    }
    await writing;
    return [...seen];
  }

  test('errors name the path and the reason', async () => {
    const error = await writeFileAtomic(join(folder.file('a', 'x'), 'b'), '1').catch((e: unknown) => e);
    expect(error).toBeInstanceOf(CliError);
    expect(error).toMatchObject({ exitCode: 74, message: expect.stringContaining(join('a', 'b')) });
    expect(existsSync(join(folder.path, 'a'))).toBe(true);
  });
});

describe('exit codes', () => {
  const system = (code: string): Error => Object.assign(new Error(code), { code });
  test.each([
    ['a mistake in the input', new InputError('MOE0706', 'x'), 1],
    ['faults in weights', new WeightsError([{ code: 'MOE0630', message: 'x' }]), 1],
    ['a run that went wrong', new RunError('MOE0720', 'x', 'a.moe:1:1', new Map()), 1],
    ['no adapter', new MoecError('MOE0701', 'x'), 3],
    ['a limit that is missing', new RequirementsError(['x']), 3],
    ['a plan that does not fit', new OutOfMemoryError('MOE0705', 'x', 1, 1), 3],
    ['memory ran out', new OutOfMemoryError('MOE0704', 'x', 1, null), 4],
    ['a lost device', new DeviceLostError('unknown', ''), 4],
    ['no answer in time', new TimeoutError(1), 4],
    ['a kernel that is refused', new MoecError('MOE0700', 'x'), 70],
    ['a bug', new CompilerBug('schedule', 'x'), 70],
    ['any other error', new TypeError('x'), 70],
    ['a full disk', system('ENOSPC'), 74],
    ['a file that is not there', system('ENOENT'), 74],
  ])('%s', (_, error, code) => expect(exitCodeOf(error)).toBe(code));
});
