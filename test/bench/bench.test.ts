/** The benchmark: its cases ask for what their programs compute, its kernels are valid, and its numbers come out as they went in. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { asNumber, substitute } from '../../dsl/types/size.ts';
import { loadProject } from '../../compiler/cli/running/project.ts';
import { compileProgram } from '../../compiler/compile.ts';
import { parseOverrides } from '../../compiler/overrides.ts';
import { webgpuCore } from '../../compiler/target.ts';
import { root } from '../cli/support.ts';
import { validateWgsl } from '../support/null-device.ts';
import { casesOf, operationsOf, type Case } from './cases.ts';
import { kindOf } from './ceilings.ts';
import { barChart, lineChart } from './charts.ts';
import { readOptions } from './options.ts';
import { pageOf } from './page.ts';
import { peerRow } from './peers.ts';
import { formsFor } from './products.ts';
import { compareReports, readReport, type Report, type Row } from './report.ts';
import { keyOf } from './sitting.ts';
import { decisive, spreadOf, timeInTurns, DriverThreads, type Timing } from './timing.ts';

const timing = (wall: number, driver: number | null = null): Timing => ({
  wall: { median: wall, min: wall },
  cpu: { median: wall, min: wall },
  driver: driver === null ? null : { median: driver, min: driver },
  calls: 5,
});

function rowOf(key: string, more: Partial<Row> = {}): Row {
  return {
    key,
    group: 'layers',
    subject: 'S1',
    text: 'a layer',
    tokens: 128,
    at: null,
    operations: 1e9,
    launches: 16,
    kernels: 12,
    compile: 100,
    create: 200,
    first: 300,
    encoded: timing(40),
    called: timing(50),
    ceiling: { kernel: 'plain 8x2', timing: timing(20), time: 20 },
    time: 40,
    share: 0.5,
    error: 1e-7,
    ...more,
  };
}

function reportOf(rows: readonly Row[], more: Partial<Report> = {}): Report {
  return {
    schema: 1,
    moec: '0.0.0',
    date: '2026-01-02T03:04:05.678Z',
    quick: true,
    seconds: 120,
    machine: { cpu: 'a processor', cores: 2, memory: 2 ** 33, system: 'linux', node: 'v20', load: [0.5, 7.5] },
    adapter: { name: 'lavapipe', description: 'a driver', software: true, lanes: 8 },
    decides: 'wall',
    rows,
    peers: [],
    left: [],
    ...more,
  };
}

describe('cases', () => {
  const every = [...casesOf(true), ...casesOf(false)];

  it('ask for products that the plan of their program does, and that are most of it', async () => {
    const seen = new Map<string, Case>();
    // Our own, and an expert of two matrices.
    const kinds = ['S1', 'decoder', 'L=1', 'switch'];
    for (const each of every) if (kinds.includes(each.subject.name)) seen.set(each.subject.name, each);
    expect(seen.size).toBe(kinds.length);
    for (const { subject } of seen.values()) {
      const { program, sources } = await loadProject(join(root, subject.file));
      if (program === null) throw new Error(`${subject.file} has mistakes`);
      const sets = new Map(Object.entries(subject.sets).map(([name, value]) => [name, String(value)]));
      const { entries } = compileProgram(program, { overrides: parseOverrides(sets), target: webgpuCore, sources });
      const sizes = new Map(Object.entries({ ...subject.fixed, T: 256 }));
      const steps = entries[0]?.inference.plan.steps ?? [];
      const stated = steps.reduce(
        (sum, step) => sum + (step.kind === 'launch' ? (asNumber(substitute(step.work.flops, sizes)) ?? NaN) : 0),
        0,
      );
      const asked = operationsOf(subject.products(256));
      // What is stated is a bound: rows of a tile that are not there count, at most as many again, and so does what is no product.
      expect(asked, subject.name).toBeLessThanOrEqual(stated);
      expect(3 * asked, subject.name).toBeGreaterThan(stated);
    }
  });

  it('of published systems have the sizes of their examples', () => {
    const systems = every.filter(({ group }) => group === 'published');
    expect(systems.length).toBeGreaterThanOrEqual(8);
    for (const { subject } of systems) {
      const text = readFileSync(join(root, subject.file), 'utf8');
      const [, d, ff, e] = /d = (\d+), ff = (\d+), \d+ of (\d+) experts/.exec(subject.text) ?? [];
      for (const size of [`D = ${d}`, `F = ${ff}`, `E = ${e}`]) expect(text, subject.name).toContain(size);
    }
  });

  it('have names of their own, in a quick sitting too, and every quick one is one of the others', () => {
    const keys = (quick: boolean) => casesOf(quick).flatMap((each) => each.tokens.map((t) => keyOf(each, t)));
    expect(new Set(keys(false)).size).toBe(keys(false).length);
    expect(keys(true).filter((key) => !keys(false).includes(key))).toEqual([]);
    expect(keys(true)).toEqual(expect.arrayContaining(['S1 T=128', 'S2 T=256', 'S3 T=1', 'S4 T=256']));
  });

  it('are done as vectors where a matrix has one row', () => {
    const [experts] = casesOf(true)[0]?.subject.products(1) ?? [];
    const [many] = casesOf(true)[0]?.subject.products(128) ?? [];
    expect(experts && kindOf(experts)).toBe('vector');
    expect(many && kindOf(many)).toBe('matrix');
  });
});

describe('ceilings', () => {
  it.each([0, 4, 8, 32])('are valid for subgroups of %i', async (lanes) => {
    for (const software of [true, false]) {
      const forms = formsFor(lanes, software);
      expect(new Set(forms.map(({ kind }) => kind))).toEqual(new Set(['matrix', 'vector']));
      for (const { name, code } of forms) expect([name, await validateWgsl(code)]).toEqual([name, []]);
    }
  });
});

describe('times', () => {
  it('are the median and the least', () => {
    expect(spreadOf([3, 1, 2])).toEqual({ median: 2, min: 1 });
    expect(spreadOf([4, 1, 2, 3])).toEqual({ median: 3, min: 1 });
  });

  it('are decided by the driver where it computes on the CPU, else by the clock', () => {
    expect(decisive(timing(9, 4), true)).toBe(4);
    expect(decisive(timing(9, 4), false)).toBe(9);
    expect(decisive(timing(9), true)).toBe(9);
  });

  it('are taken in turns, and as often as asked for at least', async () => {
    const order: string[] = [];
    const job = (name: string) => ({ name, run: () => Promise.resolve(void order.push(name)) });
    const timings = await timeInTurns([job('a'), job('b')], new DriverThreads(), { budget: 0, fewest: 2, most: 9 });
    expect(order).toEqual(['a', 'b', 'a', 'b']);
    expect(timings.map(({ calls }) => calls)).toEqual([2, 2]);
  });
});

describe('two sittings', () => {
  const one = (time: number, top: number) =>
    reportOf([
      rowOf('S1 T=128', {
        encoded: timing(time),
        time,
        ceiling: { kernel: 'x', timing: timing(top), time: top },
        share: top / time,
      }),
    ]);

  it('are compared in units of their ceilings: a machine that has become slower changes nothing', () => {
    expect(compareReports(one(80, 40), one(40, 20))[0]).toMatchObject({
      ratio: 1,
      outcome: 'the same',
      ceilings: true,
    });
    expect(compareReports(one(40, 20), one(80, 20))[0]).toMatchObject({ ratio: 0.5, outcome: 'faster' });
    expect(compareReports(one(80, 20), one(40, 20))[0]).toMatchObject({ ratio: 2, outcome: 'slower' });
  });

  it('say nothing within the noise of both', () => {
    const noisy = reportOf([rowOf('S1 T=128', { encoded: { ...timing(40), wall: { min: 40, median: 80 } } })]);
    const slower = reportOf([rowOf('S1 T=128', { time: 44, share: 20 / 44 })]);
    expect(compareReports(slower, noisy)[0]?.outcome).toBe('the same');
    expect(compareReports(slower, reportOf([rowOf('S1 T=128')]))[0]?.outcome).toBe('slower');
  });

  it('are compared in milliseconds where one has no ceiling, and rows of one alone are left out', () => {
    const without = reportOf([rowOf('S1 T=128', { share: null, ceiling: null, time: 80 }), rowOf('S2 T=1')]);
    const [first, ...more] = compareReports(without, reportOf([rowOf('S1 T=128')]));
    expect(first).toMatchObject({ ratio: 2, ceilings: false });
    expect(more).toEqual([]);
  });
});

describe('a report', () => {
  it('is read back as it was written, and what is none is refused', () => {
    const report = reportOf([rowOf('S1 T=128')]);
    expect(readReport(JSON.stringify(report))).toEqual(report);
    expect(readReport('{')).toBe('it is not JSON');
    expect(readReport('{"schema":2}')).toBe('it is no report of this benchmark');
  });

  it('makes a page with the machine, the load, every row, what was left out, and a picture for each kind of case', () => {
    const rows = [
      rowOf('S1 T=128'),
      rowOf('decoder T=64', { group: 'decoder', tokens: 64, subject: 'decoder' }),
      ...[4, 32].map((at) => rowOf(`growth in E: E=${at} T=64`, { group: 'growth in E', at, subject: `E=${at}` })),
    ];
    const left = [{ key: 'S2 T=1024', reason: 'there was no time left' }];
    const { text, pictures } = pageOf([reportOf(rows, { left })], 'charts');
    for (const { key } of rows) expect(text).toContain(`| ${key}`);
    for (const said of ['a processor', 'a driver', '7.5', 'other jobs ran', 'S2 T=1024: there was no time left'])
      expect(text).toContain(said);
    expect(pictures.map(({ path }) => path)).toEqual(
      ['layers', 'systems', 'tokens', 'growth-e'].map((name) => `charts/lavapipe-${name}.svg`),
    );
    for (const { path } of pictures) expect(text).toContain(`(${path})`);
  });
});

describe('charts', () => {
  it('draw a bar as long as its value', () => {
    const svg = barChart(
      'Shares',
      [0.25, 0.5].map((value) => ({ label: `${value}`, value, text: 'x' })),
      {
        at: 1,
        text: 'ceiling',
      },
    );
    const [short = 0, long = 0] = [...svg.matchAll(/width="([\d.]+)" height="16"/g)].map((match) => Number(match[1]));
    // A picture has tenths: each width is off by half of one at most.
    expect(Math.abs(long - 2 * short)).toBeLessThanOrEqual(0.05 + 2 * 0.05);
  });

  it('draw equal factors equally far apart, and leave out what a logarithm has not', () => {
    const points = [
      [1, 1],
      [2, 10],
      [4, 100],
      [8, 0],
    ] as const;
    const svg = lineChart({ title: 'Growth', x: 'T', y: 'ms', series: [{ name: 'a <run>', points }] });
    const circles = [...svg.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)"/g)].map((m) => [Number(m[1]), Number(m[2])]);
    expect(circles.length).toBe(3);
    const step = (i: number, axis: 0 | 1) => (circles[i + 1]?.[axis] ?? NaN) - (circles[i]?.[axis] ?? NaN);
    // Four places, each off by half a tenth at most.
    for (const axis of [0, 1] as const) expect(Math.abs(step(0, axis) - step(1, axis))).toBeLessThanOrEqual(4 * 0.05);
    expect(svg).toContain('a &lt;run&gt;');
    expect(lineChart({ title: 'Growth', x: 'T', y: 'ms', series: [] })).toContain('nothing was measured');
  });
});

describe('the command', () => {
  it('reads its options, and says what is wrong with them', () => {
    expect(readOptions(['--quick', '--out', 'a.json', '--only', 'S1'])).toMatchObject({
      quick: true,
      out: 'a.json',
      only: 'S1',
      minutes: 9,
    });
    expect(readOptions([])).toMatchObject({ quick: false, peers: null, minutes: Infinity });
    expect(readOptions(['--minutes', 'x'])).toBe('--minutes wants a number above 0');
    expect(readOptions(['--from', 'a.json'])).toBe('--from wants --page FILE');
    expect(readOptions(['--fast'])).toMatch(/--fast/);
  });

  it('takes a line of a peer for what it says, and other lines for none', () => {
    expect(peerRow('{"peer":"x","shape":"S1","median_ms":3.5,"cpu_ms":7}')).toEqual({
      peer: 'x',
      shape: 'S1',
      median: 3.5,
      min: null,
      cpu: 7,
      note: null,
    });
    for (const line of ['', 'hello', '{}', '{"peer":"x","shape":"S1"}', 'null']) expect(peerRow(line)).toBe(null);
  });
});
