/** What `moec run` and `moec verify` share: their options, and from options to a request. */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ExternFunction } from '../../../runtime/contract/ask-host.ts';
import { type MissingParams, tensorsOf } from '../../../runtime/weights/bind-weights.ts';
import { quoteName } from '../../../runtime/weights/json.ts';
import { unreadNeighbours } from '../../../runtime/weights/layout-hints.ts';
import type { WeightSource } from '../../../runtime/weights/weight-source.ts';
import { CliError, usageError } from '../terminal/cli-error.ts';
import { exitCodes } from '../terminal/exit.ts';
import { fileFaultOf } from '../terminal/file-faults.ts';
import type { Ready, ExecuteRequest, NamedTensor, Prepared } from './execution.ts';
import type { GivenCompilation } from './given-tuning.ts';
import { statOrNull } from '../terminal/io.ts';
import { parseSets, parseSizes, parseTarget, projectOptions } from './command-options.ts';
import type { Session } from '../terminal/session.ts';

export type Executor = ExecuteRequest['on'];

export interface RunVerbOptions {
  readonly input?: string;
  readonly weights?: string;
  readonly missing: MissingParams;
  readonly entry?: string;
  readonly model?: string;
  readonly root?: string;
  readonly set: readonly string[];
  readonly on: Executor;
  readonly state?: string;
  readonly losses?: boolean;
  readonly outputs?: boolean;
  readonly extern?: string;
  readonly seed: number;
  readonly random?: boolean;
  /** Whether the next states are asked for; they are unless somebody says otherwise. No option: a verb says it. */
  readonly updates?: boolean;
  readonly size: readonly string[];
  readonly target: string;
  readonly schedule?: string;
  readonly tuned?: string;
}

/**
 * Reads what the options name, compiles, and makes what has to be made, and hands it to `work`; files are closed after it.
 * With `settle` initial values are computed here, for all executors alike, instead of by each.
 */
export async function withRun<T>(
  session: Session,
  modelFile: string,
  options: RunVerbOptions,
  settle: boolean,
  work: (ready: Ready) => Promise<T>,
): Promise<T> {
  const { readTensors, statesOf } = await import('./tensor-files.ts');
  const { prepare } = await import('./prepare.ts');
  const { madeVariables, randomSizes, withRandomInputs, withVariables } = await import('./made-values.ts');
  const sets = parseSets(options.set);
  const sizes = parseSizes(options.size);
  session.progress.show('reading');
  const inputs = options.input === undefined ? new Map<string, NamedTensor>() : await readTensors(options.input);
  const states = options.state === undefined ? undefined : statesOf(await readTensors(options.state));
  const externs = options.extern === undefined ? undefined : await loadExterns(options.extern);
  const weights = options.weights === undefined ? null : await openWeights(options.weights);
  try {
    const request: ExecuteRequest = {
      modelFile,
      sets,
      inputs,
      weights,
      want: { losses: options.losses === true, outputs: options.outputs === true, updates: options.updates ?? true },
      missing: options.missing,
      on: options.on,
      seed: options.seed,
      target: parseTarget(options.target),
      ...projectOptions(options),
      ...(options.entry === undefined ? {} : { entry: options.entry }),
      ...(options.schedule === undefined ? {} : { schedule: options.schedule }),
      ...(options.tuned === undefined ? {} : { tuned: options.tuned }),
      ...(states === undefined ? {} : { states }),
      ...(externs === undefined ? {} : { externs }),
    };
    session.stage = 'compile';
    session.progress.show('compiling');
    const compiled = await prepare(request, request.on === 'gpu' && !settle ? 'device' : 'host');
    if (compiled.tuning != null) tellTuning(session, compiled.tuning);
    checkAxes(compiled, sizes);
    if (weights !== null) tellUnread(session, compiled, weights);
    const known = knownInputs(session, compiled, inputs);
    const random = options.random === true && weights === null;
    const made =
      random || settle ? madeVariables(compiled, { random, seed: options.seed }) : new Map<string, Float64Array>();
    session.stage = `run on ${options.on}`;
    session.progress.show(`running on ${options.on}`);
    return await work({
      prepared: { ...compiled, variables: new Map([...made, ...compiled.variables]) },
      request: {
        ...request,
        sizes: options.random === true ? randomSizes(compiled, known, sizes) : sizes,
        inputs: options.random === true ? withRandomInputs(compiled, known, sizes, options.seed) : known,
        weights: withVariables(weights, compiled.manifest.stores, made),
      },
    });
  } finally {
    session.progress.clear();
    await weights?.close();
  }
}

/** A notice of tensors beside those that are read: a bias that the program does not know is a common slip. */
function tellUnread(session: Session, { manifest }: Prepared, weights: WeightSource): void {
  const unread = unreadNeighbours(weights.names ?? weights.tensors.keys(), tensorsOf(manifest));
  if (unread.length === 0 || session.json) return;
  const more = unread.length > 5 ? ` and ${unread.length - 5} more` : '';
  const list = unread.slice(0, 5).map(quoteName).join(', ');
  session.say(
    `notice: the weights also have ${list}${more}, beside tensors that are read; the program does not read them`,
  );
}

/** Which records of `moec tune` are used, and what is wrong with those that are not. */
export function tellTuning(
  session: Session,
  { notice, warnings, source }: NonNullable<GivenCompilation['tuning']>,
): void {
  session.showDiagnostics(warnings, [source]);
  if (!session.json) session.say(`notice: ${notice}`);
}

/** A size of an axis that no run decides is a slip of the command line. */
function checkAxes({ manifest }: Prepared, sizes: ReadonlyMap<string, number>): void {
  const unknown = [...sizes.keys()].find((name) => !manifest.dynamic.includes(name));
  if (unknown !== undefined)
    throw usageError(
      `the model has no axis ${unknown} whose size a run decides`,
      manifest.dynamic.length === 0 ? undefined : `axes: ${manifest.dynamic.join(', ')}`,
    );
}

/** The tensors of the input file that the entry or the model takes; about others there is a warning. */
function knownInputs(
  session: Session,
  { entry, manifest }: Prepared,
  given: ReadonlyMap<string, NamedTensor>,
): ReadonlyMap<string, NamedTensor> {
  const inputs = entry.elaborated.inputs.map((i) => i.name);
  const controls = manifest.stores.filter((s) => s.kind === 'control').map((s) => s.path);
  const takes = new Set([...inputs, ...controls]);
  const unknown = [...given.keys()].filter((name) => !takes.has(name));
  // With an input missing as well, a wrong name is the likely reason: then the executor tells.
  if (unknown.length === 0 || inputs.some((name) => !given.has(name))) return given;
  const list =
    unknown.length > 5 ? `${unknown.slice(0, 5).join(', ')} and ${unknown.length - 5} more` : unknown.join(', ');
  session.say(`warning: ${entry.name} takes ${[...takes].join(', ') || 'nothing'}; not used: ${list}`);
  return new Map([...given].filter(([name]) => takes.has(name)));
}

async function openWeights(path: string): Promise<WeightSource> {
  const { fromDirectory, fromFile } = await import('../../../runtime/node.ts');
  const stats = await statOrNull(path);
  if (stats === null) throw new CliError(exitCodes.io, `cannot read ${path}: there is no such file or folder`);
  return stats.isDirectory() ? fromDirectory(path) : fromFile(path);
}

/** The functions that a module exports, by name. */
export async function loadExterns(path: string): Promise<ReadonlyMap<string, ExternFunction>> {
  if ((await statOrNull(path)) === null) throw new CliError(exitCodes.io, `cannot read ${path}: there is no such file`);
  let exported: Readonly<Record<string, unknown>>;
  try {
    exported = await import(pathToFileURL(resolve(path)).href);
  } catch (error) {
    const fault = fileFaultOf(error);
    const why = error instanceof Error ? error.message : String(error);
    throw new CliError(fault === null ? exitCodes.input : exitCodes.io, `cannot load ${path}: ${why}`, {
      cause: error,
    });
  }
  return new Map(
    Object.entries(exported).filter((entry): entry is [string, ExternFunction] => typeof entry[1] === 'function'),
  );
}

/** Executes on one of the three, killable where the thread is busy all the time. */
export async function executeOn(on: Executor, { prepared, request }: Ready): Promise<ReadonlyMap<string, NamedTensor>> {
  const { executeGpu, executeKernels, executeReference } = await import('./execute.ts');
  const { killable } = await import('../terminal/exit.ts');
  switch (on) {
    case 'gpu':
      return executeGpu(prepared, request);
    case 'kernels':
      return killable(() => executeKernels(prepared, request));
    case 'reference':
      return killable(() => executeReference(prepared, request));
  }
}
