/**
 * One program through everything: `check` accepts it, `fmt` keeps its meaning, compiling is deterministic and never fails inside,
 * and an executor gives what the reference gives, within bounds derived for each number.
 */
import { executeKernels, executeReference } from '../../compiler/cli/running/execute.ts';
import type { NamedTensor, Prepared } from '../../compiler/cli/running/execution.ts';
import { CliError } from '../../compiler/cli/terminal/cli-error.ts';
import { compareResults, mayLeaveF32, type Comparison } from '../../compiler/cli/running/compare.ts';
import { madeVariables, withVariables } from '../../compiler/cli/running/made-values.ts';
import type { Ready } from '../../compiler/cli/running/execution.ts';
import { stepwiseOnGpu, stepwiseOnKernels, type Stepwise } from '../../compiler/cli/running/stepwise.ts';
import type { StepwiseSummary } from '../../compiler/verify/summary.ts';
import { CompilerBug } from '../../dsl/diagnostics/bug.ts';
import type { File } from '../../dsl/syntax/ast.ts';
import { parseFile } from '../../dsl/syntax/parse-file.ts';
import { format } from '../../dsl/syntax/print-ast.ts';
import { MoecError } from '../../runtime/contract/errors.ts';
import { webgpuCore, type Target } from '../../compiler/target.ts';
import { manifestOfClass } from '../../runtime/contract/device-class.ts';
import { prepareText } from '../language/support.ts';
import type { Profile } from './program.ts';
import { decisions, drawnChanges, drawSchedules, type DrawnSchedules, type ScheduleDraw } from './random-schedule.ts';
import type { Regime } from '../../compiler/schedule/deciding/regimes.ts';
import { makeValues, type Values } from './values.ts';

/** What is run beside the reference. `reference`: nothing. */
export type On = 'reference' | 'kernels' | 'gpu';

export interface Case {
  readonly text: string;
  readonly sizes: ReadonlyMap<string, number>;
  readonly profile: Profile;
  readonly seed: number;
  /** Instead of those the profile makes. */
  readonly values?: Values;
  /** How it is scheduled otherwise than by costs; null: it is not. */
  readonly schedule?: ScheduleDraw | null;
}

export interface Finding {
  readonly kind:
    'internal error' | 'fmt' | 'unstable compile' | 'numbers' | 'names' | 'errors differ' | 'unstable run' | 'hang';
  /** What tells it from other findings of its kind: a shrunk program must keep it. */
  readonly key: string;
  readonly message: string;
}

export type Outcome =
  | { readonly kind: 'agreed'; readonly compared: number; readonly undecided: number }
  /** An error of the run that both sides report. */
  | { readonly kind: 'stopped'; readonly code: string }
  /** Diagnostics of the checker or the compiler: the program is none. */
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }
  | { readonly kind: 'finding'; readonly finding: Finding };

const found = (kind: Finding['kind'], key: string, message: string): Outcome => ({
  kind: 'finding',
  finding: { kind, key, message },
});

export interface ExamineOptions {
  readonly on: On;
  /** What is run instead of the executor: for mutants. */
  readonly instead?: (run: Ready) => Promise<ReadonlyMap<string, NamedTensor>>;
  /** Also compiles and runs a second time, and compares bit for bit; or runs only, where the same was compiled twice before. */
  readonly twice?: boolean | 'run';
}

export async function examine(given: Case, options: ExamineOptions): Promise<Outcome> {
  try {
    return await examined(given, options);
  } catch (error) {
    return found('internal error', keyOfError(error), stackOf(error));
  }
}

/** Whether a program is computed as if its matrices were large, and its sums long: every other one is, which the command line has no option for. */
export function hasLargeTiles(seed: number): boolean {
  return seed % 2 !== 0;
}

/** How a program is scheduled: every other pair of seeds has one in which something is decided otherwise than by costs. */
export function drawOf(seed: number): ScheduleDraw | null {
  return Math.floor(seed / 2) % 2 === 0 ? { seed, kinds: decisions, only: null } : null;
}

/** For how many rows a program is scheduled: of those that are drawn, every other one as if there were few. */
export const regimeOf = ({ seed, schedule }: Case): Regime =>
  (schedule ?? null) !== null && Math.floor(seed / 4) % 2 !== 0 ? 'few' : 'many';

export const targetOf = (seed: number): Target =>
  hasLargeTiles(seed) ? { ...webgpuCore, tileFrom: 0, maxAsked: 0 } : webgpuCore;

/** A run asks for everything: the plan of the results alone would only be compiled. */
const asRun = { name: 'model.moe', plans: 'all' } as const;

/** The schedules that are drawn for a program; null: those that costs decide. */
export function drawnFor(prepared: Prepared, { seed, schedule: draw }: Case): DrawnSchedules | null {
  return draw === undefined || draw === null ? null : drawSchedules(prepared, targetOf(seed), draw);
}

/** What is decided otherwise than by costs; nothing of a text that is no program. */
export function changesOf(given: Case): readonly string[] {
  const target = targetOf(given.seed);
  const { prepared } = prepareText(given.text, { ...asRun, target, regime: regimeOf(given) });
  const { schedule } = given;
  return prepared === null || schedule === null || schedule === undefined
    ? []
    : drawnChanges(prepared, target, schedule);
}

/** A program with the schedules that are drawn for it. */
function scheduled(prepared: Prepared, given: Case): Prepared {
  const drawn = drawnFor(prepared, given);
  if (drawn === null) return prepared;
  const { regime } = prepared.entry.withAux;
  const again = prepareText(given.text, { ...asRun, target: targetOf(given.seed), regime, schedules: drawn.texts });
  if (again.prepared !== null) return again.prepared;
  throw new Error(`with another schedule it is ${again.diagnostics.map(({ message }) => message).join('; ')}`);
}

async function examined(given: Case, options: ExamineOptions): Promise<Outcome> {
  const { text } = given;
  const target = targetOf(given.seed);
  const regime = regimeOf(given);
  const { prepared, diagnostics } = prepareText(text, { ...asRun, target, regime });
  const laid = misprinted(text);
  if (laid !== null) return found('fmt', laid.slice(0, 30), laid);
  if (prepared === null) {
    const first = diagnostics.find((d) => d.severity === 'error');
    return { kind: 'refused', code: first?.code ?? 'no code', message: first?.message ?? '' };
  }
  if (options.twice === true) {
    const again = prepareText(text, { ...asRun, target, regime }).prepared;
    if (again === null || again.manifest.hash !== prepared.manifest.hash)
      return found('unstable compile', 'hash', 'compiling twice gives two modules');
  }
  const run = readyFor(scheduled(prepared, given), given);
  const { instead } = options;
  const execute = (): Promise<Attempt | null> =>
    instead === undefined ? on(options.on, run) : attempt(() => instead(run));
  const [reference, actual] = [await attempt(() => executeReference(run.prepared, run.request)), await execute()];
  if ('bug' in reference)
    return found('internal error', `reference ${keyOfError(reference.bug)}`, stackOf(reference.bug));
  if (actual === null) return { kind: 'agreed', compared: 0, undecided: 0 };
  if ('bug' in actual) return found('internal error', `${options.on} ${keyOfError(actual.bug)}`, stackOf(actual.bug));
  if ('code' in reference || 'code' in actual) {
    const [want, have] = [shownError(reference), shownError(actual)];
    if ('code' in reference && 'code' in actual && reference.code === actual.code)
      return { kind: 'stopped', code: reference.code };
    // What overflows in f32 and not in float64 makes NaN of a run alone.
    if ('code' in actual && actual.code === 'MOE0720' && !('code' in reference) && mayLeaveF32(run))
      return { kind: 'stopped', code: 'MOE0720' };
    const key = `${'code' in reference ? reference.code : 'values'} ${'code' in actual ? actual.code : 'values'}`;
    return found('errors differ', key, `the reference says ${want}, ${options.on} says ${have}`);
  }
  const outcome = compared(run, actual.values, reference.values, actual.steps);
  if (outcome.kind === 'agreed' && options.on === 'kernels' && instead === undefined) {
    const other = (await inClasses(run, actual.values)) ?? (await withFewRows(given, actual.values));
    if (other !== null) return other;
  }
  if (outcome.kind === 'agreed' && (options.twice ?? false) !== false) {
    const again = await execute();
    if (again === null || !('values' in again) || !sameBits(again.values, actual.values))
      return found('unstable run', 'bits', 'running twice gives other bits');
  }
  return outcome;
}

/** Every class of devices that a launch has a form for gives the bits of the portable forms. */
async function inClasses(run: Ready, portable: ReadonlyMap<string, NamedTensor>): Promise<Outcome | null> {
  const { manifest } = run.prepared;
  for (const { name } of manifest.classes) {
    const prepared = { ...run.prepared, manifest: manifestOfClass(manifest, name) };
    const own = await attempt(() => executeKernels(prepared, run.request));
    if ('bug' in own) return found('internal error', `${name} ${keyOfError(own.bug)}`, stackOf(own.bug));
    if (!('values' in own) || !sameBits(own.values, portable))
      return found('numbers', `class ${name}`, `${name} gives other bits than the portable forms`);
  }
  return null;
}

/** The plan for few rows gives the bits of the one for many, in every class, and each of its launches is right. */
async function withFewRows(given: Case, expected: ReadonlyMap<string, NamedTensor>): Promise<Outcome | null> {
  if ((given.schedule ?? null) !== null) return null;
  const { prepared } = prepareText(given.text, { ...asRun, target: targetOf(given.seed), regime: 'few' });
  if (prepared?.entry.withAux.regime !== 'few') return null;
  const run = readyFor(prepared, given);
  const own = await stepwise(() => stepwiseOnKernels(run));
  if ('bug' in own) return found('internal error', `few rows ${keyOfError(own.bug)}`, stackOf(own.bug));
  if (!('values' in own)) return found('errors differ', 'few rows', `with a plan for few rows it says ${own.message}`);
  const outcome = compared(run, own.values, own.values, own.steps);
  if (outcome.kind !== 'agreed') return outcome;
  if (!sameBits(own.values, expected)) return found('numbers', 'few rows', 'a plan for few rows gives other bits');
  return inClasses(run, own.values);
}

/** Everything a run of the case needs. */
export function readyFor(prepared: Prepared, given: Case): Ready {
  const known = madeVariables(prepared, { random: false, seed: given.seed });
  const values = given.values ?? makeValues(prepared.manifest, given.sizes, given.profile, given.seed, known);
  return {
    prepared: { ...prepared, variables: values.stores },
    request: {
      modelFile: 'model.moe',
      sets: new Map(),
      entry: prepared.entry.name,
      inputs: values.inputs,
      weights: withVariables(null, prepared.manifest.stores, values.stores),
      want: { losses: true, outputs: true, updates: true },
      on: 'reference',
      seed: given.seed,
    },
  };
}

type Attempt =
  | { readonly values: ReadonlyMap<string, NamedTensor>; readonly steps?: StepwiseSummary }
  | { readonly code: string; readonly message: string }
  | { readonly bug: unknown };

/** A run's values, or the error it told its user. Whatever else is thrown is a bug. */
async function attempt(run: () => Promise<ReadonlyMap<string, NamedTensor>>): Promise<Attempt> {
  try {
    return { values: await run() };
  } catch (error) {
    if (error instanceof MoecError && !['MOE0700', 'MOE0703', 'MOE0704'].includes(error.code))
      return { code: error.code, message: error.message };
    if (error instanceof CliError && error.diagnostics[0] !== undefined)
      return { code: error.diagnostics[0].code, message: error.diagnostics[0].message };
    return { bug: error };
  }
}

async function on(where: On, run: Ready): Promise<Attempt | null> {
  switch (where) {
    case 'reference':
      return null;
    case 'kernels':
      return stepwise(() => stepwiseOnKernels(run));
    case 'gpu':
      return stepwise(() => stepwiseOnGpu({ ...run, request: { ...run.request, on: 'gpu' } }));
  }
}

/** A run whose every launch is compared. */
async function stepwise(run: () => Promise<Stepwise>): Promise<Attempt> {
  let steps: StepwiseSummary | undefined;
  const ran = await attempt(async () => {
    const compared = await run();
    steps = compared;
    return compared.results;
  });
  return 'values' in ran && steps !== undefined ? { ...ran, steps } : ran;
}

function shownError(a: Attempt): string {
  return 'code' in a ? a.message : 'values';
}

function compared(
  run: Ready,
  actual: ReadonlyMap<string, NamedTensor>,
  reference: ReadonlyMap<string, NamedTensor>,
  steps: StepwiseSummary | undefined,
): Outcome {
  if (steps !== undefined && steps.firstWrong !== null) {
    const { comparison, index, actual: have, expected, bound, ratio } = steps.firstWrong;
    const where = `${comparison.label}, step ${comparison.step}, ${comparison.what}[${index.join(', ')}]`;
    const key = `step ${comparison.what} ${Number.isFinite(ratio) ? '' : 'not finite'}`;
    return found('numbers', key, `${where} is ${have}, of what it was made of it is ${expected} (bound ${bound})`);
  }
  const names = (m: ReadonlyMap<string, NamedTensor>): string => [...m.keys()].sort().join(', ');
  if (names(actual) !== names(reference))
    return found('names', 'names', `the reference gives ${names(reference)}, the run ${names(actual)}`);
  const verdicts = compareResults(run, actual, reference);
  const wrong = verdicts.find((v) => !v.passed);
  if (wrong !== undefined) return found('numbers', keyOfVerdict(wrong), describe(wrong));
  const total = verdicts.reduce((n, v) => n + v.shape.reduce((a, b) => a * b, 1), 0);
  const undecided = verdicts.reduce((n, v) => n + v.undecided, 0);
  if (steps !== undefined) return { kind: 'agreed', compared: steps.compared, undecided: steps.undecided + steps.left };
  return { kind: 'agreed', compared: total - undecided, undecided };
}

/** A finding stays the same finding if the numbers are wrong in the same way: not finite, or simply others. */
function keyOfVerdict({ worst }: Comparison): string {
  if (worst === null) return 'shape';
  if (!Number.isFinite(worst.ratio)) return 'not finite';
  return worst.ratio > 100 ? 'far off' : 'off';
}

function describe({ name, shape, worst }: Comparison): string {
  if (worst === null) return `${name} [${shape.join(', ')}] is missing or has another shape`;
  const at = worst.index.join(', ');
  return `${name}[${at}] is ${worst.actual}, the reference says ${worst.expected} (bound ${worst.bound})`;
}

function sameBits(a: ReadonlyMap<string, NamedTensor>, b: ReadonlyMap<string, NamedTensor>): boolean {
  return [...a].every(([name, { data }]) => {
    const other = b.get(name)?.data;
    return other !== undefined && data.length === other.length && data.every((v, i) => Object.is(v, other[i]));
  });
}

/** What `fmt` did wrong: the tree it prints is the tree it read, and printing again changes nothing. */
function misprinted(text: string): string | null {
  const source = { name: 'model.moe', text };
  const once = format(source);
  if (!once.ok) return null;
  const twice = format({ name: 'model.moe', text: once.text });
  if (!twice.ok) return `fmt made a text that does not parse: ${twice.diagnostics[0]?.message ?? ''}`;
  if (twice.text !== once.text) return 'fmt of what fmt wrote is another text';
  if (tree(parseFile(source).file) !== tree(parseFile({ name: 'model.moe', text: once.text }).file))
    return 'fmt changed the program';
  return null;
}

const tree = (file: File): string =>
  JSON.stringify(file, (key, value: unknown) => (key === 'span' ? undefined : value));

function keyOfError(error: unknown): string {
  const text = error instanceof Error ? `${error.name} ${error.message}` : String(error);
  // Numbers of nodes and axes change as a program shrinks.
  return `${error instanceof CompilerBug ? error.stage : ''} ${text
    .split('\n')
    .slice(0, 2)
    .join(' ')
    .replace(/%?\d+/g, '#')
    .replace(/\[[^\]]*\]/g, '[]')
    .slice(0, 160)}`;
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
