/** `moec check FILE…`: every mistake of the files, and nothing else. Writes nothing. */
import { Command } from 'commander';
import type { Diagnostic } from '../../dsl/diagnostics/diagnostic.ts';
import { diagnostic, hasErrors } from '../../dsl/diagnostics/diagnostic.ts';
import type { CompiledEntry } from '../compile.ts';
import type { Program } from '../../dsl/types/program.ts';
import type { StaticValue } from '../../dsl/meaning/instances.ts';
import type { SourceFile } from '../../dsl/diagnostics/source.ts';
import { CliError } from './cli-error.ts';
import { programError } from './exit.ts';
import { modelOption, parseSets, projectOptions, rootOption, setOption } from './options.ts';
import type { Session } from './session.ts';

interface CheckOptions {
  readonly model?: string;
  readonly root?: string;
  readonly set: readonly string[];
}

export function checkVerb(session: Session): Command {
  return new Command('check')
    .summary('tell every mistake of a program')
    .description(
      'Reads, parses and checks programs, with the sizes they have by default or are given, and tells every mistake of each\n' +
        'in one run.',
    )
    .argument('<files...>', '.moe files')
    .addOption(modelOption())
    .addOption(rootOption())
    .addOption(setOption())
    .option('--json', 'diagnostics as JSON on stdout')
    .action(async (files: readonly string[], options: CheckOptions) => {
      session.stage = 'check';
      const { loadProject } = await import('./project.ts');
      const { parseOverrides } = await import('../overrides.ts');
      const overrides = parseOverrides(parseSets(options.set));
      const diagnostics: Diagnostic[] = [];
      const sources: SourceFile[] = [];
      let unreadable: CliError | null = null;
      for (const path of files) {
        try {
          const project = await loadProject(path, projectOptions(options));
          const found = [
            ...project.diagnostics,
            ...(await mistakesOfSizes(project.program, overrides, project.sources)),
          ];
          session.showDiagnostics(found, project.sources);
          diagnostics.push(...found);
          sources.push(...project.sources);
          if (!session.json && !hasErrors(found)) session.say(`${path}: ${said(project.program?.name)}`);
        } catch (error) {
          // The other files are still worth a look; what cannot be read decides the exit code.
          if (!(error instanceof CliError) || files.length === 1) throw error;
          if (!session.json) session.say(`error: ${error.message}`);
          unreadable ??= error;
        }
      }
      if (unreadable !== null && !hasErrors(diagnostics)) throw unreadable;
      if (hasErrors(diagnostics)) throw told(programError(diagnostics, sources), session);
      if (session.json) session.outJson({ ok: true, diagnostics: session.jsonDiagnostics(diagnostics, sources) });
    });
}

/**
 * What only sizes show (a range that leaves its axis, more selected than there are), what the default target cannot hold, and where
 * every expert runs though a route is there: what `compile` would refuse, `check` tells.
 */
async function mistakesOfSizes(
  program: Program | null,
  overrides: ReadonlyMap<string, StaticValue>,
  sources: readonly SourceFile[],
): Promise<readonly Diagnostic[]> {
  if (program === null) return [];
  const { compileProgram } = await import('../compile.ts');
  const { webgpuCore } = await import('../target.ts');
  const { entries, diagnostics } = compileProgram(program, { overrides, target: webgpuCore, sources });
  if (hasErrors(diagnostics)) return diagnostics;
  return [...diagnostics, ...(await noticesOf(program, entries))];
}

async function noticesOf(program: Program, entries: readonly CompiledEntry[]): Promise<readonly Diagnostic[]> {
  const { denseExperts } = await import('../graph/dense-experts.ts');
  const found = entries.flatMap(({ name, plain }) => {
    const main = program.entries.find((e) => e.name === name)?.span.source ?? '';
    return denseExperts(plain.fused, main).map(({ family, axis, span }) =>
      diagnostic('MOE0456', {
        severity: 'notice',
        span,
        message: `every expert of ${family} runs here, all along ${axis}, though a route says which are wanted`,
        help: `r @ ${family}(x) runs only what the route r chose; dense(r) and an index of ${axis} lose what it left out`,
      }),
    );
  });
  const place = ({ span }: Diagnostic): string => `${span?.source} ${span?.start}`;
  return found.filter((d, i) => found.findIndex((other) => place(other) === place(d)) === i);
}

function said(model: string | undefined): string {
  return model === undefined ? 'no mistakes' : `model ${model}, no mistakes`;
}

/** The frames are on the screen already; with `--json` they are still to be told. */
function told(error: CliError, session: Session): CliError {
  return session.json ? error : new CliError(error.exitCode, error.message);
}
