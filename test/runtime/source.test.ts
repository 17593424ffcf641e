/** Sources of weights in memory and behind a URL: exact ranges, and every way a server or an index can lie. */
import { describe, expect, it } from 'vitest';
import { writeSafetensors } from '../../runtime/weights/safetensors.ts';
import { fromArrayBuffers, fromFetch, fromTensors, parseShardIndex } from '../../runtime/weights/weight-source.ts';

const ramp = (length: number, from = 0): Float32Array => Float32Array.from({ length }, (_, i) => from + i);
const fileOf = (name: string, data: Float32Array): Uint8Array =>
  writeSafetensors([{ name, dtype: 'F32', shape: [data.length], data }]);
const floats = (bytes: Uint8Array): readonly number[] => [...new Float32Array(bytes.slice().buffer)];
const text = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

describe('memory', () => {
  it('gives exact ranges of every file', async () => {
    const source = await fromArrayBuffers([fileOf('a', ramp(4)), fileOf('b', ramp(4, 10))]);
    expect([...source.tensors.keys()]).toEqual(['a', 'b']);
    expect(floats(await source.read('b', 4, 8))).toEqual([11, 12]);
    expect(await source.read('a', 16, 0)).toHaveLength(0);
    await expect(source.read('a', 12, 8)).rejects.toThrow(/MOE0708/);
    await expect(source.read('a', -4, 8)).rejects.toThrow(/MOE0708/);
    await expect(source.read('c', 0, 4)).rejects.toThrow(/MOE0630/);
    await source.close();
  });

  it('refuses a tensor that is in two files', async () => {
    await expect(fromArrayBuffers([fileOf('a', ramp(1)), fileOf('a', ramp(1))])).rejects.toMatchObject({
      code: 'MOE0622',
    });
  });

  it('reports the faults of all files together', async () => {
    const error: unknown = await fromArrayBuffers([new Uint8Array(3), new Uint8Array(4)]).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'MOE0600', problems: [{ code: 'MOE0601' }, { code: 'MOE0601' }] });
  });

  it('takes plain arrays', async () => {
    const source = fromTensors([{ name: 'a', dtype: 'F32', shape: [2, 2], data: ramp(8).subarray(4) }]);
    expect(floats(await source.read('a', 4, 8))).toEqual([5, 6]);
  });
});

/** A server of files by path, and how it misbehaves. */
function server(
  files: ReadonlyMap<string, Uint8Array>,
  fault: 'none' | 'no ranges' | 'other range' | 'short' | 'changes' = 'none',
): { readonly fetch: typeof fetch; readonly asked: string[] } {
  const asked: string[] = [];
  const answer = async (input: unknown, init?: RequestInit): Promise<Response> => {
    init?.signal?.throwIfAborted();
    const url = String(input);
    const range = new Headers(init?.headers).get('range');
    asked.push(`${url} ${range ?? 'whole'}`);
    const body = files.get(url.split('?')[0] ?? '');
    if (body === undefined) return new Response('', { status: 404 });
    if (range === null || fault === 'no ranges') return new Response(body.slice());
    const [, first = '0', last = '0'] = /bytes=(\d+)-(\d+)/.exec(range) ?? [];
    const begin = Number(first) + (fault === 'other range' ? 1 : 0);
    const part = body.slice(begin, Number(last) + (fault === 'short' ? 0 : 1));
    return new Response(part, {
      status: 206,
      headers: {
        'content-range': `bytes ${begin}-${last}/${body.length}`,
        etag: fault === 'changes' ? String(asked.length) : 'same',
      },
    });
  };
  return { fetch: answer, asked };
}

const HOST = 'http://localhost/m';

describe('a server', () => {
  it('is asked for ranges only, and a signed address keeps its query', async () => {
    const files = new Map([[`${HOST}/w.safetensors`, fileOf('a', ramp(1000))]]);
    const { fetch, asked } = server(files);
    const source = await fromFetch(`${HOST}/w.safetensors?key=1`, { fetch });
    expect(floats(await source.read('a', 400, 8))).toEqual([100, 101]);
    expect(asked.every((request) => request.includes('?key=1 bytes='))).toBe(true);
    expect(asked.at(-1)).toMatch(/bytes=(\d+)-/);
  });

  it('serves a sharded checkpoint', async () => {
    const index = { metadata: { total_size: 32 }, weight_map: { a: 's-1.safetensors', b: 's-2.safetensors' } };
    const files = new Map([
      [`${HOST}/model.safetensors.index.json`, text(index)],
      [`${HOST}/s-1.safetensors`, fileOf('a', ramp(4))],
      [`${HOST}/s-2.safetensors`, fileOf('b', ramp(4, 10))],
    ]);
    const source = await fromFetch(`${HOST}/model.safetensors.index.json`, { fetch: server(files).fetch });
    expect(floats(await source.read('b', 0, 4))).toEqual([10]);
    files.delete(`${HOST}/s-2.safetensors`);
    const gone = await fromFetch(`${HOST}/model.safetensors.index.json`, { fetch: server(files).fetch });
    expect(floats(await gone.read('a', 0, 4))).toEqual([0]);
    await expect(gone.read('b', 0, 4)).rejects.toMatchObject({ code: 'MOE0621' });
  });

  it('that knows no ranges is asked for the file once', async () => {
    const { fetch } = server(new Map([[`${HOST}/w`, fileOf('a', ramp(4))]]), 'no ranges');
    let asked = 0;
    const counting: typeof fetch = (...args) => {
      asked += 1;
      return fetch(...args);
    };
    const source = await fromFetch(`${HOST}/w`, { fetch: counting });
    expect(floats(await source.read('a', 4, 8))).toEqual([1, 2]);
    expect(asked).toBe(1);
  });

  it.each([
    ['other range', 'MOE0623'],
    ['short', 'MOE0623'],
    ['changes', 'MOE0616'],
  ] as const)('that answers with %s is refused: %s', async (fault, code) => {
    const { fetch } = server(new Map([[`${HOST}/w`, fileOf('a', ramp(4))]]), fault);
    await expect(fromFetch(`${HOST}/w`, { fetch })).rejects.toMatchObject({ code });
  });

  it('that has no such file is told apart', async () => {
    await expect(fromFetch(`${HOST}/w`, { fetch: server(new Map()).fetch })).rejects.toMatchObject({ code: 'MOE0621' });
  });

  it('is left alone by an aborted caller', async () => {
    const { fetch, asked } = server(new Map([[`${HOST}/w`, fileOf('a', ramp(4))]]));
    const signal = AbortSignal.abort();
    await expect(fromFetch(`${HOST}/w`, { fetch, signal })).rejects.toMatchObject({ name: 'AbortError' });
    expect(asked).toEqual([]);
  });
});

describe('an index', () => {
  const parse = (value: unknown): ReadonlyMap<string, string> => parseShardIndex(text(value), 'index');

  it('maps tensors to files, under any name', () => {
    const bytes = new TextEncoder().encode('{"weight_map":{"__proto__":"a.safetensors"}}');
    expect([...parseShardIndex(bytes, 'index')]).toEqual([['__proto__', 'a.safetensors']]);
  });

  it.each(['../x.safetensors', '/x', 'a/b', 'a\\b', '..', '.hidden', '', 'a\u0000b', 'C:x'])(
    'may not name %j',
    (name) => {
      expect(() => parse({ weight_map: { a: name } })).toThrow(/MOE0618/);
    },
  );

  it.each([{}, { weight_map: [] }, { weight_map: { a: 1 } }, [], 'x'])('like %j is refused', (value) => {
    expect(() => parse(value)).toThrow(/MOE0620/);
  });

  it('with a name twice is refused, and one that is not JSON', () => {
    const twice = '{"weight_map":{"a":"x.safetensors","a":"y.safetensors"}}';
    expect(() => parseShardIndex(new TextEncoder().encode(twice), 'index')).toThrow(/MOE0620.*twice/);
    expect(() => parseShardIndex(new TextEncoder().encode('{'), 'index')).toThrow(/MOE0620/);
    expect(() => parseShardIndex(Uint8Array.of(0x22, 0xff, 0x22), 'index')).toThrow(/UTF-8/);
  });
});
