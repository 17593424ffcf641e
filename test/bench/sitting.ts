/** A sitting: every case measured beside its ceiling, one after the other, until there is no time left. */
import { casesOf, operationsOf, type Case, type Subject } from './cases.ts';
import type { Opened } from './adapter.ts';
import { ceilingsOf, lowest, prepareCeilings, type Ceilings } from './ceilings.ts';
import type { Row } from './report.ts';
import { largestError, load, readyFor, type Loaded } from './subject.ts';
import { decisive, timeInTurns, type DriverThreads } from './timing.ts';

export interface SittingOptions {
  readonly quick: boolean;
  readonly only: string | null;
  readonly minutes: number;
}

export interface Sitting {
  readonly rows: readonly Row[];
  readonly left: readonly { readonly key: string; readonly reason: string }[];
}

/** Milliseconds that one call may be expected to take at most. */
const longest = { quick: 3_000, whole: 30_000 } as const;

/** Tokens up to which results are compared with the reference, which computes every expert. */
const CHECKED_TOKENS = 4;

export async function sit(
  opened: Opened,
  driver: DriverThreads,
  options: SittingOptions,
  tell: (line: string) => void,
): Promise<Sitting> {
  const began = performance.now();
  const spent = (): number => (performance.now() - began) / 60_000;
  const rows: Row[] = [];
  const left: { readonly key: string; readonly reason: string }[] = [];
  tell('compiling the ceilings');
  const ceilings = await prepareCeilings(opened.device, driver, opened);
  const named = (each: { readonly form: { readonly name: string } }): string => each.form.name;
  tell(`ceilings: ${[...ceilings.matrix, ...ceilings.vector].map(named).join(', ')}`);
  const wanted = casesOf(options.quick)
    .map((each) => ({ each, tokens: each.tokens.filter((t) => isWanted(keyOf(each, t), options.only)) }))
    .filter(({ tokens }) => tokens.length > 0);
  const total = wanted.reduce((sum, { tokens }) => sum + tokens.length, 0);
  let done = 0;
  for (const { each, tokens } of wanted) {
    const leave = (from: readonly number[], reason: string): void => {
      done += from.length;
      for (const t of from) {
        left.push({ key: keyOf(each, t), reason });
        tell(`[${done}/${total}] ${keyOf(each, t)}: ${reason}`);
      }
    };
    if (spent() > options.minutes) {
      leave(tokens, 'there was no time left');
      continue;
    }
    const loaded = await load(each.subject, opened.device).catch((error: unknown) => {
      leave(tokens, error instanceof Error ? error.message : String(error));
      return null;
    });
    if (loaded === null) continue;
    const work = { opened, driver, ceilings, each, loaded, quick: options.quick };
    let before: Row | null = null;
    for (const [i, t] of tokens.entries()) {
      const most = options.quick ? longest.quick : longest.whole;
      if (spent() > options.minutes) {
        leave(tokens.slice(i), 'there was no time left');
        break;
      }
      if (before !== null && before.encoded.wall.min * (t / before.tokens) > most) {
        leave(tokens.slice(i), `a call would take longer than ${most / 1000} seconds`);
        break;
      }
      try {
        before = await measure(work, t, i === 0);
        rows.push(before);
        done += 1;
        tell(`[${done}/${total}] ${lineOf(before)}`);
      } catch (error) {
        leave([t], error instanceof Error ? error.message : String(error));
      }
    }
    loaded.model.dispose();
  }
  return { rows, left };
}

interface Work {
  readonly opened: Opened;
  readonly driver: DriverThreads;
  readonly ceilings: Ceilings;
  readonly each: Case;
  readonly loaded: Loaded;
  readonly quick: boolean;
}

async function measure(
  { opened, driver, ceilings, each, loaded, quick }: Work,
  tokens: number,
  check: boolean,
): Promise<Row> {
  const { subject } = each;
  const { device, software } = opened;
  const products = subject.products(tokens);
  const ready = readyFor(loaded, subject, tokens, device);
  const limits = ceilingsOf(device, ceilings, products);
  try {
    const begun = performance.now();
    await ready.called.run(0);
    const first = performance.now() - begun;
    await ready.encoded.run(0);
    for (const { job } of limits) await job.run(0);
    const checked = check && tokens <= CHECKED_TOKENS;
    const error = checked ? largestError(await ready.results(), await ready.reference()) : null;
    const jobs = [ready.encoded, ready.called, ...limits.map(({ job }) => job)];
    const budget = quick ? 2000 : 6000;
    const [encoded, called, ...tops] = await timeInTurns(jobs, driver, { budget, fewest: 3, most: 60 });
    if (encoded === undefined || called === undefined) throw new Error('nothing was timed');
    const ceiling = lowest(limits, tops, software);
    const time = decisive(encoded, software);
    return {
      key: keyOf(each, tokens),
      group: each.group,
      subject: subject.name,
      text: subject.text,
      tokens,
      at: each.at,
      operations: operationsOf(products),
      launches: ready.launches,
      kernels: ready.kernels,
      compile: loaded.compile,
      create: loaded.create,
      first,
      encoded,
      called,
      ceiling,
      time,
      share: ceiling === null ? null : ceiling.time / time,
      error,
    };
  } finally {
    limits.forEach(({ release }) => release());
    ready.release();
  }
}

/** The name of a row, the same in every sitting. */
export function keyOf(
  { group, subject }: { readonly group: Case['group']; readonly subject: Subject },
  tokens: number,
): string {
  const series = group.startsWith('growth') ? `${group}: ` : '';
  return `${series}${subject.name} T=${tokens}`;
}

function isWanted(key: string, only: string | null): boolean {
  return only === null || key.includes(only);
}

export function lineOf(row: Row): string {
  const ceiling =
    row.share === null ? '' : `, ceiling ${msText(row.ceiling?.time ?? NaN)}, share ${row.share.toFixed(2)}`;
  const wall = row.encoded.wall.min === row.time ? '' : ` (${msText(row.encoded.wall.min)} by the clock)`;
  const error = row.error === null ? '' : `, error ${row.error.toExponential(1)}`;
  return `${row.key}: ${msText(row.time)}${wall}${ceiling}${error}`;
}

export function msText(ms: number): string {
  return `${ms < 10 ? ms.toFixed(2) : ms < 100 ? ms.toFixed(1) : ms.toFixed(0)} ms`;
}
