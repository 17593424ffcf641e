/** `moec check FILE…`: every mistake of the files, and nothing else. Writes nothing. */
import type { Diagnostic } from '../../../dsl/diagnostics/diagnostic.ts';
import { hasErrors } from '../../../dsl/diagnostics/diagnostic.ts';
import type { SourceFile } from '../../../dsl/diagnostics/source-file.ts';
import { CliError, programError } from '../terminal/cli-error.ts';
import { parseSets, projectOptions } from '../running/command-options.ts';
import type { Session } from '../terminal/session.ts';

interface CheckOptions {
  readonly model?: string;
  readonly root?: string;
  readonly set: readonly string[];
}

/** Throws CliError 1 if any of the files has errors, 74 if one cannot be read and none has. */
export async function check(session: Session, files: readonly string[], options: CheckOptions): Promise<void> {
  session.stage = 'check';
  const { loadProject } = await import('../running/project.ts');
  const { parseOverrides } = await import('../../overrides.ts');
  const overrides = parseOverrides(parseSets(options.set));
  const diagnostics: Diagnostic[] = [];
  const sources: SourceFile[] = [];
  let unreadable: CliError | null = null;
  for (const path of files) {
    try {
      const project = await loadProject(path, projectOptions(options));
      const { program, sources: texts } = project;
      const ofSizes =
        program === null ? [] : (await import('../../check-sizes.ts')).checkSizes(program, overrides, texts);
      const found = [...project.diagnostics, ...ofSizes];
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
}

function said(model: string | undefined): string {
  return model === undefined ? 'no mistakes' : `model ${model}, no mistakes`;
}

/** The frames are on the screen already; with `--json` they are still to be told. */
function told(error: CliError, session: Session): CliError {
  return session.json ? error : new CliError(error.exitCode, error.message);
}
