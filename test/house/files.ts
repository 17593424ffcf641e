/** The files of the tree, as the house tests see them. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** Files git tracks or would track, by path from the root. */
export function allFiles(of = root): readonly string[] {
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], {
    cwd: of,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  return listed.split('\n').filter((f) => f !== '' && existsSync(join(of, f)));
}

/** TypeScript sources below some folders, generated ones left out. */
export function sourceFiles(folders: readonly string[], of = root): readonly string[] {
  return allFiles(of).filter(
    (f) => f.endsWith('.ts') && !f.includes('generated') && folders.some((d) => f.startsWith(`${d}/`)),
  );
}
