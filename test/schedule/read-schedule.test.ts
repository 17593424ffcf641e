/** Schedules as text: what is printed is read, what is changed is lowered and computes the same, what does not follow is refused. */
import { describe, expect, it } from 'vitest';
import { regimesOf } from '../../compiler/compile.ts';
import { printSchedule } from '../../compiler/schedule/deciding/print-schedule.ts';
import { ScheduleTextError } from '../../compiler/schedule/deciding/read-schedule.ts';
import { webgpuCore } from '../../compiler/target.ts';
import { differences, onKernels, onReference, preparedOf, ready } from '../language/support.ts';
import { compiledAgain, refusalOf } from './compiled-again.ts';
import { manyParams, routedLayer, sharedLayer } from './programs.ts';

const layer = routedLayer(64, 64, 4, 2);
const withShared = sharedLayer(64, 64, 4, 2);

const others = `model Others {
  axis T, D = 6, V = 300
  input scale: [T] = exp(iota(T))
  state seen: [D] = 0
  extern fn ask(x: [T, D]) -> [T, D]
  fn last(x: [T, D]) -> [D] { chain t in T carrying h: [D] = 0 { 0.5 * h + x[t] } }
  forward(x: [T, D], s: [T, V]) -> (y: [T, D], best: [T, V]) {
    let e = exp(ask(x)) * scale
    require T > 0 else "no tokens"
    update seen = seen + sum(e, over: T)
    loss size = mean(e * e, over: (T, D))
    (y: e / sum(e, over: D) + last(e), best: dense(mask(top_k(s, 3, over: V))))
  }
}`;

/** Two values that read nothing of one another are one row, since both read a contraction that tiles do better. */
const throughTiles = `model Through {
  axis T, G = 1024, M = 4, P = 1024
  param p: [P, G]
  forward(s: [T, G, M]) -> (least: [T, P], most: [T, P]) {
    let y: [T, M, P] = s @ p
    (least: min(y, over: M), most: max(y * y, over: M))
  }
}`;

/** A program compiled again with its own schedules, each edited, and what it was compiled with as it is printed. */
function again(text: string, edit: (schedule: string) => string) {
  const { prepared, schedules } = compiledAgain(text, edit);
  const { inference, withAux } = prepared.entry;
  const texts = [inference, withAux]
    .flatMap(regimesOf)
    .map(({ schedule, fused }) => printSchedule(schedule, fused.graph));
  return { prepared, texts, schedules };
}

describe('a printed schedule', () => {
  it.each([layer, manyParams, others, throughTiles])(
    'is read as it was printed, and gives the module that it was printed from: %#',
    (text) => {
      const { prepared, texts, schedules } = again(text, (schedule) => schedule);
      expect([...new Set(texts)]).toEqual(schedules);
      expect(prepared.manifest.hash).toBe(preparedOf(text, { target: webgpuCore }).manifest.hash);
    },
  );
});

it('a row says through which contractions it came together, where it would not have without them', () => {
  const { schedules } = again(throughTiles, (schedule) => schedule);
  expect(schedules[0]).toMatch(/row \(T, P\), one a row, .*through (%\d+): .* \| /);
});

/** Step numbers are for people: the order of lines counts. */
const withoutNumbers = (text: string): string => text.replace(/#\d+ /g, '');

describe('an edited schedule', () => {
  const edits: readonly (readonly [string, (text: string) => string])[] = [
    ['tiles of another size', (text) => text.replaceAll('tile 4 x', 'tile 2 x')],
    ['one column at a time', (text) => text.replace(/tile (\d+) x \d+/g, 'tile $1 x 1')],
    // Subgroups load by vectors: they have no tiles then.
    ['loads of one', (text) => text.replace(/(%\d+ tile [^\n|]*?), loads of 4[^\n]*?(?= on \[)/g, '$1')],
    [
      'steps in another order',
      (text) =>
        text.replace(
          /( {2}#\d+ [^\n]*\n)( {2}#\d+ %\d+ tile [^\n]*rows \(\) by [^\n]*\n)/,
          (_, before: string, tile: string) => tile + before,
        ),
    ],
  ];

  it.each(edits)('computes the same: %s', async (_, edit) => {
    const { prepared, texts, schedules } = again(withShared, edit);
    expect(schedules).not.toEqual(again(withShared, (schedule) => schedule).schedules);
    expect([...new Set(texts)].map(withoutNumbers)).toEqual(schedules.map(withoutNumbers));
    const run = ready(prepared, { sizes: new Map([['T', 5]]) });
    expect(differences(run, await onKernels(run), await onReference(run))).toEqual([]);
  });

  /** What a refusal says, with what would mend it. */
  const toldOf = (error: unknown): string =>
    `${String(error)}; ${error instanceof ScheduleTextError ? (error.remedy?.help ?? '') : ''}`;

  it.each([
    ['tiles that blocks are not made of', /tile 4 x 2/, 'tile 3 x 2', /blocks of 16 rows are no whole tiles of 3/],
    ['a tile that is too large', /tile 4 x 2/, 'tile 99 x 2', /1 to 16 rows and columns/],
    ['a step that is not there', / choose on /, ' guess on ', /guess on .*' does not follow.*it is 'row .* choose on/],
    ['a step twice', /( {2}#\d+ %\d+ tile [^\n]*\n)/, '$1$1', /%\d+ is computed twice/],
    ['another entry', /^schedule \w+/, 'schedule backward', /a schedule of backward, not of forward/],
    ['nothing', /^[^]*$/, '', /this is no schedule/],
    ['an output less', / {2}#\d+ result output\n/, '', /it lacks 'result output'/],
    ['a value before what it reads', /( {2}#0 [^\n]*\n)( {2}#1 [^\n]*\n)/, '$2$1', /is read before it is computed/],
  ])('is refused: %s', (_, from, to, message) => {
    const error = refusalOf(layer, (schedule) => schedule.replace(from, to));
    expect(error).toBeInstanceOf(ScheduleTextError);
    expect(toldOf(error)).toMatch(message);
  });

  it('is refused where a contraction is computed within one value, and a sum that goes along slots reads it beside that', () => {
    // The sum goes where its operand counts and reads what stands there: what is between that and the contraction has no memory.
    const within = (schedule: string): string => {
      const value = Number(/ reduce_slots %(\d+) where [^\n]* on \[T, D\]/.exec(schedule)?.[1]);
      // Few rows have the contraction with the sum.
      if (Number.isNaN(value)) return schedule;
      const line = new RegExp(`%${value - 1} tile [^\\n]* on [^\\n]*`);
      expect(schedule).toMatch(line);
      // Who looks from everywhere asks whether a point is a candidate, which else the row alone knows.
      return schedule
        .replace(/(map on \[T, E\] in c\d+)(?= \| %\d+ choose)/, '$1 and memory')
        .replace(line, `%${value + 1} tile 1 x 4 of %${value - 1}, rows one by one, columns (D) on [T, E, D]`);
    };
    expect(String(refusalOf(layer, within))).toMatch(/'%\d+ tile .*' does not follow/);
  });

  it('is refused where a launch would bind too much, and says what to store', () => {
    const split = /\n {2}#\d+ %\d+ map on \[T, D\](?=\n {2}#\d+ %\d+ map)/;
    expect(toldOf(refusalOf(manyParams, (schedule) => schedule.replace(split, '')))).toMatch(
      /binds more than 8 buffers; give %\d+ memory/,
    );
  });
});
