/** Who may import whom (ARCHITECTURE.md, "The rooms"), from one table. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { draw, drawingOf } from './draw-rooms.ts';
import { root, sourceFiles } from './files.ts';
import { circles, importsOf } from './import-graph.ts';
import { law, roomOf } from './law.ts';

/** What compiler and runtime have to do alike: it imports nothing. */
const shared: ReadonlySet<string> = new Set(['runtime/contract/exact.ts', 'runtime/contract/poison.ts']);

/** What runs models, with the runtime's errors and checks: everything else of the compiler knows only its manifest. */
const faces = ['compiler/api/', 'compiler/cli/', 'compiler/index.ts', 'compiler/schedule/executing/'];

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

  it('is what ARCHITECTURE.md prints', () => {
    const text = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8');
    const rows = [...text.matchAll(/^\| `((?:dsl|compiler|runtime)[^`]*)` *\|[^|]*\| ([^|]*)\|$/gm)];
    const printed = rows.map(([, room = '', rest = '']) => [room, [...rest.matchAll(/`([^`]*)`/g)].map((m) => m[1])]);
    expect(printed).toEqual(Object.entries(law));
  });

  it('is drawn as it is (vitest -u draws it anew)', async () => {
    await expect(draw(drawingOf(files))).toMatchFileSnapshot('rooms.svg');
  });

  it('is a table of floors: no room imports one that reaches it', () => {
    const rooms = [...new Set(files.map(roomOf))];
    const below = (room: string): readonly string[] =>
      files.filter((f) => roomOf(f) === room).flatMap((f) => importsOf(f).map(({ to }) => roomOf(to)));
    expect(circles(rooms, below)).toEqual([]);
  });

  it('has no circle of more than five files, types included', () => {
    const big = circles(files, (file) => importsOf(file).map(({ to }) => to)).filter((circle) => circle.length > 5);
    expect(big).toEqual([]);
  });

  it('has the public surface as a table of contents: names of others, and nothing of its own', () => {
    const text = readFileSync(join(root, 'compiler/index.ts'), 'utf8');
    const code = text
      .replace(/\/\*\*[\s\S]*?\*\//g, '')
      .split('\n')
      .filter((line) => line !== '');
    expect(code.filter((line) => !/^export (type )?\{ [^}]+ \} from '[^']+';$/.test(line))).toEqual([]);
  });

  it('takes only types from the manifest, but where models are run', () => {
    const broken = files
      .filter((f) => f.startsWith('compiler/') && !faces.some((face) => f.startsWith(face)))
      .flatMap((file) =>
        importsOf(file)
          .filter((i) => i.to.startsWith('runtime/') && !i.typeOnly && !shared.has(i.to))
          .map((i) => `${file} → ${i.to}`),
      );
    expect(broken).toEqual([]);
  });

  it('keeps files and processes to the command line and runtime/node.ts', () => {
    const broken = files.filter((file) => {
      if (file.startsWith('compiler/cli/') || file === 'runtime/node.ts') return false;
      return /from 'node:|(^|[^.#\w])require\(|process\.|import\('node:/.test(readFileSync(join(root, file), 'utf8'));
    });
    expect(broken).toEqual([]);
  });
});
