/** `--schedule FILE`: schedules as `moec compile --emit=schedule` prints them, each of the graph that it names. */
import { diagnostic, type DiagnosticDetails } from '../../../dsl/diagnostics/diagnostic.ts';
import { lineStarts, type SourceFile, type Span } from '../../../dsl/diagnostics/source-file.ts';
import { hashOf, regimesOf, type Compilation } from '../../compile.ts';
import { ScheduleTextError } from '../../schedule/deciding/read-schedule.ts';
import { programError, type CliError } from '../terminal/cli-error.ts';
import { readBytes } from '../terminal/io.ts';

interface GivenSchedule {
  /** As long as the file, so that a line has its number in it. */
  readonly text: string;
  /** Where the file says of which graph it is. */
  readonly heading: Span;
}

export interface GivenSchedules {
  readonly source: SourceFile;
  readonly byGraph: ReadonlyMap<string, GivenSchedule>;
}

/** The texts of schedules, by the graphs that they are of. */
export function textsOf({ byGraph }: GivenSchedules): ReadonlyMap<string, string> {
  return new Map([...byGraph].map(([graph, { text }]) => [graph, text] as const));
}

const help =
  'moec compile MODEL --emit=schedule prints the schedules of a program; the same options give the same graphs';

const refusal = (source: SourceFile, code: 'MOE0505' | 'MOE0506', details: DiagnosticDetails): CliError =>
  programError([diagnostic(code, { help, ...details })], [source]);

/** Throws CliError 74 where there is no file, 1 (MOE0505) where it has no schedule. */
export async function readSchedules(file: string): Promise<GivenSchedules> {
  const source: SourceFile = { name: file, text: Buffer.from(await readBytes(file)).toString('utf8') };
  const lines = source.text.split('\n');
  const starts = lines.flatMap((line, at) => {
    const graph = /^\/\/ graph ([0-9a-f]+)$/.exec(line.trim())?.[1];
    return graph === undefined ? [] : [{ graph, at }];
  });
  if (starts.length === 0)
    throw refusal(source, 'MOE0505', {
      message: 'no line says of which graph this is a schedule',
      span: lineSpan(source, 1),
    });
  const byGraph = new Map(
    starts.map(({ graph, at }, i): readonly [string, GivenSchedule] => {
      const end = starts[i + 1]?.at ?? lines.length;
      const text = lines.map((line, n) => (n > at && n < end ? line : '')).join('\n');
      return [graph, { text, heading: lineSpan(source, at + 1) }];
    }),
  );
  return { source, byGraph };
}

/** What a line of a file says: without the spaces around it, and without the number of a step. */
export function lineSpan({ name, text }: SourceFile, line: number): Span {
  const starts = lineStarts(text);
  const begin = starts[line - 1] ?? text.length;
  const whole = text.slice(begin, starts[line] ?? text.length).trimEnd();
  const [before = ''] = /^\s*(?:#\d+ )?/.exec(whole) ?? [];
  return { source: name, start: begin + before.length, end: begin + whole.length };
}

/** A compilation with given schedules. Throws CliError 1 (MOE0505, MOE0506) where one of them does not fit. */
export function compileGiven(compile: () => Compilation, schedules: GivenSchedules | null): Compilation {
  if (schedules === null) return compile();
  const { source, byGraph } = schedules;
  let compilation: Compilation;
  try {
    compilation = compile();
  } catch (error) {
    if (!(error instanceof ScheduleTextError)) throw error;
    const { line, message, remedy } = error;
    const span = line === null ? undefined : lineSpan(source, line);
    throw refusal(source, 'MOE0506', {
      message,
      span: span ?? [...byGraph.values()][0]?.heading,
      ...(remedy === null ? {} : { help: remedy.help }),
      ...(span === undefined || remedy?.instead === undefined ? {} : { fix: [{ span, replacement: remedy.instead }] }),
    });
  }
  const graphs = new Set(
    compilation.entries.flatMap(({ inference, withAux }) => [inference, withAux].flatMap(regimesOf).map(hashOf)),
  );
  const other = [...byGraph].find(([graph]) => !graphs.has(graph));
  if (other !== undefined && compilation.entries.length > 0)
    throw refusal(source, 'MOE0505', {
      message: `a schedule is of the graph ${other[0]}, which this program has not`,
      span: other[1].heading,
    });
  return compilation;
}
