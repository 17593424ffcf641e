/**
 * `moec verify MODEL`: the same run on the GPU (or by the kernels on the CPU) and by the reference interpreter, judged number
 * by number within derived bounds.
 */
import { Command, Option } from 'commander';
import { CliError } from './cli-error.ts';
import { exitCodes, killable, usageError } from './exit.ts';
import type { Verdict } from './judge.ts';
import { addRunOptions, executeOn, withRun, type RunOptions } from './run-options.ts';
import type { Session } from './session.ts';
import { numberText, table } from './table.ts';

export function verifyVerb(session: Session): Command {
  const verb = new Command('verify')
    .summary('compare a run with the reference')
    .description(
      'Runs an entry on the GPU and by the reference interpreter, which evaluates the program by definition in float64, and\n' +
        'judges every number by a bound derived from the program and the inputs. Exit code 1 if any is off.',
    );
  return addRunOptions(verb)
    .addOption(
      new Option('--on <where>', 'what is compared with the reference').choices(['gpu', 'kernels']).default('gpu'),
    )
    .action(async (modelFile: string, options: RunOptions) => {
      session.stage = 'verify';
      const verdicts = await withRun(session, modelFile, options, true, async (ready) => {
        if (ready.prepared.entry.elaborated.full.externs.length > 0) {
          throw usageError(
            'no bound can be derived past a function of the host',
            'compare moec run --on gpu with --on reference',
          );
        }
        const actual = await executeOn(options.on, ready);
        session.stage = 'reference';
        session.progress.show('evaluating by definition');
        const expected = await executeOn('reference', ready);
        session.stage = 'error bounds';
        session.progress.show('deriving bounds');
        const { judge } = await import('./judge.ts');
        return killable(() => judge(ready, actual, expected));
      });
      const wrong = verdicts.filter((v) => !v.passed);
      if (session.json) {
        const tensors = verdicts.map((v) => ({ ...v, worst: v.worst === null ? null : jsonWorst(v.worst) }));
        session.outJson({ ok: wrong.length === 0, on: options.on, tensors, diagnostics: [] });
        if (wrong.length > 0) process.exitCode = exitCodes.input;
        return;
      }
      session.out(show(verdicts, session, options.on));
      if (wrong.length > 0) {
        throw new CliError(
          exitCodes.input,
          `${wrong.map((v) => v.name).join(', ')}: further from the reference than rounding explains`,
          {
            help: 'this is a bug of moec or of the driver: the same with --on kernels tells which',
          },
        );
      }
    });
}

/** JSON has no infinities. */
function jsonWorst(worst: NonNullable<Verdict['worst']>): Readonly<Record<string, unknown>> {
  const number = (n: number): number | string => (Number.isFinite(n) ? n : String(n));
  const { index, actual, expected, error, bound, ratio } = worst;
  return {
    index,
    actual: number(actual),
    expected: number(expected),
    error: number(error),
    bound,
    ratio: number(ratio),
  };
}

function show(verdicts: readonly Verdict[], session: Session, on: string): string {
  const { bold, green, red, dim, yellow } = session.outColours;
  const rows = verdicts.map((v) => {
    const { worst } = v;
    const numbers =
      worst === null
        ? ['', '', '', '', '', '']
        : [
            numberText(worst.error),
            numberText(worst.bound),
            `${bar(worst.ratio)} ${ratioText(worst.ratio).padStart(6)}`,
            `[${worst.index.join(', ')}]`,
            numberText(worst.actual),
            numberText(worst.expected),
          ];
    const open = v.undecided === 0 ? '' : `${v.undecided} undecided`;
    return [v.passed ? '✓' : '✗', v.name, `[${v.shape.join(', ')}]`, ...numbers, open];
  });
  const head = ['', 'tensor', 'shape', '|error|', 'bound', 'of the bound', 'at', on, 'reference', ''];
  const aligns = ['left', 'left', 'left', 'right', 'right', 'left', 'left', 'right', 'right', 'left'] as const;
  const [first = '', ...lines] = table(head, rows, aligns);
  const painted = lines.map((line) => (line.startsWith('✗') ? red(line) : line.replace('✓', green('✓'))));
  const wrong = verdicts.filter((v) => !v.passed).length;
  const open = verdicts.reduce((n, v) => n + v.undecided, 0);
  const last =
    wrong === 0
      ? green(`${verdicts.length} tensors within their bounds`)
      : red(`${wrong} of ${verdicts.length} tensors are off`);
  const note = open === 0 ? '' : yellow(`; ${open} numbers hang on a choice that rounding could turn`);
  return `${[bold(first), ...painted, '', `${last}${note}`, dim('worst element of each tensor, in units of its derived bound')].join('\n')}\n`;
}

const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** A bar of ten characters for 0 to 1. */
export function bar(ratio: number, width = 10): string {
  const filled = Math.max(0, Math.min(1, ratio)) * width;
  const full = Math.floor(filled);
  const rest = eighths[Math.floor((filled - full) * 8)] ?? '';
  return ('█'.repeat(full) + rest).padEnd(width, '·');
}

export function ratioText(ratio: number): string {
  return Number.isFinite(ratio) ? `${(100 * ratio).toFixed(ratio < 0.1 ? 2 : 1)} %` : '∞';
}
