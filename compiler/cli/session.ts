/**
 * One call of the command line: where it writes, in which colours, and how failures are told.
 *
 * Invariant: stdout carries data only (a listing that was asked for, JSON, a stage's text); everything that is said about the
 * work goes to stderr. With `--json` there is exactly one JSON value on stdout, also when the call fails.
 */
import pc from 'picocolors';
import { isCode } from '../../dsl/diagnostics/catalogue.ts';
import type { Diagnostic, SourceFile } from '../../dsl/diagnostics/diagnostic.ts';
import { showText } from '../../dsl/diagnostics/columns.ts';
import { renderAll, toJson, type JsonDiagnostic, type Styler } from '../../dsl/diagnostics/render.ts';
import { MoecError, RequirementsError, RunError, WeightsError, type WeightsProblem } from '../../runtime/errors.ts';
import { bugReport } from './bug-report.ts';
import { CliError } from './cli-error.ts';
import { noAdapterHelp } from './environment.ts';
import { exitCodeOf, exitCodes, fileFaultOf, isNoAdapter } from './exit.ts';
import { progressOn, type Progress } from './progress.ts';

export type Colours = ReturnType<typeof pc.createColors>;

/** Whether a stream wants colours: never against NO_COLOR, always with FORCE_COLOR, else on terminals. */
export function wantsColours(stream: NodeJS.WriteStream): boolean {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  if (NO_COLOR !== undefined && NO_COLOR !== '') return false;
  if (FORCE_COLOR !== undefined && FORCE_COLOR !== '' && FORCE_COLOR !== '0') return true;
  return stream.isTTY === true && TERM !== 'dumb';
}

export class Session {
  /** Set from the verb's options before it runs. */
  json = false;
  /** What is being done, for the report of a bug. */
  stage = 'command line';
  /** Colours of what goes to stdout, and of what goes to stderr. */
  readonly outColours: Colours = pc.createColors(wantsColours(process.stdout));
  readonly colours: Colours = pc.createColors(wantsColours(process.stderr));
  readonly progress: Progress = progressOn(process.stderr);

  /** Data, to stdout. */
  out(text: string): void {
    process.stdout.write(text);
  }

  /** A line about the work, to stderr. It may name files and tensors: what could steer a terminal is shown by its number. */
  say(line: string): void {
    this.#tell(showText(line));
  }

  /** The one JSON value of the call. A terminal is safe from its strings as well. */
  outJson(value: Readonly<Record<string, unknown>>): void {
    const text = JSON.stringify(value, null, 2);
    this.out(`${text.replace(/[\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}]/gu, jsonEscape)}\n`);
  }

  /** Text that holds colours, and nothing of unknown origin that was not shown safely before. */
  #tell(text: string): void {
    this.progress.clear();
    process.stderr.write(`${text}\n`);
  }

  /** Frames on stderr; nothing with `--json`, where they are part of the answer. */
  showDiagnostics(diagnostics: readonly Diagnostic[], sources: readonly SourceFile[]): void {
    if (this.json || diagnostics.length === 0) return;
    this.#tell(`${renderAll(diagnostics, sources, this.styler())}\n`);
  }

  jsonDiagnostics(diagnostics: readonly Diagnostic[], sources: readonly SourceFile[]): readonly JsonDiagnostic[] {
    return diagnostics.map((d) => toJson(d, sources));
  }

  /** Tells a failure, whatever it is. The exit code is `exitCodeOf(error)`. */
  report(thrown: unknown): void {
    this.progress.clear();
    const code = exitCodeOf(thrown);
    const error = tellingOf(thrown);
    if (this.json) {
      const diagnostics = jsonOf(error);
      this.outJson({ ok: false, exitCode: code, error: headline(error), diagnostics });
      if (code === exitCodes.internal) this.#tell(this.bugReport(error));
      return;
    }
    if (code === exitCodes.internal) this.#tell(this.bugReport(error));
    else if (error instanceof CliError) this.sayCliError(error);
    else if (error instanceof MoecError) this.sayMoecError(error);
    else this.sayLines('error', headline(error), []);
  }

  private sayCliError(error: CliError): void {
    this.showDiagnostics(error.diagnostics, error.sources);
    if (error.diagnostics.length === 0)
      this.sayLines('error', error.message, error.help === null ? [] : [`help: ${error.help}`]);
    else this.#tell(this.colours.bold(showText(error.message)));
  }

  private sayMoecError(error: MoecError): void {
    const remarks: string[] = [];
    if (isNoAdapter(error)) remarks.push(`help: ${noAdapterHelp()}`);
    if (error instanceof RunError) remarks.unshift(`in ${error.place}`);
    if (error instanceof WeightsError && error.problems.length > 1) {
      const told = new Set<string>();
      for (const problem of problemsOf(error)) {
        const { help } = problem;
        const fresh = help !== undefined && !told.has(help);
        if (fresh) told.add(help);
        this.sayLines(`error[${problem.code}]`, problem.message, fresh ? [`help: ${help}`] : []);
      }
      this.say('');
      this.#tell(this.colours.bold(`${error.problems.length} faults in the weights`));
      return;
    }
    const [fault] = error instanceof WeightsError ? problemsOf(error) : [];
    if (fault?.help !== undefined) remarks.push(`help: ${fault.help}`);
    if (isCode(error.code)) remarks.push(`more: moec explain ${error.code}`);
    this.sayLines(`error[${error.code}]`, fault?.message ?? headline(error), remarks);
  }

  private sayLines(head: string, message: string, remarks: readonly string[]): void {
    const [first = '', ...rest] = showText(message).split('\n');
    this.#tell(`${this.colours.red(this.colours.bold(head))}${this.colours.bold(`: ${first}`)}`);
    for (const line of rest) this.say(line);
    for (const remark of remarks) {
      const [line = '', ...more] = remark.split('\n');
      this.say(`   = ${line}`);
      for (const other of more) this.say(`     ${other}`);
    }
  }

  /** What happened, at which stage, and how to see it again: everything a report needs. */
  private bugReport(error: unknown): string {
    const head = `${this.colours.red(this.colours.bold('internal error'))}: ${showText(headline(error))}`;
    return [head, ...bugReport({ error, stage: this.stage, args: process.argv.slice(2) }).map(showText)].join('\n');
  }

  private styler(): Styler {
    const { red, yellow, bold, blue, cyan } = this.colours;
    return {
      error: (t) => red(bold(t)),
      warning: (t) => yellow(bold(t)),
      message: (t) => bold(t),
      gutter: (t) => blue(t),
      secondary: (t) => cyan(t),
    };
  }
}

/** A character of a JSON string as JSON writes it by number, in units of UTF-16. */
function jsonEscape(character: string): string {
  return Array.from({ length: character.length }, (_, i) => {
    return `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`;
  }).join('');
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
