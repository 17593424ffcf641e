/** Reads a model file and what it imports. The only place where the command line turns paths into sources. */
import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Diagnostic } from '../../dsl/diagnostics/diagnostic.ts';
import { decodeSource } from '../../dsl/syntax/decode.ts';
import { parseFile } from '../../dsl/syntax/parse.ts';
import type { SourceFile } from '../../dsl/syntax/source.ts';
import { analyse, type FrontEnd } from '../front-end.ts';
import { CliError } from './cli-error.ts';

export interface Project extends FrontEnd {
  readonly path: string;
}

/** Throws CliError 74 if the file cannot be read; mistakes in it are the project's diagnostics. */
export async function loadProject(path: string, options: { readonly model?: string } = {}): Promise<Project> {
  const read = await readSource(path, path);
  if (!read.ok) {
    const source = { name: path, text: '' };
    const { file, comments } = parseFile(source);
    return { path, source, sources: [], file, comments, program: null, diagnostics: read.diagnostics };
  }
  const imported = new Map<string, SourceFile>();
  const failed: Diagnostic[] = [];
  const folder = dirname(resolve(path));
  const visit = async (source: SourceFile): Promise<void> => {
    for (const { from } of parseFile(source).file.imports) {
      if (!from.value.startsWith('.') || imported.has(from.value)) continue;
      const found = await readSource(resolve(folder, from.value), from.value).catch(() => null);
      if (found === null) continue;
      if (!found.ok) {
        failed.push(...found.diagnostics);
        continue;
      }
      imported.set(from.value, found.source);
      await visit(found.source);
    }
  };
  await visit(read.source);
  const front = analyse(read.source, { ...options, resolve: (name) => imported.get(name) ?? null });
  return { ...front, path, diagnostics: [...failed, ...front.diagnostics] };
}

async function readSource(path: string, name: string): Promise<ReturnType<typeof decodeSource>> {
  let bytes: Uint8Array;
  try {
    const info = await stat(path);
    if (!info.isFile()) throw new CliError(74, `${name} is not a file`);
    bytes = await readFile(path);
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError(74, `${name} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  return decodeSource(name, bytes);
}
