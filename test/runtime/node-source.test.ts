/** Weights from the file system: what is a file, what belongs to the checkpoint, and what a hostile folder tries. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fromDirectory, fromFile } from '../../runtime/node.ts';
import { writeSafetensors } from '../../runtime/weights/safetensors.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'moec-source-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const put = (name: string, content: Uint8Array | string): string => {
  const path = join(root, name);
  writeFileSync(path, content);
  return path;
};
const tensorFile = (...names: readonly string[]): Uint8Array =>
  writeSafetensors(names.map((name) => ({ name, dtype: 'F32', shape: [2], data: Float32Array.of(1, 2) })));
const index = (map: Readonly<Record<string, string>>): string => JSON.stringify({ weight_map: map });
const INDEX = 'model.safetensors.index.json';

describe('a file', () => {
  it('is read by ranges', async () => {
    const source = await fromFile(put('w.safetensors', tensorFile('a')));
    const bytes = await source.read('a', 4, 4);
    expect(new DataView(bytes.buffer, bytes.byteOffset).getFloat32(0, true)).toBe(2);
    await source.close();
  });

  it('that shrinks while it is read is noticed', async () => {
    const path = put('w.safetensors', tensorFile('a'));
    const source = await fromFile(path);
    truncateSync(path, tensorFile('a').length - 4);
    await expect(source.read('a', 0, 8)).rejects.toMatchObject({ code: 'MOE0616' });
    await source.close();
  });

  it('larger than one read of Node is a matter of ranges', async () => {
    const header = '{"a":{"dtype":"U8","shape":[3221225472],"data_offsets":[0,3221225472]}}';
    const bytes = new Uint8Array(8 + header.length);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
    bytes.set(new TextEncoder().encode(header), 8);
    const path = put('big.safetensors', bytes);
    // Sparse: it takes no room on disk.
    truncateSync(path, bytes.length + 3221225472);
    const source = await fromFile(path);
    expect(await source.read('a', 3221225464, 8)).toEqual(new Uint8Array(8));
    await source.close();
  });

  it('that is a folder, a pipe or a device is none', async () => {
    mkdirSync(join(root, 'folder.safetensors'));
    await expect(fromFile(join(root, 'folder.safetensors'))).rejects.toMatchObject({ code: 'MOE0617' });
    execFileSync('mkfifo', [join(root, 'pipe.safetensors')]);
    await expect(fromFile(join(root, 'pipe.safetensors'))).rejects.toMatchObject({ code: 'MOE0617' });
    await expect(fromFile('/dev/zero')).rejects.toMatchObject({ code: 'MOE0617' });
  });

  it('that is not there is said to be missing', async () => {
    await expect(fromFile(join(root, 'none'))).rejects.toMatchObject({ code: 'MOE0621' });
  });
});

/** Opens everything that the folder's index names. */
async function opened(folder: string) {
  const source = await fromDirectory(folder);
  try {
    await source.open?.(source.names ?? []);
    return source;
  } catch (error) {
    await source.close();
    throw error;
  }
}

describe('a folder', () => {
  it('with one file', async () => {
    put('model.safetensors', tensorFile('a'));
    put('other.safetensors', tensorFile('b'));
    const source = await fromDirectory(root);
    expect([...source.tensors.keys()]).toEqual(['a']);
    await source.close();
  });

  it('with shards gives what the index names', async () => {
    put('s1.safetensors', tensorFile('a', 'extra'));
    put('s2.safetensors', tensorFile('b'));
    put(INDEX, index({ a: 's1.safetensors', b: 's2.safetensors' }));
    const source = await opened(root);
    expect([...source.tensors.keys()].sort()).toEqual(['a', 'b']);
    await source.close();
  });

  it.each<[string, () => void]>([
    ['is missing', () => undefined],
    ['is broken', () => put('s2.safetensors', 'nothing of the kind')],
    ['is a link out of the folder', () => symlinkSync('/etc/hostname', join(root, 's2.safetensors'))],
  ])('of which a shard %s gives what lies in the others', async (_, arrange) => {
    put('s1.safetensors', tensorFile('a'));
    put(INDEX, index({ a: 's1.safetensors', b: 's2.safetensors' }));
    arrange();
    const source = await fromDirectory(root);
    await source.open?.(['a', 'no such tensor']);
    expect([...source.tensors.keys()]).toEqual(['a']);
    await expect(source.open?.(['b'])).rejects.toThrow(/MOE06(?:01|18|21)/);
    await expect(source.read('b', 0, 1)).rejects.toThrow(/MOE06(?:01|18|21)/);
    await source.close();
  });

  it('of the Hugging Face cache may link to the blobs of its repository, and no further', async () => {
    mkdirSync(join(root, 'models--a--b', 'blobs'), { recursive: true });
    const snapshot = join(root, 'models--a--b', 'snapshots', 'abc');
    mkdirSync(snapshot, { recursive: true });
    put('models--a--b/blobs/1234', tensorFile('a'));
    put('secret', tensorFile('a'));
    symlinkSync('../../blobs/1234', join(snapshot, 'good.safetensors'));
    symlinkSync('../../../secret', join(snapshot, 'bad.safetensors'));
    put(`models--a--b/snapshots/abc/${INDEX}`, index({ a: 'good.safetensors', b: 'bad.safetensors' }));
    const source = await fromDirectory(snapshot);
    await source.open?.(['a']);
    expect(source.tensors.has('a')).toBe(true);
    await expect(source.open?.(['b'])).rejects.toMatchObject({ code: 'MOE0618' });
    await source.close();
  });

  it.each<[string, () => void, string]>([
    ['without weights', () => put('x.txt', ''), 'MOE0621'],
    [
      'with several files and no index',
      () => [put('a.safetensors', tensorFile('a')), put('b.safetensors', tensorFile('b'))],
      'MOE0621',
    ],
    ['whose shard is missing', () => put(INDEX, index({ a: 's1.safetensors' })), 'MOE0621'],
    [
      'whose tensor is in another shard',
      () => {
        put('s1.safetensors', tensorFile('a'));
        put('s2.safetensors', tensorFile('b'));
        put(INDEX, index({ a: 's2.safetensors', b: 's2.safetensors' }));
      },
      'MOE0622',
    ],
    [
      'whose tensor is in no shard',
      () => {
        put('s1.safetensors', tensorFile('a'));
        put(INDEX, index({ z: 's1.safetensors' }));
      },
      'MOE0622',
    ],
    [
      'with a tensor in two shards',
      () => {
        put('s1.safetensors', tensorFile('a', 'c'));
        put('s2.safetensors', tensorFile('b', 'c'));
        put(INDEX, index({ a: 's1.safetensors', b: 's2.safetensors', c: 's1.safetensors' }));
      },
      'MOE0622',
    ],
    ['whose index leads out of it', () => put(INDEX, index({ a: '../secret.safetensors' })), 'MOE0618'],
    ['whose index is broken', () => put(INDEX, '{'), 'MOE0620'],
    ['whose file is a link out of it', () => symlinkSync('/etc/hostname', join(root, 'model.safetensors')), 'MOE0618'],
    ['whose index is a link out of it', () => symlinkSync('/etc/hostname', join(root, INDEX)), 'MOE0618'],
  ])('%s is refused', async (_, arrange, code) => {
    arrange();
    await expect(opened(root)).rejects.toMatchObject({ code });
  });

  it('may link to elsewhere below a root that the caller names', async () => {
    mkdirSync(join(root, 'blobs'));
    mkdirSync(join(root, 'snapshot'));
    put('blobs/1234', tensorFile('a'));
    symlinkSync('../blobs/1234', join(root, 'snapshot', 'model.safetensors'));
    await expect(fromDirectory(join(root, 'snapshot'))).rejects.toMatchObject({ code: 'MOE0618' });
    const source = await fromDirectory(join(root, 'snapshot'), { root });
    expect(source.tensors.has('a')).toBe(true);
    await source.close();
  });

  it('that is not there is said to be missing', async () => {
    await expect(fromDirectory(join(root, 'none'))).rejects.toMatchObject({ code: 'MOE0621' });
  });
});
