/**
 * The compiled runtime as files, to be put beside a module so that it runs without a bundler, in Node and on a static page.
 *
 * From an installed moec these are the files of `dist/runtime`. From its sources they are made by the TypeScript compiler
 * of the clone, with the settings of the build, so the bytes are the same.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CliError } from '../terminal/cli-error.ts';
import { exitCodes } from '../terminal/exit.ts';
import type { OutputFile } from '../terminal/io.ts';

/** All modules and type declarations of the runtime, in the folder `runtime/`, sorted by name. */
export async function runtimeFiles(): Promise<readonly OutputFile[]> {
  const folder = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', 'runtime');
  const compiled = existsSync(join(folder, 'index.js')) ? readCompiled(folder) : await compileSources(folder);
  return [...compiled]
    .filter(([name]) => /\.(js|d\.ts)$/.test(name))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, text]) => ({ path: `runtime/${name}`, bytes: name.endsWith('.d.ts') ? javascriptNames(text) : text }));
}

function readCompiled(folder: string): ReadonlyMap<string, string> {
  return new Map(namesBelow(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}

/** Files of a folder and its folders, by path from it. */
function namesBelow(folder: string): readonly string[] {
  const entries = readdirSync(folder, { withFileTypes: true });
  return entries.flatMap((e) =>
    e.isDirectory() ? namesBelow(join(folder, e.name)).map((name) => `${e.name}/${name}`) : [e.name],
  );
}

/** Declarations keep the `.ts` of their imports; beside `.js` files `.js` is what every resolver understands. */
function javascriptNames(text: string): string {
  return text.replace(/((?:from|import\()\s*['"]\.{1,2}\/[\w/.-]+)\.ts(['"])/g, '$1.js$2');
}

async function compileSources(folder: string): Promise<ReadonlyMap<string, string>> {
  const ts = await loadTypeScript();
  const config = ts.readConfigFile(join(folder, '..', 'tsconfig.build.json'), ts.sys.readFile);
  const names = namesBelow(folder).filter((name) => name.endsWith('.ts'));
  const parsed = ts.parseJsonConfigFileContent(config.config, ts.sys, join(folder, '..'));
  const files = new Map<string, string>();
  const program = ts.createProgram(
    names.map((name) => join(folder, name)),
    { ...parsed.options, outDir: join(folder, 'out'), rootDir: folder, noEmit: false, noCheck: true },
  );
  program.emit(undefined, (path, text) => files.set(relative(join(folder, 'out'), path).split(sep).join('/'), text));
  return files;
}

async function loadTypeScript(): Promise<typeof import('typescript')> {
  try {
    return (await import('typescript')).default;
  } catch (error) {
    throw new CliError(exitCodes.environment, 'the runtime of this clone is not built', {
      help: 'npm install && npm run build',
      cause: error,
    });
  }
}
