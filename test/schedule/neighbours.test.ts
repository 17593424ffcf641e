/** Threads that compute several neighbours: which steps, the same bits as a point a thread, and what a text may not say. */
import { describe, expect, it } from 'vitest';
import type { Prepared } from '../../compiler/cli/running/execution.ts';
import { printSchedule } from '../../compiler/schedule/deciding/print-schedule.ts';
import { ScheduleTextError } from '../../compiler/schedule/deciding/read-schedule.ts';
import { webgpuCore } from '../../compiler/target.ts';
import { differences, onKernels, onReference, preparedOf, ready } from '../language/support.ts';
import { compiledAgain } from './compiled-again.ts';
import { routedLayer } from './programs.ts';

const layer = routedLayer(64, 64, 4, 2);
const withResidual = layer.replace('gate(x) @ ffn(x)', 'x + gate(x) @ ffn(x)');

/** What neighbours are computed of: names, slices of other axes, counting, conditions; sums and extremes over dense axes and lists. */
const others = `model Others {
  axis T, H = 3, D = 8, E = 2, G = 5
  param a: [H, D], w: [E, G]
  forward(x: [T, D], y: [T, G]) -> (most: [T, D], plain: [T, D], all: [T, D], kept: [T, D], longer: [T, D]) {
    let z: [T, H, D] = x * a + iota(D)
    let lifted: [T, E] = w @ y
    let r = top_k(lifted, 1, over: E)
    let v: [T, E, D] = tanh(x) * lifted
    (
      most: max(z, over: H),
      plain: tanh(2 * x) + iota(D),
      all: sum(z, over: H) * sum(y, over: G),
      kept: sum(where(lifted > 0, v, 0), over: E),
      longer: softmax(r, over: E) @ v,
    )
  }
}`;

const again = (text: string, edit: (schedule: string) => string): Prepared => compiledAgain(text, edit).prepared;

const textOf = ({ entry }: ReturnType<typeof again>): string =>
  printSchedule(entry.inference.schedule, entry.inference.fused.graph);

/** One thread a point, or four wherever a value or a row is computed a point at a time. */
const alone = (schedule: string): string => schedule.replaceAll(/, 4 a thread/g, '');
const together = (schedule: string): string =>
  alone(schedule)
    .replaceAll(/^( *#\d+ %\d+ (?:map|reduce\w*)\b.* D\])(?=$| beside)/gm, '$1, 4 a thread')
    .replaceAll(/( row \(T, D\), one a row)/g, '$1, 4 a thread');

describe('neighbours', () => {
  it.each([
    [layer, /reduce_slots [^\n]* on \[T, D\], 4 a thread/, 'reduce_sum_slots'],
    [withResidual, /row \(T, D\), one a row, 4 a thread: [^\n]*reduce_slots/, 'row'],
  ])('are one thread where they share a loop: %#', (text, said, name) => {
    const { entry } = preparedOf(text, { target: webgpuCore });
    const { plan, schedule, fused } = entry.inference;
    expect(printSchedule(schedule, fused.graph)).toMatch(said);
    const launch = plan.steps.findLast((step) => step.kind === 'launch');
    const kernel = launch?.kind === 'launch' ? plan.kernels[launch.kernel] : undefined;
    expect(kernel?.name).toBe(name);
    // What is summed, added and stored goes by vectors; where slots point, and their weights, by elements.
    const lanes = kernel?.buffers.map((buffer) => `${buffer.access} ${buffer.lanes ?? 1}`).sort();
    expect(lanes?.filter((each) => each === 'read_write 4')).toHaveLength(1);
    expect(lanes?.filter((each) => each === 'read 4')).toHaveLength(name === 'row' ? 2 : 1);
    expect(lanes?.filter((each) => each === 'read 1')).toHaveLength(3);
  });

  it.each([layer, withResidual, others])('give the bits of a thread a point: %#', async (text) => {
    const [wide, narrow] = [again(text, together), again(text, alone)];
    expect(textOf(wide)).toContain(', 4 a thread');
    expect(textOf(narrow)).not.toContain('a thread');
    for (const T of [1, 7]) {
      const run = ready(wide, { sizes: new Map([['T', T]]) });
      const results = await onKernels(run);
      expect(results).toEqual(await onKernels(ready(narrow, { sizes: new Map([['T', T]]) })));
      expect(differences(run, results, await onReference(run))).toEqual([]);
    }
  });

  it('are said of every kind of value that has them', () => {
    const said = textOf(again(others, together)).match(/%\d+ \w+(?=.*, 4 a thread)/g) ?? [];
    expect(new Set(said.map((each) => each.replace(/%\d+ /, '')))).toEqual(new Set(['map', 'reduce']));
  });

  it.each([
    ['an axis that is no whole number of vectors', 'axis T, D = 6\n forward(x: [T, D]) -> [T, D] { tanh(x) }'],
    ['memory that lies along another axis', 'axis T, D = 8\n forward(x: [T, D], y: [D, T]) -> [T, D] { x * tanh(y) }'],
    ['a running sum', 'axis T, D = 8\n forward(x: [T, D]) -> [T, D] { cumsum(x, over: D) }'],
    ['an angle of many turns', 'axis T, D = 8\n forward(x: [T, D]) -> [T, D] { sin(x * iota(T)) }'],
  ])('are refused: %s', (_, body) => {
    const edit = (schedule: string): string => schedule.replace(/( on \[T, D\])/, '$1, 4 a thread');
    expect(() => again(`model M {\n ${body}\n}`, edit)).toThrow(ScheduleTextError);
  });
});
