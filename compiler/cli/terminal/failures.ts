/**
 * Failures of any kind: which exit code each has, and how it is told. Loaded where a call fails with something else than a `CliError`
 * of its own making, so that the usual calls, good or bad, need nothing of the runtime.
 */
import { CompilerBug } from '../../../dsl/diagnostics/bug.ts';
import { isCode } from '../../../dsl/diagnostics/catalogue.ts';
import { showText } from '../../../dsl/diagnostics/columns.ts';
import { toJson, type JsonDiagnostic } from '../../../dsl/diagnostics/render.ts';
import {
  DeviceLostError,
  type ErrorCode,
  MoecError,
  OutOfMemoryError,
  RequirementsError,
  RunError,
  TimeoutError,
  WeightsError,
  type WeightsProblem,
} from '../../../runtime/contract/errors.ts';
import { noAdapterHelp } from './adapter-help.ts';
import { bugReport } from './bug-report.ts';
import { CliError } from './cli-error.ts';
import { exitCodes, type ExitCode } from './exit.ts';
import { fileFaultOf } from './file-faults.ts';
import type { Session } from './session.ts';

/** What an error means for whoever called the command. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CliError) return error.exitCode;
  if (error instanceof MoecError) return exitCodeOfRuntime(error);
  if (error instanceof CompilerBug) return exitCodes.internal;
  return fileFaultOf(error) === null ? exitCodes.internal : exitCodes.io;
}

/** What an error of the runtime means; a `RunError` is about the numbers of a run, whatever its code. */
function exitCodeOfRuntime(error: MoecError): ExitCode {
  if (error instanceof RunError) return exitCodes.input;
  if (error instanceof OutOfMemoryError) return error.code === 'MOE0704' ? exitCodes.device : exitCodes.environment;
  if (error instanceof DeviceLostError || error instanceof TimeoutError) return exitCodes.device;
  if (error instanceof RequirementsError || isNoAdapter(error)) return exitCodes.environment;
  return error.code === 'MOE0700' ? exitCodes.internal : exitCodes.input;
}

/** Whether nothing was found to run on: the one failure whose help is how to install something. */
function isNoAdapter(error: unknown): boolean {
  return error instanceof MoecError && !(error instanceof RunError) && error.code === noAdapterCode;
}

const noAdapterCode: ErrorCode = 'MOE0701';

/** Tells a failure, whatever it is, and gives its exit code. */
export function tellAnyFailure(session: Session, thrown: unknown): number {
  session.progress.clear();
  const code = exitCodeOf(thrown);
  const error = tellingOf(thrown);
  if (session.json) {
    const diagnostics = jsonOf(error);
    session.outJson({ ok: false, exitCode: code, error: headline(error), diagnostics });
  }
  if (code === exitCodes.internal) session.tell(bugText(session, error));
  else if (session.json) return code;
  else if (error instanceof CliError) session.tellFailure(error);
  else if (error instanceof MoecError) sayMoecError(session, error);
  else session.sayProblem('error', headline(error), []);
  return code;
}

function sayMoecError(session: Session, error: MoecError): void {
  const remarks: string[] = [];
  if (isNoAdapter(error)) remarks.push(`help: ${noAdapterHelp()}`);
  if (error instanceof RunError) remarks.unshift(`in ${error.place}`);
  if (error instanceof WeightsError && error.problems.length > 1) {
    const told = new Set<string>();
    for (const problem of problemsOf(error)) {
      const { help } = problem;
      const fresh = help !== undefined && !told.has(help);
      if (fresh) told.add(help);
      session.sayProblem(`error[${problem.code}]`, problem.message, fresh ? [`help: ${help}`] : []);
    }
    session.say('');
    session.tell(session.colours.bold(`${error.problems.length} faults in the weights`));
    return;
  }
  const [fault] = error instanceof WeightsError ? problemsOf(error) : [];
  if (fault?.help !== undefined) remarks.push(`help: ${fault.help}`);
  if (isCode(error.code)) remarks.push(`more: moec explain ${error.code}`);
  session.sayProblem(`error[${error.code}]`, fault?.message ?? headline(error), remarks);
}

/** What happened, at which stage, and how to see it again: everything a report needs. */
function bugText({ colours, stage }: Session, error: unknown): string {
  const head = `${colours.red(colours.bold('internal error'))}: ${showText(headline(error))}`;
  return [head, ...bugReport({ error, stage, args: process.argv.slice(2) }).map(showText)].join('\n');
}

/** A failure that only passes on an error of the runtime tells less than that error. */
function tellingOf(error: unknown): unknown {
  return error instanceof CliError && error.diagnostics.length === 0 && error.cause instanceof MoecError
    ? error.cause
    : error;
}

/** The sentence of an error, without its code in front. */
function headline(error: unknown): string {
  if (error instanceof RequirementsError)
    return `the device does not suffice:${error.missing.map((m) => `\n  ${m}`).join('')}`;
  if (error instanceof MoecError) return error.message.replace(/^MOE\d{4}: /, '');
  const fault = fileFaultOf(error);
  if (fault !== null && error instanceof Error) {
    const path: unknown = 'path' in error ? error.path : undefined;
    return typeof path === 'string' ? `${path}: ${fault.text} (${fault.code})` : `${fault.text} (${fault.code})`;
  }
  return error instanceof Error ? error.message : String(error);
}

function problemsOf(error: WeightsError): readonly Pick<WeightsProblem, 'code' | 'message' | 'help'>[] {
  return error.problems.map(({ code, message, file, help }) => ({
    code,
    message: file === undefined ? message : `${file}: ${message}`,
    ...(help === undefined ? {} : { help }),
  }));
}

function jsonOf(error: unknown): readonly (JsonDiagnostic | Readonly<Record<string, unknown>>)[] {
  if (error instanceof CliError) return error.diagnostics.map((d) => toJson(d, error.sources));
  if (error instanceof WeightsError) {
    return error.problems.map((problem) => ({ ...problem, severity: 'error', labels: [] }));
  }
  if (error instanceof RunError) {
    const { code, place, point } = error;
    return [{ code, severity: 'error', message: headline(error), labels: [], place, point: Object.fromEntries(point) }];
  }
  if (error instanceof MoecError)
    return [{ code: error.code, severity: 'error', message: headline(error), labels: [] }];
  return [];
}
