/**
 * Reads a model file and what it imports. The only place where the command line turns paths into sources.
 *
 * Invariants:
 * - A path of an import counts from the folder of the file that says it.
 * - Only `.moe` files below the root are read, wherever links lead: by default the folder of the model file, else `--root`.
 */
import { realpath, stat } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import type { ImportRefusal } from '../../../dsl/check/check-program.ts';
import { decodeSource } from '../../../dsl/syntax/decode.ts';
import { limits } from '../../../dsl/syntax/text-limits.ts';
import { parseFile } from '../../../dsl/syntax/parse-file.ts';
import type { SourceFile } from '../../../dsl/diagnostics/source-file.ts';
import { analyse, type FrontEnd } from '../../front-end.ts';
import { CliError } from '../terminal/cli-error.ts';
import { exitCodes } from '../terminal/exit.ts';
import { fileFaultOf } from '../terminal/file-faults.ts';
import { ioError, readBytes } from '../terminal/io.ts';

export interface Project extends FrontEnd {
  readonly path: string;
}

export interface ProjectOptions {
  readonly model?: string;
  /** The folder that imports stay below; the folder of the model file by default. */
  readonly root?: string;
}

/** Throws CliError 74 if the file cannot be read; mistakes in it are the project's diagnostics. */
export async function loadProject(path: string, options: ProjectOptions = {}): Promise<Project> {
  const bytes = await readBytes(path);
  const root = await rootOf(options.root ?? dirname(path));
  const read = decodeSource(path, bytes);
  if (!read.ok) {
    const source = { name: path, text: '' };
    const { file, comments } = parseFile(source);
    return { path, source, sources: [], file, comments, program: null, diagnostics: read.diagnostics };
  }
  const imports = await readImports(path, read.source, root);
  const front = analyse(read.source, {
    resolve: (name, from) => imports.get(keyOf(name, from)) ?? null,
    ...(options.model === undefined ? {} : { model: options.model }),
  });
  return { ...front, path };
}

/** The folder that imports stay below, as it was given and where it is. */
interface Root {
  readonly shown: string;
  readonly real: string;
}

async function rootOf(shown: string): Promise<Root> {
  try {
    const real = await realpath(shown);
    if (!(await stat(real)).isDirectory())
      throw new CliError(exitCodes.io, `cannot read ${shown}: this is not a folder`);
    return { shown, real };
  } catch (error) {
    throw ioError('read', shown, error);
  }
}

const keyOf = (name: string, from: string): string => JSON.stringify([name, from]);

/** What every import of a program and of the files it imports names, by `keyOf`. A file is one source, whoever imports it. */
async function readImports(
  path: string,
  main: SourceFile,
  root: Root,
): Promise<ReadonlyMap<string, SourceFile | ImportRefusal>> {
  const found = new Map<string, SourceFile | ImportRefusal>();
  const sources = new Map<string, SourceFile>([[await realpath(path), main]]);
  const queue: SourceFile[] = [main];
  for (let source = queue.shift(); source !== undefined; source = queue.shift()) {
    for (const { from } of parseFile(source).file.imports) {
      const key = keyOf(from.value, source.name);
      if (!from.value.startsWith('.') || found.has(key)) continue;
      const import_ = await readImport(from.value, source, root, sources);
      found.set(key, import_);
      if (!('code' in import_) && !queue.includes(import_) && import_ !== main) queue.push(import_);
    }
  }
  return found;
}

async function readImport(
  name: string,
  from: SourceFile,
  root: Root,
  sources: Map<string, SourceFile>,
): Promise<SourceFile | ImportRefusal> {
  const path = join(dirname(from.name), name);
  const quoted = JSON.stringify(name);
  const outside: ImportRefusal = {
    code: 'MOE0765',
    message: `${quoted} leads out of ${root.shown === '.' ? 'the folder of the program' : root.shown}`,
    help: '--root DIR names a folder above, below which imports may be',
  };
  const refuse = (why: string): ImportRefusal => ({ code: 'MOE0209', message: `${quoted} cannot be imported: ${why}` });
  // Where the path leads by itself is known without looking, and what lies outside is not even looked for.
  if (!isBelow(resolve(path), root.real) && !isBelow(resolve(path), resolve(root.shown))) return outside;
  try {
    const real = await realpath(path);
    if (!isBelow(real, root.real)) return outside;
    const known = sources.get(real);
    if (known !== undefined) return known;
    const stats = await stat(real);
    if (stats.isDirectory()) return refuse('this is a folder');
    if (!stats.isFile()) return refuse('this is not a regular file');
    if (!path.endsWith('.moe')) return { code: 'MOE0766', message: `${quoted} is not a .moe file` };
    const decoded = decodeSource(path, await readBytes(path, limits.sourceBytes));
    if (!decoded.ok) return { code: 'MOE0766', message: `${quoted} is not a module: it is not UTF-8` };
    sources.set(real, decoded.source);
    return decoded.source;
  } catch (error) {
    if (error instanceof CliError) return refuse(error.message);
    const fault = fileFaultOf(error);
    if (fault === null) throw error;
    return fault.code === 'ENOENT' ? { code: 'MOE0209', message: `there is no file ${quoted}` } : refuse(fault.text);
  }
}

function isBelow(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && resolve(folder, way) === path && way !== '';
}
