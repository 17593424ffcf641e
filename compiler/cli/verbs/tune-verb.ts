/** `moec tune MODEL`: what of a schedule is faster otherwise on this machine's adapter, as records that `--tuned` takes. */
import { changeText } from '../../schedule/deciding/changes.ts';
import { parseRegimes } from '../running/command-options.ts';
import { withRun, type RunVerbOptions } from '../running/run-options.ts';
import { usageError } from '../terminal/cli-error.ts';
import { stoppable } from '../terminal/exit.ts';
import { checkWritable } from '../terminal/io.ts';
import type { Session } from '../terminal/session.ts';
import { bytesText, countText, table } from '../terminal/text-table.ts';
import type { Step, Gain } from '../tuning/search.ts';
import type { Circumstances, Tuned } from '../tuning/tune.ts';

interface Options extends Omit<RunVerbOptions, 'on' | 'size' | 'random' | 'input' | 'schedule' | 'tuned'> {
  readonly sizes: readonly string[];
  readonly out?: string;
  readonly budget: number;
  readonly by?: 'timestamps' | 'submissions';
}

/** Throws CliError and the runtime's errors. */
export async function tuneModel(session: Session, modelFile: string, options: Options): Promise<void> {
  session.stage = 'tune';
  const regimes = parseRegimes(options.sizes);
  const out = options.out ?? `${modelFile.replace(/\.moe$/, '')}.tuned.jsonl`;
  if (options.budget === 0) throw usageError('--budget 0: nothing is tried in no time', '--budget 60');
  await checkWritable(out);
  const { tune } = await import('../tuning/tune.ts');
  const { appendRecords } = await import('../tuning/append-records.ts');
  const size = [...(regimes[0] ?? [])].map(([name, n]) => `${name}=${n}`);
  const run = { ...options, on: 'gpu', random: true, updates: false, size } as const;
  const tuned = await withRun(session, modelFile, run, false, (ready) =>
    stoppable((isStopped) =>
      tune(ready, {
        regimes,
        seed: options.seed,
        budget: 1000 * options.budget,
        by: options.by ?? null,
        isStopped,
        begin: (circumstances) => tellCircumstances(session, circumstances),
        tell: (step) => tellStep(session, step),
      }),
    ),
  );
  if (tuned.records.length > 0) await appendRecords(out, tuned.records);
  if (session.json) {
    const { kept, sizes, gains, records, ...others } = tuned;
    session.outJson({
      ok: true,
      out: records.length > 0 ? out : null,
      ...others,
      kept: kept.map(changeText),
      regimes: sizes.map((of, i) => ({ sizes: of, ...gains[i] })),
      records: records.length,
      diagnostics: [],
    });
    return;
  }
  session.out(`${resultText(tuned).join('\n')}\n`);
  if (tuned.records.length > 0) session.say(`wrote ${out}: ${countOf(tuned.records.length, 'record')}; --tuned ${out} uses ${tuned.records.length === 1 ? 'it' : 'them'}`); // prettier-ignore
}

const countOf = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

function tellCircumstances(session: Session, { adapter, class: of, method, ceilings, notes }: Circumstances): void {
  if (session.json) return;
  const clock = method === 'timestamps' ? 'timestamps around each launch' : 'a submission for each launch';
  session.say(`${adapter}, ${of}, ${clock}`);
  session.say(
    `ceilings of this sitting: ${bytesText(ceilings.bytesPerSecond)}/s copied, ${countText(ceilings.flopsPerSecond)} flops a second multiplied and added`,
  );
  for (const note of notes) session.say(note);
}

function tellStep(session: Session, { site, changes, outcome, gains }: Step): void {
  const text = changes.length === 0 ? site : `${site}: ${changes.map(changeText).join('; ')}`;
  const said = `${text}: ${outcome}${gains.length === 0 ? '' : ` (${gains.map(ratioText).join(', ')})`}`;
  session.progress.show(said);
  if (!session.json && outcome !== 'not faster' && outcome !== 'slower') session.say(said);
}

const ratioText = ({ ratio }: Gain): string => ratio.toFixed(2);

/** Lines of what was found, regime by regime. */
function resultText({ kept, gains, sizes, tried, ended }: Tuned): readonly string[] {
  const why = { 'all tried': 'all that there is', 'budget spent': 'until the budget was spent', stopped: 'until it was stopped' }; // prettier-ignore
  const head = `${countOf(tried, 'change')} tried, ${why[ended]}`;
  if (kept.length === 0) return [`${head}: none is faster than the default`];
  const rows = gains.map(({ kind, ratio, ofRun, noise }, i) => [
    Object.entries(sizes[i] ?? {}).map(([name, size]) => `${name} = ${size}`).join(', ') || 'any',
    ofRun.toFixed(3),
    ratio.toFixed(3),
    noise.toFixed(3),
    kind === 'faster' ? 'kept' : 'not faster beyond noise',
  ]); // prettier-ignore
  return [
    `${head}, ${countOf(kept.length, 'change')} kept:`,
    ...kept.map((change) => `  ${changeText(change)}`),
    '',
    ...table(['sizes', 'time of a run', 'of what differs', 'noise', ''], rows, [
      'left',
      'right',
      'right',
      'right',
      'left',
    ]),
    '',
    'times are those of the default, 1.000',
  ];
}
