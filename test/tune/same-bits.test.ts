/**
 * What a tuner may change adds no sum up in another order: with each alternative of each decision, in each class of devices, the kernels
 * compute the same results, bit by bit.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { manifestOfClass } from '../../runtime/contract/device-class.ts';
import type { Prepared } from '../../compiler/cli/running/execution.ts';
import { planOf, withChanges } from '../../compiler/cli/running/prepare.ts';
import { hashOf } from '../../compiler/compile.ts';
import { noting, sitesOf, type Site } from '../../compiler/schedule/deciding/alternatives.ts';
import {
  ChangedDecider,
  changeText,
  IllegalChange,
  readChange,
  together,
  type Change,
} from '../../compiler/schedule/deciding/changes.ts';
import { byCost } from '../../compiler/schedule/deciding/decider.ts';
import { printSchedule } from '../../compiler/schedule/deciding/print-schedule.ts';
import type { Schedule } from '../../compiler/schedule/deciding/schedule-ir.ts';
import { settled } from '../../compiler/schedule/schedule.ts';
import { webgpuCore } from '../../compiler/target.ts';
import { onKernels, preparedOf, ready, type Ready, type Results } from '../language/support.ts';
import { routedLayer } from '../schedule/programs.ts';

/** A router, experts in blocks, a projection whose rows are dense, a long choice and a recurrence. */
const program = `import { SwiGLU } from "std"
model Layer {
  axis T, D = 68, F = 64, E = 4, V = 65, H = 4
  experts ffn[E] = SwiGLU<F>
  param head: [V, D], down: [H, D]
  router gate(x: [D]) -> route[E] {
    param w: [E, D]
    softmax(top_k(w @ x, 2, over: E), over: E)
  }
  fn last(x: [T, H]) -> [H] { chain t in T carrying h: [H] = 0 { 0.5 * h + x[t] } }
  forward(x: [T, D]) -> (y: [T, D], best: [T, V], seen: [H]) {
    let y = gate(x) @ ffn(x)
    (y: y, best: dense(mask(top_k(head @ y, 3, over: V))), seen: last(down @ x))
  }
}`;

const classes = ['portable', 'simd4', 'simd8'] as const;
type ClassName = (typeof classes)[number];

const bitsOf = (results: Results): Readonly<Record<string, readonly number[]>> =>
  Object.fromEntries(
    [...results].map(([name, { data }]) => [
      name,
      [...(data instanceof Float64Array ? new Uint32Array(Float32Array.from(data).buffer) : data)],
    ]),
  );

function sitesFor({ prepared, request }: Ready, className: string): readonly Site[] {
  const { fused } = planOf({ prepared, request });
  const { decider, asked } = noting(byCost);
  const { schedule } = settled(fused, webgpuCore, decider, () => '');
  return sitesOf(schedule, fused.graph, asked, className);
}

function changed({ prepared, request }: Ready, changes: readonly Change[]): Prepared {
  const hash = hashOf(planOf({ prepared, request }));
  return withChanges(prepared, request, new Map([[hash, changes]]));
}

const inClass = (run: Ready, prepared: Prepared, className: ClassName): Promise<Results> =>
  onKernels({ ...run, prepared: { ...prepared, manifest: manifestOfClass(prepared.manifest, className) } });

const textOf = ({ request }: Ready, prepared: Prepared): string => {
  const { schedule, fused } = planOf({ prepared, request });
  return printSchedule(schedule, fused.graph);
};

describe('every change that may be tried', () => {
  const run = ready(preparedOf(program, { target: webgpuCore }), { sizes: new Map([['T', 6]]) });
  let expected: ReturnType<typeof bitsOf>;
  beforeAll(async () => {
    expected = bitsOf(await onKernels(run));
  });

  it('has some of every kind', () => {
    const kinds = classes.flatMap((name) =>
      sitesFor(run, name).flatMap((site) => site.alternatives.flat().map(({ kind }) => kind)),
    );
    expect(new Set(kinds)).toEqual(new Set(['tile', 'form', 'apart', 'list', 'fold', 'choose']));
  });

  /**
   * The first alternative of all decisions at once, the second of all, and so on; lists by themselves, since tiles go by their blocks. Every
   * other of them, and of classes some: each is compiled, and only its tiles are its own.
   */
  function trials(className: ClassName): readonly (readonly Change[])[] {
    const sites = sitesFor(run, className);
    const isList = ({ name }: Site): boolean => name.startsWith('list');
    const others = sites.filter((site) => !isList(site)).map(({ alternatives }) => alternatives);
    const most = Math.max(...others.map(({ length }) => length));
    const atOnce = Array.from({ length: most }, (_, i) => others.flatMap((all) => all[i] ?? []));
    const lists = sites.filter(isList).flatMap(({ alternatives }) => alternatives);
    const half = [...atOnce, ...lists].filter((_, i) => i % 2 === 0);
    return className === 'portable' ? half : [...atOnce.slice(0, 2), ...atOnce.slice(-1)];
  }

  it.each(classes)('is another schedule with the same bits: %s', async (className) => {
    const plain = textOf(run, run.prepared);
    const all = trials(className);
    expect(all.length).toBeGreaterThan(2);
    for (const changes of all) {
      const prepared = changed(run, changes);
      const name = changes.map(changeText).join('; ');
      // A value that joins nobody may have been alone before.
      if (changes.some(({ kind }) => kind !== 'apart')) expect(textOf(run, prepared), name).not.toBe(plain);
      expect(bitsOf(await inClass(run, prepared, className)), name).toEqual(expected);
    }
  });
});

describe('tiles that are tried for a class', () => {
  const run = ready(preparedOf(routedLayer(64, 64, 4, 2), { target: webgpuCore }), { sizes: new Map([['T', 4]]) });

  /** The tiles of a schedule as devices of each class compute them. */
  const tilesOf = (schedule: Schedule): ReadonlyMap<string, unknown> =>
    new Map(
      schedule.steps.flatMap((step): readonly (readonly [string, unknown])[] => {
        if (step.kind !== 'value' || step.choice.family !== 'tile') return [];
        const { node, tileRows, tileColumns, rows, lanes, forms } = step.choice;
        const plain = { tileRows, tileColumns, rows, lanes };
        return [
          [`%${node.id} portable`, plain],
          ...forms.map((form) => [`%${node.id} ${form.class.name}`, form] as const),
        ];
      }),
    );

  it.each(classes)('leave those of others as they are: %s', (className) => {
    const { fused, schedule } = planOf(run);
    const before = tilesOf(schedule);
    const sites = sitesFor(run, className).filter(({ name }) => /^tile of %(?!2\b)/.test(name));
    expect(sites.length).toBe(2);
    const changes = sites.flatMap(({ alternatives }) => alternatives[0] ?? []);
    const decider = new ChangedDecider(byCost, { graph: '', changes });
    const after = tilesOf(settled(fused, webgpuCore, decider, () => '').schedule);
    const differing = [...after].filter(([key, tile]) => JSON.stringify(tile) !== JSON.stringify(before.get(key)));
    expect(differing.length).toBe(2);
    for (const [key] of differing) expect(key).toMatch(new RegExp(` ${className}$`));
  });
});

describe('a change', () => {
  const run = ready(preparedOf(routedLayer(64, 64, 4, 2), { target: webgpuCore }), { sizes: new Map([['T', 4]]) });
  const all = classes.flatMap((name) => sitesFor(run, name).flatMap(({ alternatives }) => alternatives.flat()));

  it('is read as it is written', () => {
    expect(all.length).toBeGreaterThan(20);
    for (const change of all) expect(readChange(changeText(change))).toEqual(change);
    for (const text of [
      '',
      '%1',
      '%01 apart',
      '%1 simd8 8 x 08',
      '%1 tile 4 x 2',
      'list of by 4 threads',
      '%1 apart ',
    ]) {
      expect(readChange(text), text).toBeNull();
    }
  });

  it('of one decision replaces another', () => {
    const [form] = all.filter(({ kind }) => kind === 'form');
    if (form?.kind !== 'form') throw new Error('there is no form');
    const wider = { ...form, tileColumns: form.tileColumns + 1 };
    expect(together([form], [wider])).toEqual([wider]);
    expect(together([form], [{ ...form, class: 'other1' }]).length).toBe(2);
  });

  it.each([
    ['%9999 apart', /no such decision/],
    ['%9999 simd8 8 x 2', /no such decision/],
  ] as const)('that may not be is refused: %s', (text, why) => {
    const change = readChange(text);
    if (change === null) throw new Error('it is no change');
    expect(() => changed(run, [change])).toThrow(why);
  });

  it('that goes beyond what is legal is refused by the rule', () => {
    const [form] = all.filter(({ kind }) => kind === 'form');
    if (form?.kind !== 'form') throw new Error('there is no form');
    const wrong = { ...form, tileRows: 17 };
    expect(() => changed(run, [wrong])).toThrow(IllegalChange);
    expect(() => changed(run, [wrong])).toThrow(/1 to 16 rows and columns/);
  });
});
