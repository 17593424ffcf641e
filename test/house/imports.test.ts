/** Who may import whom (ARCHITECTURE.md, "The rooms"), from one table. */
import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root, sourceFiles } from './files.ts';

/** Room → rooms it may import, besides itself. The longest prefix that fits is a file's room. */
const law: Readonly<Record<string, readonly string[]>> = {
  dsl: [],
  runtime: [],
  'compiler/graph': ['dsl'],
  'compiler/elaborate': ['dsl', 'compiler/graph'],
  'compiler/passes': ['dsl', 'compiler/graph'],
  'compiler/kernel': ['dsl', 'compiler/target.ts'],
  'compiler/kernels': ['dsl', 'compiler/kernel'],
  'compiler/schedule': ['dsl', 'compiler/graph', 'compiler/kernel', 'compiler/kernels', 'compiler/target.ts'],
  'compiler/verify': [
    'dsl',
    'compiler/graph',
    'compiler/kernels/compaction.ts',
    'compiler/schedule/choose-kernels.ts',
    'compiler/schedule/contents.ts',
    'compiler/schedule/memory.ts',
    'compiler/schedule/plan.ts',
  ],
  'compiler/wgsl': ['dsl', 'compiler/kernel'],
  'compiler/emit': ['dsl', 'compiler/kernel', 'compiler/schedule', 'runtime/manifest.ts'],
  'compiler/target.ts': [],
  'compiler/version.ts': [],
  'compiler/stages.ts': [],
  'compiler/overrides.ts': ['dsl'],
  'compiler/front-end.ts': ['dsl'],
  'compiler/compile.ts': [
    'dsl',
    'compiler/elaborate',
    'compiler/emit',
    'compiler/graph',
    'compiler/kernel',
    'compiler/passes',
    'compiler/schedule',
    'compiler/target.ts',
    'compiler/version.ts',
    'compiler/wgsl',
    'runtime/manifest.ts',
  ],
  'compiler/index.ts': ['dsl', 'compiler', 'runtime/manifest.ts'],
  'compiler/cli': ['dsl', 'compiler', 'runtime'],
};

function roomOf(file: string): string {
  const fitting = Object.keys(law).filter((room) => file === room || file.startsWith(`${room}/`));
  return fitting.reduce((a, b) => (b.length > a.length ? b : a), '');
}

/** Imports and re-exports of a file: paths from the root, and whether only types are taken. */
function importsOf(file: string): readonly { readonly to: string; readonly typeOnly: boolean }[] {
  const text = readFileSync(join(root, file), 'utf8');
  const found = text.matchAll(/^\s*(?:import|export)\s+(type\s)?[^;'"]*?from\s+'(\.[^']*)'|^import\s+'(\.[^']*)'/gm);
  return [...found].map((m) => ({
    to: relative(root, join(root, dirname(file), m[2] ?? m[3] ?? '')),
    typeOnly: m[1] !== undefined,
  }));
}

describe('the import law', () => {
  const files = sourceFiles(['dsl', 'compiler', 'runtime']);

  it('knows a room for every file', () => {
    expect(files.filter((f) => roomOf(f) === '')).toEqual([]);
  });

  it('is kept by every import', () => {
    const broken = files.flatMap((file) => {
      const room = roomOf(file);
      const allowed = law[room] ?? [];
      return importsOf(file)
        .filter(({ to }) => {
          const other = roomOf(to);
          if (other === room || (other.startsWith(`${room}/`) && room !== 'compiler')) return false;
          return !allowed.some((a) => to === a || to.startsWith(`${a}/`));
        })
        .map(({ to }) => `${file} → ${to}`);
    });
    expect(broken).toEqual([]);
  });

  it('takes only types from the manifest, outside the command line', () => {
    const broken = files
      .filter((f) => f.startsWith('compiler/') && !f.startsWith('compiler/cli/'))
      .flatMap((file) =>
        importsOf(file)
          .filter((i) => i.to.startsWith('runtime/') && !i.typeOnly)
          .map((i) => `${file} → ${i.to}`),
      );
    expect(broken).toEqual([]);
  });

  it('keeps files and processes to the command line and runtime/node.ts', () => {
    const broken = files.filter((file) => {
      if (file.startsWith('compiler/cli/') || file === 'runtime/node.ts') return false;
      return /from 'node:|(^|[^.\w])require\(|process\.|import\('node:/.test(readFileSync(join(root, file), 'utf8'));
    });
    expect(broken).toEqual([]);
  });
});
