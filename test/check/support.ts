/** Checks texts: with the library, and with `‸` in a text marking where the diagnostic is expected. */
import { checkProgram, type CheckOptions } from '../../dsl/check/check-program.ts';
import type { Program } from '../../dsl/types/program.ts';
import type { Diagnostic } from '../../dsl/diagnostics/diagnostic.ts';
import { libraryFiles } from '../../dsl/std/library.ts';
import { parseFile } from '../../dsl/syntax/parse-file.ts';
import { positionAt } from '../../dsl/diagnostics/source-file.ts';

export const marker = '‸';

export interface CheckedText {
  readonly program: Program | null;
  readonly diagnostics: readonly Diagnostic[];
  /** `code line:column` of each, as a user reads them. */
  readonly places: readonly string[];
}

export function checkText(
  text: string,
  options: CheckOptions & { readonly others?: ReadonlyMap<string, string> } = {},
): CheckedText {
  const source = { name: 'test.moe', text };
  const parsed = parseFile(source);
  if (parsed.diagnostics.length > 0)
    throw new Error(`does not parse: ${parsed.diagnostics.map((d) => d.message).join('; ')}`);
  const others = new Map(
    [...(options.others ?? [])].map(([name, other]) => [name, [parseFile({ name, text: other }).file]]),
  );
  const resolve = (name: string) => (name === 'std' ? libraryFiles() : (others.get(name) ?? null));
  const checked = checkProgram({ main: parsed.file, resolve }, options);
  const places = checked.diagnostics.map((d) => {
    if (d.span === undefined) return d.code;
    if (d.span.source !== source.name) return `${d.code} ${d.span.source}`;
    const { line, column } = positionAt(source, d.span.start);
    return `${d.code} ${line}:${column}`;
  });
  return { ...checked, places };
}

/** Line and column of the marker, and the text without it. */
export function unmark(marked: string): { readonly text: string; readonly place: string } {
  const offset = marked.indexOf(marker);
  if (offset < 0) throw new Error('no marker');
  const text = marked.replace(marker, '');
  const { line, column } = positionAt({ name: 'test.moe', text }, offset);
  return { text, place: `${line}:${column}` };
}

/** A model with some axes and a forward. */
export const model = (decls: string, body = 'x'): string => `model M {
  axis B, T
  axis D = 8, E = 4, F = 6, L = 3, H = 2, V = 10, Set = (low, high)
  ${decls}
  forward(x: [T, D]) -> [T, D] { ${body} }
}`;
/** The same with a router of this body. */
export const inRouter = (body: string, result = 'route[E]'): string =>
  model(`router gate(x: [D]) -> ${result} {
    param w: [E, D]
    ${body}
  }`);
/** The same with a family of experts of the library. */
export const withFfn = (body: string, decls = ''): string =>
  `import { SwiGLU } from "std"\n${model(`experts ffn[L, E] = SwiGLU<F>\n  ${decls}`, body)}`;
