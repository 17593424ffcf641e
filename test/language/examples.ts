/**
 * The examples of LANGUAGE.md and SEMANTICS.md: fenced blocks that begin with `moe`, by what their tag promises.
 *
 *   moe             a file with a model: no diagnostics, also with sizes known
 *   moe file PATH   a file that others import by that path
 *   moe context     the model in which lines stand, at `// the example stands here`
 *   moe body        lines of a body, in the context
 *   moe fails CODE  either of them: exactly that one diagnostic
 *   moe run         a model, with the numbers of the `values` block below it
 */
import { readFileSync } from 'node:fs';
import { documentPath } from './document.ts';

export interface Example {
  readonly kind: 'model' | 'file' | 'context' | 'body' | 'fails' | 'run';
  /** The path of a file, the code of a failure. */
  readonly of: string;
  readonly text: string;
  /** Of the block's first line in the document. */
  readonly line: number;
  /** The `values` block below a run. */
  readonly values: string;
}

const kinds: ReadonlyMap<string, Example['kind']> = new Map([
  ['', 'model'],
  ['file', 'file'],
  ['context', 'context'],
  ['body', 'body'],
  ['fails', 'fails'],
  ['run', 'run'],
]);

export function readExamples(path = documentPath): readonly Example[] {
  const document = readFileSync(path, 'utf8');
  const blocks = [...document.matchAll(/^```(\S*)[ ]?([^\n]*)\n([\s\S]*?)^```$/gm)];
  return blocks.flatMap(([, language = '', tag = '', text = ''], i): Example[] => {
    if (language !== 'moe') return [];
    const [word = '', of = ''] = tag.split(' ');
    const kind = kinds.get(word);
    if (kind === undefined) throw new Error(`a block is tagged moe ${tag}`);
    const next = blocks[i + 1];
    const values = next?.[1] === 'values' ? (next[3] ?? '') : '';
    const line = document.slice(0, blocks[i]?.index ?? 0).split('\n').length + 1;
    return [{ kind, of, text, line, values }];
  });
}

/** The whole file that an example stands for. */
export function wholeText(example: Example, context: string): string {
  if (/^(model|import) /m.test(example.text)) return example.text;
  return context.replace('// the example stands here', () => asStatements(example.text));
}

const statement = /^(let|update|loss|output|axis|const|param|state|input|expert|experts|router|fn|extern)\b/;

/** Expressions that stand in a line of their own become outputs, so that several may follow one another. */
function asStatements(text: string): string {
  let count = 0;
  return text
    .split('\n')
    .map((line) =>
      line === '' || statement.test(line) || /^[\s/)}\]|]/.test(line) ? line : `output example${count++} = ${line}`,
    )
    .join('\n');
}

export interface WrittenValue {
  readonly name: string;
  readonly shape: readonly number[];
  readonly numbers: readonly number[];
  /** Half a unit of the last written place of each number. */
  readonly tolerance: readonly number[];
}

/** `name = [[1, 0.5], [-inf, 2]]` in each line; expected values follow an arrow. */
export function readValues(text: string): {
  readonly given: readonly WrittenValue[];
  readonly expected: readonly WrittenValue[];
} {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const read = (line: string): WrittenValue => {
    const [name = '', written = ''] = line
      .replace('→', '')
      .split('=')
      .map((part) => part.trim());
    const tokens = written.match(/-?inf|-?\d+(?:\.\d+)?|[[\],]/g) ?? [];
    const shape: number[] = [];
    const counts: number[] = [];
    const numbers: number[] = [];
    const tolerance: number[] = [];
    let depth = 0;
    for (const token of tokens) {
      if (token === '[') counts[depth++] = 1;
      else if (token === ']') shape[--depth] = counts[depth] ?? 0;
      else if (token === ',') counts[depth - 1] = (counts[depth - 1] ?? 0) + 1;
      else {
        const places = token.split('.')[1]?.length ?? 0;
        numbers.push(token.endsWith('inf') ? (token.startsWith('-') ? -Infinity : Infinity) : Number(token));
        tolerance.push(places === 0 ? 1e-6 : 10 ** -places / 2 + 1e-9);
      }
    }
    return { name, shape, numbers, tolerance };
  };
  return {
    given: lines.filter((line) => !line.startsWith('→')).map(read),
    expected: lines.filter((line) => line.startsWith('→')).map(read),
  };
}
