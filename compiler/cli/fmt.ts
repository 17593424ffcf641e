/** `moec fmt FILE…`: the canonical text of programs, in place. `-` reads stdin and writes stdout. */
import { Command } from 'commander';
import { text as readAll } from 'node:stream/consumers';
import { diagnostic, hasErrors, type Diagnostic } from '../../dsl/diagnostics/diagnostic.ts';
import { decodeSource } from '../../dsl/syntax/decode.ts';
import type { SourceFile } from '../../dsl/diagnostics/source.ts';
import { CliError } from './cli-error.ts';
import { exitCodes, programError } from './exit.ts';
import { readBytes, writeFileAtomic } from './io.ts';
import type { Session } from './session.ts';

interface FmtOptions {
  readonly check?: boolean;
}

export function fmtVerb(session: Session): Command {
  return new Command('fmt')
    .summary('lay out programs')
    .description('Rewrites programs in their canonical layout. A file with syntax errors is left as it is.')
    .argument('<files...>', '.moe files, or - for stdin to stdout')
    .option('--check', 'change nothing; exit with 1 if a file is not laid out')
    .option('--json', 'what was done as JSON on stdout')
    .action(async (files: readonly string[], options: FmtOptions) => {
      session.stage = 'fmt';
      const { format } = await import('../../dsl/syntax/print-ast.ts');
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
    });
}

const count = (n: number): string => (n === 1 ? 'one file' : `${n} files`);
