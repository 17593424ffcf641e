/**
 * A user's own folder `std` is not the library: what is wrong there is told as anywhere, and nobody takes one text for the other.
 */
import { expect, it } from 'vitest';
import { isLibrary } from '../../dsl/diagnostics/diagnostic.ts';
import { compileProgram } from '../../compiler/compile.ts';
import { analyse } from '../../compiler/front-end.ts';
import { librarySources } from '../../dsl/std/sources.generated.ts';
import { webgpuCore } from '../../compiler/target.ts';

/** A state that is updated twice: told where the user calls if the library updates, else at the statement. */
const twice = `import { SwiGLU } from "std"
model M {
  axis T, D = 8, F = 16
  fn f(x: [T, D]) -> [T, D] {
    state s: [D] = 0
    update s = mean(x, over: T)
    2 * x
  }
  experts e = SwiGLU<F>
  forward(x: [T, D]) -> [T, D] { f(f(x)) }
}
`;

/** What is told of the program whose main file has this name, without the name; and the names of its sources. */
function toldOf(name: string, text: string, others: Readonly<Record<string, string>> = {}) {
  const front = analyse(
    { name, text },
    {
      resolve: (path, from) => {
        const found = `${from.split('/').slice(0, -1).join('/')}/${path.slice(2)}`.replace(/^\//, '');
        const other = others[found];
        return other === undefined ? null : { name: found, text: other };
      },
    },
  );
  const compiled =
    front.program === null
      ? []
      : compileProgram(front.program, { overrides: new Map(), target: webgpuCore }).diagnostics;
  return { sources: front.sources, diagnostics: [...front.diagnostics, ...compiled] };
}

it.each(['std/experts.moe', 'std/own.moe', './std/experts.moe'])("a mistake in %s is the user's", (name) => {
  const here = toldOf('m.moe', twice);
  const there = toldOf(name, twice);
  expect(here.diagnostics.map((d) => d.code)).toEqual(['MOE0452']);
  const own = name.startsWith('./') ? name : `./${name}`;
  const moved = JSON.stringify(here.diagnostics).replaceAll('"m.moe"', JSON.stringify(own));
  expect(JSON.stringify(there.diagnostics)).toBe(moved);
  for (const { span } of there.diagnostics) expect(span !== undefined && isLibrary(span)).toBe(false);
});

it('texts that the user and the library call by one name are two sources', () => {
  const { sources } = toldOf('std/experts.moe', twice);
  expect(sources.length).toBe(1 + librarySources.size);
  expect(new Set(sources.map((s) => s.name)).size).toBe(sources.length);
  expect(sources[0]).toEqual({ name: './std/experts.moe', text: twice });
});

it('a file is found from a folder `std`, and in one, and `std` alone is no name of the library', () => {
  const part = 'expert Twice(x: [D]) -> [D] { 2 * x }\n';
  const main = (from: string): string => `import { Twice } from "${from}"
import { SwiGLU } from "std"
model M { axis T, D = 4, F = 8 experts e = Twice forward(x: [T, D]) -> [T, D] { e(x) } }`;
  for (const [name, from, path] of [
    ['std/m.moe', './experts.moe', 'std/experts.moe'],
    ['m.moe', './std/experts.moe', 'std/experts.moe'],
    ['std', './experts.moe', 'experts.moe'],
  ] as const) {
    const { diagnostics, sources } = toldOf(name, main(from), { [path]: part });
    expect(diagnostics.filter((d) => d.severity === 'error')).toEqual([]);
    expect(sources.filter((s) => s.text === part).map((s) => s.name)).toEqual([path.replace(/^std\//, './std/')]);
  }
});
