/**
 * One call of the command line: where it writes, in which colours, and how failures are told.
 *
 * Invariant: stdout carries data only (a listing that was asked for, JSON, a stage's text); everything that is said about the
 * work goes to stderr. With `--json` there is exactly one JSON value on stdout, also when the call fails (failures.ts).
 */
import pc from 'picocolors';
import type { Diagnostic, SourceFile } from '../../../dsl/diagnostics/diagnostic.ts';
import { showText } from '../../../dsl/diagnostics/columns.ts';
import { renderAll, toJson, type JsonDiagnostic, type Styler } from '../../../dsl/diagnostics/render.ts';
import type { CliError } from './cli-error.ts';
import { progressOn, type ProgressLine } from './progress.ts';

export type Colours = ReturnType<typeof pc.createColors>;

/** Whether a stream wants colours: never against NO_COLOR, always with FORCE_COLOR, else on terminals. */
export function wantsColours(stream: NodeJS.WriteStream): boolean {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  if (NO_COLOR !== undefined && NO_COLOR !== '') return false;
  if (FORCE_COLOR !== undefined && FORCE_COLOR !== '' && FORCE_COLOR !== '0') return true;
  return stream.isTTY === true && TERM !== 'dumb';
}

export class Session {
  /** Whether the answer is one JSON value. */
  readonly json: boolean;
  /** What is being done, for the report of a bug. */
  stage = 'command line';
  /** Colours of what goes to stdout, and of what goes to stderr. */
  readonly outColours: Colours = pc.createColors(wantsColours(process.stdout));
  readonly colours: Colours = pc.createColors(wantsColours(process.stderr));
  readonly progress: ProgressLine = progressOn(process.stderr);

  constructor(json: boolean) {
    this.json = json;
  }

  /** Data, to stdout. */
  out(text: string): void {
    process.stdout.write(text);
  }

  /** A line about the work, to stderr. It may name files and tensors: what could steer a terminal is shown by its number. */
  say(line: string): void {
    this.tell(showText(line));
  }

  /** The one JSON value of the call. A terminal is safe from its strings as well. */
  outJson(value: Readonly<Record<string, unknown>>): void {
    const text = JSON.stringify(value, null, 2);
    this.out(`${text.replace(/[\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}]/gu, jsonEscape)}\n`);
  }

  /** A line to stderr that holds colours, and nothing of unknown origin that was not shown safely before. */
  tell(text: string): void {
    this.progress.clear();
    process.stderr.write(`${text}\n`);
  }

  /** Frames on stderr; nothing with `--json`, where they are part of the answer. */
  showDiagnostics(diagnostics: readonly Diagnostic[], sources: readonly SourceFile[]): void {
    if (this.json || diagnostics.length === 0) return;
    this.tell(`${renderAll(diagnostics, sources, this.#styler())}\n`);
  }

  jsonDiagnostics(diagnostics: readonly Diagnostic[], sources: readonly SourceFile[]): readonly JsonDiagnostic[] {
    return diagnostics.map((d) => toJson(d, sources));
  }

  /** Tells a failure that was foreseen. */
  tellFailure(error: CliError): void {
    this.progress.clear();
    if (this.json) {
      const diagnostics = this.jsonDiagnostics(error.diagnostics, error.sources);
      this.outJson({ ok: false, exitCode: error.exitCode, error: error.message, diagnostics });
      return;
    }
    this.showDiagnostics(error.diagnostics, error.sources);
    if (error.diagnostics.length === 0)
      this.sayProblem('error', error.message, error.help === null ? [] : [`help: ${error.help}`]);
    else this.tell(this.colours.bold(showText(error.message)));
  }

  /** A sentence with a head in red, its further lines, and remarks below. */
  sayProblem(head: string, message: string, remarks: readonly string[]): void {
    const [first = '', ...rest] = showText(message).split('\n');
    this.tell(`${this.colours.red(this.colours.bold(head))}${this.colours.bold(`: ${first}`)}`);
    for (const line of rest) this.say(line);
    for (const remark of remarks) {
      const [line = '', ...more] = remark.split('\n');
      this.say(`   = ${line}`);
      for (const other of more) this.say(`     ${other}`);
    }
  }

  #styler(): Styler {
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
