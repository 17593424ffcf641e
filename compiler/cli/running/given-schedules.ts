/** `--schedule FILE`: schedules as `moec compile --emit=schedule` prints them, each of the graph that it names. */
import { graphHash, type Compilation } from '../../compile.ts';
import { ScheduleTextError } from '../../schedule/deciding/read-schedule.ts';
import { CliError } from '../terminal/cli-error.ts';
import { exitCodes } from '../terminal/exit.ts';
import { readBytes } from '../terminal/io.ts';

export interface GivenSchedules {
  readonly file: string;
  /** Texts as long as the file, so that a line has its number in it. */
  readonly byGraph: ReadonlyMap<string, string>;
}

const help =
  'moec compile MODEL --emit=schedule prints the schedules of a program; the same options give the same graphs';

/** Throws CliError 74 where there is no file, 1 where it has no schedule. */
export async function readSchedules(file: string): Promise<GivenSchedules> {
  const lines = Buffer.from(await readBytes(file))
    .toString('utf8')
    .split('\n');
  const starts = lines.flatMap((line, at) => {
    const graph = /^\/\/ graph ([0-9a-f]+)$/.exec(line.trim())?.[1];
    return graph === undefined ? [] : [{ graph, at }];
  });
  if (starts.length === 0)
    throw new CliError(exitCodes.input, `${file}: no line says of which graph this is a schedule`, { help });
  const byGraph = new Map(
    starts.map(({ graph, at }, i) => {
      const end = starts[i + 1]?.at ?? lines.length;
      return [graph, lines.map((line, n) => (n > at && n < end ? line : '')).join('\n')] as const;
    }),
  );
  return { file, byGraph };
}

/** A compilation with given schedules. Throws CliError 1 where one of them does not fit. */
export function compileGiven(compile: () => Compilation, schedules: GivenSchedules | null): Compilation {
  if (schedules === null) return compile();
  const { file, byGraph } = schedules;
  let compilation: Compilation;
  try {
    compilation = compile();
  } catch (error) {
    if (!(error instanceof ScheduleTextError)) throw error;
    const place = error.line === null ? file : `${file}:${error.line}`;
    throw new CliError(exitCodes.input, `${place}: ${error.message}`, { help, cause: error });
  }
  const graphs = new Set(
    compilation.entries.flatMap(({ inference, withAux }) => [graphHash(inference.fused), graphHash(withAux.fused)]),
  );
  const other = [...byGraph.keys()].find((graph) => !graphs.has(graph));
  if (other !== undefined && compilation.entries.length > 0)
    throw new CliError(exitCodes.input, `${file}: a schedule is of the graph ${other}, which this program has not`, {
      help,
    });
  return compilation;
}
