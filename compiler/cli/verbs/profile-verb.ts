/** `moec profile MODEL`: where the time of a run goes on this machine's adapter, launch by launch. */
import type { OutputFile } from '../terminal/io.ts';
import { checkWritable, writeFileAtomic } from '../terminal/io.ts';
import { usageError } from '../terminal/cli-error.ts';
import { withRun, type RunVerbOptions } from '../running/run-options.ts';
import type { Session } from '../terminal/session.ts';
import { bytesText } from '../terminal/text-table.ts';

interface Options extends Omit<RunVerbOptions, 'on'> {
  readonly runs: number;
  readonly by?: 'timestamps' | 'submissions';
  readonly trace?: string;
  readonly html?: string;
}

/** Throws CliError and the runtime's errors. */
export async function profileModel(session: Session, modelFile: string, options: Options): Promise<void> {
  session.stage = 'profile';
  if (options.runs === 0) throw usageError('--runs 0: no run takes no time', '--runs 5');
  const { trace, html } = options;
  for (const file of [trace, html]) if (file !== undefined) await checkWritable(file);
  const { profile } = await import('../profiling/profile.ts');
  const { circumstancesOf, headingOf, profileTable, traceOf } = await import('../profiling/profile-text.ts');
  const { profilePage } = await import('../profiling/profile-page.ts');
  // A run is repeated, and its states stay: the plan that is timed is the one without updates.
  const run = { ...options, on: 'gpu', updates: false } as const;
  const found = await withRun(session, modelFile, run, false, (ready) =>
    profile(ready, { runs: options.runs, by: options.by ?? null }),
  );
  const files: readonly OutputFile[] = [
    ...(trace === undefined ? [] : [{ path: trace, bytes: traceOf(found) }]),
    ...(html === undefined ? [] : [{ path: html, bytes: profilePage(found) }]),
  ];
  for (const { path, bytes } of files) {
    await writeFileAtomic(path, bytes);
    if (!session.json) session.say(`wrote ${path} (${bytesText(Buffer.byteLength(bytes))})`);
  }
  if (session.json) {
    session.outJson({ ok: true, ...found, diagnostics: [] });
    return;
  }
  const { bold, dim } = session.outColours;
  const [head = '', ...lines] = profileTable(found);
  const told = circumstancesOf(found).map((line) => dim(line));
  session.out(`${bold(headingOf(found))}\n\n${bold(head)}\n${lines.join('\n')}\n\n${told.join('\n')}\n`);
}
