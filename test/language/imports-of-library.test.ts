/** An import from the library reads the files that it needs and no other, and says of a name that it lacks what it would say with all. */
import { expect, it } from 'vitest';
import { analyse } from '../../compiler/front-end.ts';
import { libraryDeclarations, sourcesDeclaring } from '../../dsl/std/declaring.ts';
import { libraryFiles } from '../../dsl/std/library.ts';
import { librarySources } from '../../dsl/std/sources.generated.ts';

const filesOf = (...wanted: readonly string[]): readonly string[] => sourcesDeclaring(wanted).map(({ name }) => name);

const told = (imported: string, used = 'x'): readonly string[] =>
  analyse({
    name: 'm.moe',
    text: `import { ${imported} } from "std"\nmodel M { axis T, D = 4 forward(x: [T, D]) -> [T, D] { ${used} } }\n`,
  }).diagnostics.map(({ code, message, help }) => `${code} ${message} ${help ?? ''}`.trim());

it('the table of what files declare is what they declare', () => {
  const declared = libraryFiles().flatMap((file) =>
    file.decls.map((d) => [d.kind === 'Callable' ? d.name.text : d.kind, file.span.source] as const),
  );
  expect([...libraryDeclarations]).toEqual(declared);
});

it('files that declare nothing of what is imported are not read', () => {
  expect(filesOf('SwiGLU', 'ReluMlp')).toEqual(['std/experts.moe']);
  expect(filesOf('TopK', 'Rope')).toEqual(['std/positions.moe', 'std/routers.moe']);
  expect(filesOf()).toEqual([]);
});

it('all are read for who is told what there is', () => {
  expect(filesOf('SwiGLU', 'SwiGLUU')).toEqual([...librarySources.keys()]);
});

it.each([...libraryDeclarations.keys()])('%s is imported by itself, with what its file imports in turn', (name) => {
  expect(told(name).filter((text) => !text.startsWith('MOE08'))).toEqual([]);
});

it('a name that no file declares is told with the nearest of any file, wherever it stands among the names', () => {
  const entropy = 'MOE0208 "std" declares no Entropi did you mean `Entropy`?';
  for (const imported of ['Entropi', 'SwiGLU, Entropi', 'Entropi, SwiGLU'])
    expect(told(imported).filter((text) => text.startsWith('MOE0208'))).toEqual([entropy]);
  expect(told('SwiGLU', 'RmsNorm(x)').join('\n')).toContain('it is in the library: import { RmsNorm } from "std"');
});
