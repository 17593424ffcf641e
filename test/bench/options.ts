/** The options of `npm run bench`. */
import { parseArgs } from 'node:util';

export interface BenchOptions {
  readonly quick: boolean;
  readonly out: string | null;
  readonly against: string | null;
  readonly page: string | null;
  /** Reports that a page is made of instead of a sitting. */
  readonly from: readonly string[];
  readonly adapter: string | null;
  readonly only: string | null;
  readonly peers: string | null;
  readonly minutes: number;
  readonly json: boolean;
  readonly help: boolean;
}

export const usage = `npm run bench -- [options]

  --quick            fewer cases and numbers of tokens: within ten minutes
  --minutes N        begin nothing new after N minutes (9 with --quick)
  --only TEXT        cases whose key contains the text: S1, growth, "S3 T=1"
  --adapter NAME     lavapipe, swiftshader or native; what the environment selects by default
  --out FILE         what was measured, as JSON
  --against FILE     compare with an earlier file, row by row
  --page FILE        a page of charts in Markdown, with its pictures in a folder beside it
  --from FILE        make the page of an earlier report instead of measuring; may stand several times
  --peers DIR        run the scripts peer-*.mjs of a folder too, in this sitting
  --json             the report on stdout instead of a table
  --help

Progress goes to stderr. Nothing is written before the end, and files are put in place whole.
Exit codes: 0 good, 1 something could not be measured or is wrong, 2 usage, 3 no adapter, 74 files, 130 and 143 signals.
`;

/** Options from arguments, or what is wrong with them. */
export function readOptions(args: readonly string[]): BenchOptions | string {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        quick: flag,
        out: text,
        against: text,
        page: text,
        from: { type: 'string', multiple: true },
        adapter: text,
        only: text,
        peers: text,
        minutes: text,
        json: flag,
        help: flag,
      },
    });
    const minutes = values.minutes === undefined ? null : Number(values.minutes);
    if (minutes !== null && !(minutes > 0)) return '--minutes wants a number above 0';
    if (values.from !== undefined && values.page === undefined) return '--from wants --page FILE';
    return {
      quick: values.quick === true,
      out: values.out ?? null,
      against: values.against ?? null,
      page: values.page ?? null,
      from: values.from ?? [],
      adapter: values.adapter ?? null,
      only: values.only ?? null,
      peers: values.peers ?? null,
      minutes: minutes ?? (values.quick === true ? 9 : Infinity),
      json: values.json === true,
      help: values.help === true,
    };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
