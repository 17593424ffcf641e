/** The file that many tuners write: its lines, what is no line of it, and what several records come to. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  byGraph, changesOf, merged, readRecords, recordText, type TunedRecord,
} from '../../compiler/cli/running/tuned-records.ts'; // prettier-ignore
import { appendRecords } from '../../compiler/cli/tuning/append-records.ts';
import { changeText, readChange, type Change } from '../../compiler/schedule/deciding/changes.ts';

const change = (text: string): Change => {
  const read = readChange(text);
  if (read === null) throw new Error(`${text} is no change`);
  return read;
};

const record = (more: Partial<TunedRecord> = {}): TunedRecord => ({
  moec: '0.1.0',
  graph: '5d1c',
  class: 'simd8',
  adapter: { vendor: 'v', architecture: 'a', device: 'd', description: 'driver 1' },
  sizes: { T: 16 },
  changes: [change('%35 simd8 8 x 4')],
  ratio: 0.8,
  noise: 0.03,
  roofline: { bytesPerSecond: 3e9, flopsPerSecond: 1e10 },
  date: '2026-01-01T00:00:00.000Z',
  ...more,
});

const recordsOf = (text: string): readonly TunedRecord[] => readRecords(text).records.map((found) => found.record);

describe('a file', () => {
  it('is read as it was written, a record a line', () => {
    const all = [record(), record({ sizes: {}, changes: [change('%6 apart'), change('fold %7 one')] })];
    expect(readRecords(all.map(recordText).join('\n'))).toEqual({
      records: all.map((one, i) => ({ line: i + 1, record: one })),
      others: 0,
    });
  });

  it('may have lines that are none', () => {
    const whole = recordText(record());
    const edited = (edit: (value: Record<string, unknown>) => void): string => {
      const value: Record<string, unknown> = JSON.parse(whole);
      edit(value);
      return JSON.stringify(value);
    };
    const wrong = [
      whole.slice(0, 40),
      'null',
      '[]',
      '{"time": 3}',
      'a word',
      edited((v) => (v['ratio'] = '0.8')),
      edited((v) => (v['ratio'] = -1)),
      edited((v) => (v['sizes'] = { T: 1.5 })),
      edited((v) => (v['changes'] = [])),
      edited((v) => (v['changes'] = ['%35 simd8 8 x 4', 'something else'])),
      edited((v) => (v['adapter'] = { vendor: 'v' })),
      edited((v) => delete v['roofline']),
    ];
    for (const line of wrong) expect(readRecords(`${line}\n\n${whole}`), line).toMatchObject({ others: 1, records: [{ line: 3 }] });
  }); // prettier-ignore
});

describe('several records', () => {
  const found = (...all: readonly TunedRecord[]) => readRecords(all.map(recordText).join('\n')).records;

  it('of the same are the fastest', () => {
    const [slow, fast] = [record({ ratio: 0.9 }), record({ ratio: 0.7, changes: [change('%35 simd8 16 x 4')] })];
    for (const order of [[slow, fast], [fast, slow]]) expect(merged(found(...order)).map((one) => one.record)).toEqual([fast]); // prettier-ignore
  });

  it.each([
    ['sizes', { sizes: { T: 17 } }],
    ['graph', { graph: '5d1d' }],
    ['class', { class: 'simd4' }],
    ['driver', { adapter: { vendor: 'v', architecture: 'a', device: 'd', description: 'driver 2' } }],
    ['version', { moec: '0.2.0' }],
  ] satisfies readonly (readonly [string, Partial<TunedRecord>])[])('of another %s both count', (_, more) => {
    expect(merged(found(record(), record(more))).length).toBe(2);
  });

  it('of sizes that are written in another order are the same', () => {
    expect(merged(found(record({ sizes: { B: 1, T: 2 } }), record({ sizes: { T: 2, B: 1 } }))).length).toBe(1);
  });

  it('decide together, and what several decide as the fastest says', () => {
    const one = record({ ratio: 0.7, changes: [change('%35 simd8 8 x 4'), change('%6 apart')] });
    const other = record({ ratio: 0.9, sizes: { T: 1 }, changes: [change('%35 simd8 4 x 4'), change('%36 simd8 8 x 3')] });
    const another = record({ ratio: 0.95, class: 'simd4', changes: [change('%35 simd4 8 x 8')] });
    const elsewhere = record({ graph: 'other', changes: [change('%1 apart')] });
    const graphs = byGraph(merged(found(another, other, elsewhere, one)));
    expect(new Set(changesOf(graphs.get('5d1c') ?? []).map(changeText))).toEqual(
      new Set(['%35 simd8 8 x 4', '%6 apart', '%36 simd8 8 x 3', '%35 simd4 8 x 8']),
    );
    expect(changesOf(graphs.get('other') ?? []).map(changeText)).toEqual(['%1 apart']);
  }); // prettier-ignore
});

describe('appending', () => {
  const file = (): string => join(mkdtempSync(join(tmpdir(), 'moec-tune-')), 'shared', 'tuned.jsonl');

  it('keeps every record of many who write at once', async () => {
    const path = file();
    const long = 'driver '.repeat(2000);
    const of = (writer: number, n: number): TunedRecord =>
      record({ sizes: { writer, n }, adapter: { vendor: '', architecture: '', device: '', description: long } });
    const writers = Array.from({ length: 12 }, (_, writer) =>
      (async () => {
        for (let n = 0; n < 5; n++) await appendRecords(path, [of(writer, n), of(writer, 100 + n)]);
      })(),
    );
    await Promise.all(writers);
    const { records, others } = readRecords(readFileSync(path, 'utf8'));
    expect(others).toBe(0);
    expect(new Set(records.map(({ record: { sizes } }) => `${sizes['writer']} ${sizes['n']}`)).size).toBe(120);
  });

  it('begins a line of its own behind one that is torn', async () => {
    const path = file();
    await appendRecords(path, [record()]);
    writeFileSync(path, `${readFileSync(path, 'utf8')}${recordText(record()).slice(0, 30)}`);
    await appendRecords(path, [record({ sizes: { T: 9 } })]);
    expect(readRecords(readFileSync(path, 'utf8')).others).toBe(1);
    expect(recordsOf(readFileSync(path, 'utf8'))).toEqual([record(), record({ sizes: { T: 9 } })]);
  });

  it('says which file cannot be written', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'moec-tune-'));
    await expect(appendRecords(folder, [record()])).rejects.toThrow(`cannot write ${folder}`);
  });
});
