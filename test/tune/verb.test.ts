/** `moec tune` and `--tuned`: what the verb refuses, and what becomes of records that are given. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recordText, type TunedRecord } from '../../compiler/cli/running/tuned-records.ts';
import { givenDecisions } from '../../compiler/cli/running/given-tuning.ts';
import { parseRegimes } from '../../compiler/cli/running/command-options.ts';
import { readChange, type Change } from '../../compiler/schedule/deciding/changes.ts';
import { moecVersion } from '../../compiler/version.ts';
import { callMoec, moec, noAdapter, scratch } from '../cli/support.ts';
import { routedLayer } from '../schedule/programs.ts';

const record = (graph: string, changes: readonly string[], more: Partial<TunedRecord> = {}): string =>
  recordText({
    moec: moecVersion,
    graph,
    class: 'simd8',
    adapter: { vendor: 'v', architecture: 'a', device: 'd', description: 'driver' },
    sizes: { T: 16 },
    changes: changes.map(readChange).filter((change): change is Change => change !== null),
    ratio: 0.8,
    noise: 0.03,
    roofline: { bytesPerSecond: 1e9, flopsPerSecond: 1e9 },
    date: '2026-01-01T00:00:00.000Z',
    ...more,
  });

describe('with records', () => {
  let folder: ReturnType<typeof scratch>;
  let model: string;
  let plain: string;
  /** The graph of the program, and a tile of it that has a form of a class. */
  let graph: string;
  let tile: string;
  beforeAll(async () => {
    folder = scratch();
    model = folder.file('layer.moe', routedLayer(64, 64, 4, 2));
    plain = (await callMoec(['compile', model, '--emit=schedule'])).stdout;
    graph = /graph (\w+)/.exec(plain)?.[1] ?? '';
    tile = /(%\d+) tile .*simd8/.exec(plain)?.[1] ?? '';
    expect([graph, tile]).not.toContain('');
  });
  afterAll(() => folder.remove());

  const scheduleWith = (name: string, ...lines: readonly string[]) =>
    callMoec(['compile', model, '--emit=schedule', '--tuned', folder.file(name, `${lines.join('\n')}\n`)]);

  it('a program is compiled as they say, and others are passed over', async () => {
    const own = await scheduleWith(
      'own.jsonl',
      record(graph, [`${tile} simd8 4 x 1`]),
      'torn {',
      record('ffff', ['%0 apart']),
      record(graph, [`${tile} simd8 2 x 1`], { moec: '0.0.0', ratio: 0.1 }),
    );
    expect(own.code, own.stderr).toBe(0);
    expect(own.stdout).toBe(plain.replace(new RegExp(`(${tile} tile .*simd8: )\\d+ x \\d+`), '$14 x 1'));
    const others =
      '1 of other graphs (of another program, or with or without losses and updates), 1 of other versions of moec, 1 line that is no record';
    expect(own.stderr).toContain(`1 record is used; not used: ${others}`);
  });

  it('one that the schedule cannot have is left out with its line, and the others count', async () => {
    const found = await scheduleWith(
      'wrong.jsonl',
      record(graph, [`${tile} simd8 17 x 1`], { ratio: 0.5 }),
      record(graph, [`${tile} simd8 4 x 1`], { sizes: { T: 1 } }),
      record(graph, ['%9999 apart'], { sizes: { T: 2 } }),
    );
    expect(found.code, found.stderr).toBe(0);
    expect(found.stderr.match(/warning\[MOE0507\]/g)?.length).toBe(2);
    expect(found.stderr).toMatch(/wrong\.jsonl:1:1/);
    expect(found.stderr).toMatch(/wrong\.jsonl:3:1/);
    expect(found.stderr).toContain('1 record is used\n');
    expect(found.stdout).toContain('simd8: 4 x 1');
  });

  it('a run takes them, and a schedule beside them is refused', async () => {
    const file = folder.file('run.jsonl', `${record('ffff', ['%0 apart'])}\n`);
    const ran = await callMoec(['run', model, '--random', '--size', 'T=3', '--on', 'kernels', '--tuned', file]);
    expect(ran.code, ran.stderr).toBe(0);
    expect(ran.stderr).toMatch(/0 records are used; not used: 1 of other graphs/);
    await expect(givenDecisions({ tuned: file, schedule: file })).rejects.toThrow('--schedule and --tuned');
    await expect(givenDecisions({ tuned: `${file}.not` })).rejects.toThrow('cannot read');
  });

  it('tuning ends with 3 without an adapter, and with 2 for an axis that the model has not', async () => {
    const without = await moec(['tune', model, '--sizes', 'T=4'], { env: noAdapter });
    expect(without.code, without.stderr).toBe(3);
    expect((await callMoec(['tune', model, '--sizes', 'Q=1'])).code).toBe(2);
  });
});

it('sizes are regimes: every one of an axis with every one of another', () => {
  const regimes = (...list: readonly string[]) => parseRegimes(list).map((sizes) => Object.fromEntries(sizes));
  expect(regimes()).toEqual([{}]);
  expect(regimes('T=1,16,1')).toEqual([{ T: 1 }, { T: 16 }]);
  expect(regimes('T=1,16', 'B=2, 3')).toEqual([
    { T: 1, B: 2 },
    { T: 1, B: 3 },
    { T: 16, B: 2 },
    { T: 16, B: 3 },
  ]);
  for (const wrong of ['T=1,x', 'T=', 'T', 'T=-1']) expect(() => regimes(wrong), wrong).toThrow();
});
