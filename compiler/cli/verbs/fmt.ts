/** `moec fmt FILE…`: the canonical text of programs, in place. `-` reads stdin and writes stdout. */
import { text as readAll } from 'node:stream/consumers';
import { diagnostic, hasErrors, type Diagnostic } from '../../../dsl/diagnostics/diagnostic.ts';
import { decodeSource } from '../../../dsl/syntax/decode.ts';
import type { SourceFile } from '../../../dsl/diagnostics/source-file.ts';
import { CliError, programError } from '../terminal/cli-error.ts';
import { exitCodes } from '../terminal/exit.ts';
import { readBytes, writeFileAtomic } from '../terminal/io.ts';
import type { Session } from '../terminal/session.ts';

interface FmtOptions {
  readonly check?: boolean;
}

/** Throws CliError 1 for errors of syntax, and with `--check` for a file that is not laid out. */
export async function fmt(session: Session, files: readonly string[], options: FmtOptions): Promise<void> {
  session.stage = 'fmt';
  const { format } = await import('../../../dsl/syntax/print-ast.ts');
  const diagnostics: Diagnostic[] = [];
  const sources: SourceFile[] = [];
  const changed: string[] = [];
  for (const path of files) {
    const decoded =
      path === '-'
        ? { ok: true as const, source: { name: '<stdin>', text: await readAll(process.stdin) } }
        : decodeSource(path, await readBytes(path));
    const laid = decoded.ok ? format(decoded.source) : decoded;
    if (!decoded.ok || !laid.ok) {
      if (decoded.ok) sources.push(decoded.source);
      diagnostics.push(...(laid.ok ? [diagnostic('MOE0002')] : laid.diagnostics));
      continue;
    }
    if (path === '-' && options.check !== true) session.out(laid.text);
    if (laid.text === decoded.source.text) continue;
    changed.push(path);
    if (path === '-' || options.check === true) continue;
    await writeFileAtomic(path, laid.text);
    if (!session.json) session.say(`${path}: laid out`);
  }
  if (hasErrors(diagnostics)) throw programError(diagnostics, sources);
  if (options.check === true && changed.length > 0) {
    if (session.json) session.outJson({ ok: false, changed, diagnostics: [] });
    else for (const path of changed) session.say(`${path}: is not laid out`);
    if (session.json) process.exitCode = exitCodes.input;
    else throw new CliError(exitCodes.input, `moec fmt ${changed.join(' ')} would change ${count(changed.length)}`);
  } else if (session.json) session.outJson({ ok: true, changed, diagnostics: [] });
}

const count = (n: number): string => (n === 1 ? 'one file' : `${n} files`);
