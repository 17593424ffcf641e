/** What is written never replaces what is no file: links are followed, pipes and devices written into, modes and names kept. */
import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checkWritable, writeFileAtomic, writeFilesAtomic } from '../../compiler/cli/terminal/io.ts';
import { scratch } from './support.ts';

let folder: ReturnType<typeof scratch>;
beforeEach(() => (folder = scratch()));
afterEach(() => folder.remove());

const at = (...names: readonly string[]): string => join(folder.path, ...names);
const text = (...names: readonly string[]): string => readFileSync(at(...names), 'utf8');

describe('links', () => {
  test.each([
    ['beside the file', 'file', ['file']],
    ['in another folder', join('sub', 'file'), ['sub', 'file']],
  ])('a link to a file %s stands, and the file behind it is written', async (_, target, real) => {
    mkdirSync(at('sub'));
    writeFileSync(at(...real), 'before');
    symlinkSync(target, at('link'));
    await writeFileAtomic(at('link'), 'after');
    expect(readlinkSync(at('link'))).toBe(target);
    expect(text(...real)).toBe('after');
    expect(readdirSync(at('sub')).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  test('a link to a link to nothing makes the file that the last one names', async () => {
    symlinkSync('second', at('first'));
    symlinkSync('file', at('second'));
    await writeFileAtomic(at('first'), 'after');
    expect(lstatSync(at('first')).isSymbolicLink() && lstatSync(at('second')).isSymbolicLink()).toBe(true);
    expect(text('file')).toBe('after');
  });

  test('links in a circle, and a link to a folder, are refused', async () => {
    symlinkSync('b', at('a'));
    symlinkSync('a', at('b'));
    await expect(writeFileAtomic(at('a'), 'x')).rejects.toMatchObject({ exitCode: 74 });
    mkdirSync(at('folder'));
    symlinkSync('folder', at('link'));
    await expect(writeFileAtomic(at('link'), 'x')).rejects.toMatchObject({ exitCode: 74 });
    await expect(checkWritable(at('link'))).rejects.toThrow('this is a folder');
  });

  test('a file of two names keeps both', async () => {
    writeFileSync(at('one'), 'before, and longer');
    linkSync(at('one'), at('two'));
    await writeFileAtomic(at('one'), 'after');
    expect(text('two')).toBe('after');
    expect(statSync(at('one')).ino).toBe(statSync(at('two')).ino);
  });

  test('files of a module are written behind the links that stand for them', async () => {
    mkdirSync(at('out'));
    writeFileSync(at('elsewhere.js'), 'before');
    symlinkSync('../elsewhere.js', at('out', 'model.js'));
    await writeFilesAtomic(at('out'), [
      { path: 'model.js', bytes: 'after' },
      { path: 'new.js', bytes: 'new' },
    ]);
    expect(lstatSync(at('out', 'model.js')).isSymbolicLink()).toBe(true);
    expect(text('elsewhere.js')).toBe('after');
    expect(text('out', 'new.js')).toBe('new');
  });

  test('a folder behind a link to nothing appears where the link leads', async () => {
    symlinkSync('real', at('out'));
    await writeFilesAtomic(at('out'), [{ path: 'model.js', bytes: 'new' }]);
    expect(lstatSync(at('out')).isSymbolicLink()).toBe(true);
    expect(text('real', 'model.js')).toBe('new');
  });
});

describe('modes', () => {
  test.each([0o600, 0o640, 0o755, 0o666])('%o stays', async (mode) => {
    writeFileSync(at('file'), 'before');
    chmodSync(at('file'), mode);
    await writeFileAtomic(at('file'), 'after');
    expect(text('file')).toBe('after');
    expect(statSync(at('file')).mode & 0o777).toBe(mode);
  });

  test('stay through a link, and in a folder of several files', async () => {
    writeFileSync(at('file'), 'before');
    chmodSync(at('file'), 0o600);
    symlinkSync('file', at('link'));
    await writeFilesAtomic(folder.path, [{ path: 'link', bytes: 'after' }]);
    expect(statSync(at('file')).mode & 0o777).toBe(0o600);
  });
});

describe('what is no file', () => {
  test('a pipe is written into, more than it holds at once', async () => {
    execFileSync('mkfifo', [at('pipe')]);
    const bytes = Buffer.alloc(1_000_000, 7);
    const reader = spawn('sh', ['-c', `sleep 0.2; cat "${at('pipe')}" > "${at('got')}"`]);
    const ended = new Promise((done) => reader.on('close', done));
    await writeFileAtomic(at('pipe'), bytes);
    await ended;
    expect(lstatSync(at('pipe')).isFIFO()).toBe(true);
    expect(readFileSync(at('got')).equals(bytes)).toBe(true);
  });

  test('a device stays a device', async () => {
    // A copy of /dev/null, so that a mistake here harms nobody; only root makes one, for others the real one is as safe.
    let device = at('null');
    try {
      execFileSync('mknod', [device, 'c', '1', '3'], { stdio: 'ignore' });
    } catch {
      device = '/dev/null';
    }
    await writeFileAtomic(device, 'gone');
    expect(lstatSync(device).isCharacterDevice()).toBe(true);
  });

  test('a socket is refused', async () => {
    const server = createServer();
    await new Promise<void>((done) => server.listen(at('socket'), done));
    await expect(writeFileAtomic(at('socket'), 'x')).rejects.toThrow('this is a socket');
    await new Promise((done) => server.close(done));
  });
});
