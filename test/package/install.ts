/**
 * The package as somebody has it who installs it: built as for publishing, packed by npm, unpacked into an empty folder, and beside it
 * nothing but the dependencies that it declares. Works without a network.
 */
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

export interface PackageJson {
  readonly files: readonly string[];
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
  readonly dependencies?: Readonly<Record<string, string>>;
}

export interface Installed {
  /** Of somebody who uses the package. */
  readonly folder: string;
  /** The package itself, in `node_modules` of that folder. */
  readonly package: string;
  /** The files of the tarball, from the root of the package. */
  readonly files: readonly string[];
  /** Writes a file into the folder and gives its path. */
  readonly write: (name: string, text: string) => string;
  readonly remove: () => void;
}

export const readPackage = (folder: string): PackageJson =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));

/** Builds, packs and unpacks. Takes as long as the TypeScript compiler. */
export function install(): Installed {
  const scratch = mkdtempSync(join(tmpdir(), 'moec-package-'));
  const source = join(scratch, 'source');
  mkdirSync(source);
  for (const file of ['package.json', ...readPackage(root).files])
    if (file !== 'dist' && existsSync(join(root, file))) copyFileSync(join(root, file), join(source, file));
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const build = ['-p', 'tsconfig.build.json', '--noCheck', '--outDir', join(source, 'dist')];
  execFileSync(process.execPath, [tsc, ...build], { cwd: root, stdio: 'pipe' });
  execFileSync('npm', ['pack', '--ignore-scripts', '--offline', '--silent', '--pack-destination', scratch], {
    cwd: source,
    stdio: 'pipe',
    shell: process.platform === 'win32',
  });
  const { version } = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'));
  const tarball = join(scratch, `moec-${version}.tgz`);
  const folder = join(scratch, 'user');
  const own = join(folder, 'node_modules', 'moec');
  mkdirSync(own, { recursive: true });
  execFileSync('tar', ['-xzf', tarball, '-C', own, '--strip-components=1']);
  const listed = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8', maxBuffer: 1 << 24 });
  for (const name of Object.keys(readPackage(own).dependencies ?? {})) link(name, join(folder, 'node_modules'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n');
  return {
    folder,
    package: own,
    files: listed
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.replace(/^package\//, '')),
    write: (name, text) => {
      const path = join(folder, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
      return path;
    },
    remove: () => rmSync(scratch, { recursive: true, force: true }),
  };
}

/** A package of this clone as one of the folder's; it finds its own dependencies where it really is. */
function link(name: string, modules: string): void {
  const path = join(modules, name);
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(join(root, 'node_modules', name), path, 'junction');
}
