/** `--tuned FILE`: what `moec tune` found of the graphs of a program, pinned in what is compiled. */
import { CompilerBug } from '../../../dsl/diagnostics/bug.ts';
import { diagnostic, type Diagnostic } from '../../../dsl/diagnostics/diagnostic.ts';
import type { SourceFile } from '../../../dsl/diagnostics/source-file.ts';
import { hashOf, regimesOf, type Compilation, type CompileOptions } from '../../compile.ts';
import { changeText, IllegalChange } from '../../schedule/deciding/changes.ts';
import { moecVersion } from '../../version.ts';
import { usageError } from '../terminal/cli-error.ts';
import { readBytes } from '../terminal/io.ts';
import { compileGiven, lineSpan, readSchedules, textsOf } from './given-schedules.ts';
import { byGraph, changesOf, merged, readRecords, type FoundRecord, type TunedFile } from './tuned-records.ts';

interface GivenTuning {
  readonly source: SourceFile;
  readonly file: TunedFile;
}

/** What became of a file with records. */
export interface TuningUse {
  /** For people: how many records are used, and how many are of something else. */
  readonly notice: string;
  /** MOE0507, of records that this program cannot have. */
  readonly warnings: readonly Diagnostic[];
}

export interface GivenCompilation {
  readonly compilation: Compilation;
  /** Null where no records were given. */
  readonly tuning: (TuningUse & { readonly source: SourceFile }) | null;
}

/** What a compilation gets of what its files decide. */
export type Decisions = Pick<CompileOptions, 'schedules' | 'changes'>;

/**
 * Reads the files that decide otherwise than costs, and gives what compiles with them. Throws CliError 74 where there is no file, 2 for both,
 * and what reading a schedule throws.
 */
export async function givenDecisions({
  schedule,
  tuned,
}: {
  readonly schedule?: string | undefined;
  readonly tuned?: string | undefined;
}): Promise<(compile: (decisions: Decisions) => Compilation) => GivenCompilation> {
  if (schedule !== undefined && tuned !== undefined)
    throw usageError('--schedule and --tuned both say what is decided', 'leave one of them out');
  if (tuned !== undefined) {
    const tuning = await readTuning(tuned);
    return (compile) => compileTuned((changes) => compile({ changes }), tuning);
  }
  const given = schedule === undefined ? null : await readSchedules(schedule);
  const decisions = given === null ? {} : { schedules: textsOf(given) };
  return (compile) => ({ compilation: compileGiven(() => compile(decisions), given), tuning: null });
}

/** Throws CliError 74 where there is no file. */
async function readTuning(file: string): Promise<GivenTuning> {
  const text = Buffer.from(await readBytes(file)).toString('utf8');
  return { source: { name: file, text }, file: readRecords(text) };
}

/**
 * A compilation with the records that are of its graphs. One that may not be, since somebody edited it or it does not go together with a
 * faster one, is left out with a warning: what is compiled is right without it.
 */
export function compileTuned(
  compile: (changes: NonNullable<CompileOptions['changes']>) => Compilation,
  { source, file }: GivenTuning,
): GivenCompilation {
  const own = merged(file.records.filter(({ record }) => record.moec === moecVersion));
  const warnings: Diagnostic[] = [];
  for (let left = own; ; ) {
    const graphs = byGraph(left);
    const changes = new Map([...graphs].map(([graph, records]) => [graph, changesOf(records)] as const));
    try {
      const compilation = compile(changes);
      const has = new Set(compilation.entries.flatMap((e) => [e.inference, e.withAux].flatMap(regimesOf).map(hashOf)));
      const used = left.filter(({ record }) => has.has(record.graph)).length;
      const notice = noticeOf(source.name, used, file, own.length - warnings.length);
      return { compilation, tuning: { notice, warnings, source } };
    } catch (error) {
      if (!(error instanceof IllegalChange)) throw error;
      const culprit = saying(left, error);
      left = left.filter((record) => record !== culprit);
      warnings.push(
        diagnostic('MOE0507', {
          severity: 'warning',
          message: `${error.message}; what this record says is left out`,
          help: 'moec tune finds another one; without it the module is right, and as fast as by default',
          span: lineSpan(source, culprit.line),
        }),
      );
    }
  }
} // prettier-ignore

/** The fastest record that says this: the one that it is from. */
function saying(records: readonly FoundRecord[], { change, graph }: IllegalChange): FoundRecord {
  const text = changeText(change);
  const found = records.find(({ record }) => record.graph === graph && record.changes.some((own) => changeText(own) === text));
  if (found === undefined) throw new CompilerBug('schedule', `no record says ${text}`);
  return found;
} // prettier-ignore

function noticeOf(name: string, used: number, { records, others }: TunedFile, own: number): string {
  const versions = records.filter(({ record }) => record.moec !== moecVersion).length;
  const parts = [
    ...(own - used > 0
      ? [`${own - used} of other graphs (of another program, or with or without losses and updates)`]
      : []),
    ...(versions > 0 ? [`${versions} of other versions of moec`] : []),
    ...(others > 0 ? [`${others} ${others === 1 ? 'line that is no record' : 'lines that are no records'}`] : []),
  ];
  const rest = parts.length === 0 ? '' : `; not used: ${parts.join(', ')}`;
  return `${name}: ${used} ${used === 1 ? 'record' : 'records'} ${used === 1 ? 'is' : 'are'} used${rest}`;
}
