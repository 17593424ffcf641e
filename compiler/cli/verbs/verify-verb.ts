/**
 * `moec verify MODEL`: a run on the GPU (or by the kernels on the CPU), compared launch by launch with what follows from the values that it really had,
 * and its results from end to end against the reference interpreter. All bounds are derived.
 */
import { CliError } from '../terminal/cli-error.ts';
import { exitCodes, killable } from '../terminal/exit.ts';
import type { Ready } from '../running/execution.ts';
import { executeOn, withRun, type RunVerbOptions } from '../running/run-options.ts';
import type { Session } from '../terminal/session.ts';
import { numberText, table } from '../terminal/text-table.ts';
import type { FirstWrong, RunComparison, TensorComparison } from '../running/comparisons.ts';

/** Throws CliError 1 where something is wrong, 5 where something could not be verified. */
export async function verify(session: Session, modelFile: string, options: RunVerbOptions): Promise<void> {
  session.stage = 'verify';
  const comparison = await withRun(session, modelFile, options, true, (ready) => verifyRun(session, ready, options.on));
  if (session.json) {
    session.outJson(asJson(comparison, options.on));
    if (comparison.status === 'wrong') process.exitCode = exitCodes.input;
    if (comparison.status === 'not verified') process.exitCode = exitCodes.unverified;
    return;
  }
  session.out(show(comparison, session, options.on));
  if (comparison.status === 'wrong') {
    throw new CliError(exitCodes.input, whatIsWrong(comparison), {
      help: 'this is a bug of moec or of the driver: the same with --on kernels tells which',
    });
  }
  if (comparison.status === 'not verified') throw new CliError(exitCodes.unverified, whatIsOpen(comparison));
}

/** Runs, compares launch by launch, and with the reference. */
async function verifyRun(session: Session, ready: Ready, on: RunVerbOptions['on']): Promise<RunComparison> {
  const { stepwiseOnGpu, stepwiseOnKernels } = await import('../running/stepwise.ts');
  const { comparisonOf } = await import('../running/comparisons.ts');
  session.progress.show(`running on ${on}, launch by launch`);
  const stepwise = on === 'gpu' ? await stepwiseOnGpu(ready) : await killable(() => stepwiseOnKernels(ready));
  // No bound can be derived past a function of the host: what comes after it is compared step by step alone.
  if (ready.prepared.entry.elaborated.withAux.externs.length > 0) return comparisonOf(ready, stepwise, null);
  session.stage = 'reference';
  session.progress.show('evaluating by definition');
  const expected = await executeOn('reference', ready);
  session.stage = 'error bounds';
  session.progress.show('deriving bounds');
  const { compareResults } = await import('../running/compare.ts');
  const endToEnd = await killable(() => compareResults(ready, stepwise.results, expected));
  return comparisonOf(ready, stepwise, endToEnd);
}

/** JSON has no infinities. */
const number = (n: number): number | string => (Number.isFinite(n) ? n : String(n));

function asJson(comparison: RunComparison, on: string): Readonly<Record<string, unknown>> {
  const compared = (c: TensorComparison['worst']) =>
    c === null
      ? null
      : {
          index: c.index,
          actual: number(c.actual),
          expected: number(c.expected),
          error: number(c.error),
          bound: c.bound,
          ratio: number(c.ratio),
        };
  const first = comparison.firstWrong;
  return {
    ok: comparison.status === 'verified',
    status: comparison.status,
    on,
    tensors: comparison.tensors.map((t) => ({
      ...t,
      passed: t.status === 'verified',
      looseness: number(t.looseness),
      worst: compared(t.worst),
      endToEnd:
        t.endToEnd === null
          ? null
          : { ...t.endToEnd, error: number(t.endToEnd.error), worst: compared(t.endToEnd.worst) },
    })),
    launches: comparison.launches,
    firstWrong:
      first === null
        ? null
        : {
            launch: first.launch,
            place: first.place,
            usedAt: first.usedAt,
            tensor: first.tensor,
            ...compared(first),
          },
    unverified: comparison.unverified,
    diagnostics: [],
  };
}

const marks = { verified: '✓', wrong: '✗', 'not verified': '?' } as const;

function show(comparison: RunComparison, session: Session, on: string): string {
  const { bold, green, red, dim, yellow } = session.outColours;
  const rows = comparison.tensors.map((t) => {
    const { worst, endToEnd } = t;
    const total = t.shape.reduce((n, k) => n * k, 1);
    const numbers =
      worst === null
        ? ['', '', '', '', '']
        : [
            numberText(worst.bound),
            `${bar(worst.ratio)} ${ratioText(worst.ratio).padStart(6)}`,
            `[${worst.index.join(', ')}]`,
            numberText(worst.actual),
            numberText(worst.expected),
          ];
    const whole =
      endToEnd === null
        ? ''
        : endToEnd.compared === 0
          ? 'nothing compared'
          : `${numberText(endToEnd.error)} of ${numberText(endToEnd.bound)}`;
    const open = [t.undecided > 0 ? `${t.undecided} undecided` : '', t.reason ?? ''].filter((s) => s !== '').join('; ');
    return [marks[t.status], t.name, `[${t.shape.join(', ')}]`, `${t.compared}/${total}`, ...numbers, whole, open];
  });
  const head = ['', 'tensor', 'shape', 'compared', 'bound', 'of the bound', 'at', on, 'expected', 'end to end', ''];
  const aligns = ['left', 'left', 'left', 'right', 'right', 'left', 'left', 'right', 'right', 'left', 'left'] as const;
  const [heading = '', ...lines] = table(head, rows, aligns);
  const paint = (line: string): string =>
    line.startsWith('✗') ? red(line) : line.startsWith('?') ? yellow(line) : line.replace('✓', green('✓'));
  const { launches } = comparison;
  const counts =
    `${launches.compared} numbers in ${launches.values} values compared, each with what its own inputs make it` +
    (launches.undecided === 0 ? '' : `; ${launches.undecided} hang on a choice that rounding could turn`) +
    (launches.left === 0 ? '' : `; ${launches.left} left the range of f32`);
  const last = {
    verified: green(`verified: ${counts}`),
    wrong: red(`wrong: ${counts}`),
    'not verified': yellow(`not verified: ${counts}`),
  }[comparison.status];
  const inside = comparison.unverified.slice(0, 5).map((v) => yellow(`  ? ${v.tensor} at ${v.place}: ${v.reason}`));
  return `${[bold(heading), ...lines.map(paint), '', last, ...inside, dim('worst number of each tensor, in units of its derived bound')].join('\n')}\n`;
}

/** The first wrong launch with its place; or the results that differ although all launches are right. */
function whatIsWrong({ firstWrong, tensors }: RunComparison): string {
  if (firstWrong !== null) return `the first wrong launch is ${firstWrongText(firstWrong)}`;
  const names = tensors.filter((t) => t.status === 'wrong').map((t) => `${t.name} at ${t.place}`);
  return `${names.join(', ')}: further from the reference than rounding explains, although every launch does what its plan says`;
}

function firstWrongText(wrong: FirstWrong): string {
  const used = wrong.usedAt === null ? '' : `, used at ${wrong.usedAt}`;
  const numbers = `is ${numberText(wrong.actual)}, not ${numberText(wrong.expected)} within ${numberText(wrong.bound)}`;
  return `${wrong.place}${used}: ${wrong.tensor} at [${wrong.index.join(', ')}] ${numbers} (${wrong.launch})`;
}

function whatIsOpen({ tensors, unverified, launches }: RunComparison): string {
  if (launches.compared === 0) return 'not verified: no number was compared';
  const named = unverified.map((v) => `${v.tensor} at ${v.place}: ${v.reason}`);
  const results = tensors.filter((t) => t.status === 'not verified').map((t) => `${t.name}: ${t.reason ?? ''}`);
  const [reason = ''] = [...named, ...results];
  return `not verified: ${reason}`;
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
