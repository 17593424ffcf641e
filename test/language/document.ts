/**
 * The parts of LANGUAGE.md that are made from the source: the grammar (from the productions above the rules of
 * dsl/syntax/grammar.ts), the reserved words, the limits, the library (from its `///` comments) and the algebra (from
 * dsl/primitives/primitive-table.ts). Each stands between `<!-- made: NAME -->` and `<!-- end: NAME -->`.
 *
 * `npx tsx test/language/document.ts` writes them; language.test.ts proves that they are current.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { binaryNames, drawNames, unaryNames } from '../../dsl/types/primitive-names.ts';
import type { Parameter, Primitive } from '../../dsl/primitives/primitive.ts';
import { primitives } from '../../dsl/primitives/primitive-table.ts';
import { librarySources } from '../../dsl/std/sources.generated.ts';
import { limits } from '../../dsl/syntax/text-limits.ts';
import { keywords } from '../../dsl/syntax/tokens.ts';

export const documentPath = fileURLToPath(new URL('../../LANGUAGE.md', import.meta.url));
export const semanticsPath = fileURLToPath(new URL('../../SEMANTICS.md', import.meta.url));
const grammarPath = fileURLToPath(new URL('../../dsl/syntax/grammar.ts', import.meta.url));

/** The document with its made parts made anew, formatted as the repository formats. */
export async function madeDocument(text: string): Promise<string> {
  const parts: ReadonlyMap<string, string> = new Map([
    ['grammar', grammar()],
    ['keywords', [...keywords.keys()].map((k) => `\`${k}\``).join(' ')],
    ['limits', limitTable()],
    ['library', library()],
    ['algebra', algebra()],
  ]);
  const made = text.replace(
    /(<!-- made: (\w+) -->)[\s\S]*?(<!-- end: \2 -->)/g,
    (_, head: string, name: string, tail: string) =>
      `${head}\n\n${parts.get(name) ?? 'nothing is made under this name'}\n\n${tail}`,
  );
  const options = await resolveConfig(documentPath);
  return format(made, { ...options, parser: 'markdown' });
}

/** Productions in the order of the rules; what follows a `;` in the source is a remark. */
function grammar(): string {
  const source = readFileSync(grammarPath, 'utf8');
  const lines: string[] = [];
  for (const [, comment = ''] of source.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*?)\*\/\s*readonly \w+: GrammarRule/g)) {
    const text = comment
      .split('\n')
      .map((line) => line.replace(/^\s*\* ?/, '').trimEnd())
      .filter((line) => line.trim() !== '');
    for (const line of text) {
      if (!/^\s*\w+ = /.test(line)) continue;
      // `rule   (levels of the tower)` or `rule ;   remark or another rule`
      const [rule = '', ...more] = line.trim().split(/\s*;\s{2,}|\s{3,}/);
      const remarks = more.filter((m) => !/^\w+ = /.test(m));
      const remark = remarks.length === 0 ? '' : `   (* ${remarks.join('; ').replace(/^\((.*)\)$/, '$1')} *)`;
      lines.push(`${rule} ;${remark}`, ...more.filter((m) => /^\w+ = /.test(m)).map((p) => `${p} ;`));
    }
  }
  return ['```ebnf', ...new Set(lines), '```'].join('\n');
}

function limitTable(): string {
  const said: Readonly<Record<keyof typeof limits, string>> = {
    sourceBytes: 'bytes of a file',
    tokens: 'tokens of a file',
    nesting: 'brackets inside one another',
    depth: 'levels of a declaration’s tree, along a row of operators or pipes aside',
    row: 'levels in all: terms of a sum, steps of a pipe',
    nameLength: 'characters of a name',
    numberLength: 'characters of a number',
    errors: 'diagnostics shown for one file',
  };
  const rows = Object.entries(said).map(([name, what]) => {
    const value = Object.entries(limits).find(([key]) => key === name)?.[1] ?? 0;
    return `| ${what} | ${value} |`;
  });
  return ['| what | at most |', '| --- | --- |', ...rows].join('\n');
}

export interface LibraryMember {
  readonly file: string;
  readonly name: string;
  /** `expert SwiGLU<F>(x: [D]) -> [D]` */
  readonly head: string;
  readonly documentation: string;
}

/** What the library declares, in order. */
export function libraryMembers(): readonly LibraryMember[] {
  return [...librarySources].flatMap(([file, text]) =>
    [...text.matchAll(/((?:^\/\/\/ .*\n)+)^((?:expert|fn|router) (\w+).*?) \{/gm)].map(
      ([, docs = '', head = '', name = '']) => ({
        file,
        name,
        head,
        documentation: docs
          .replace(/^\/\/\/ /gm, '')
          .trim()
          .replace(/\n/g, ' '),
      }),
    ),
  );
}

function library(): string {
  const rows = libraryMembers().map(({ head, documentation }) => `| \`${head}\` | ${documentation} |`);
  return ['| declared as | what it is |', '| --- | --- |', ...rows].join('\n');
}

// ----------------------------------------------------------------------------------------------------------- algebra

const groups: readonly (readonly [string, (p: Primitive) => boolean])[] = [
  ['Of one value', (p) => isOf(unaryNames, p) || p.name === 'clamp' || p.name === 'convert'],
  ['Of two values', (p) => isOf(binaryNames, p) || p.name === 'where'],
  ['Over axes', (p) => ['sum', 'mean', 'max', 'min', 'var', 'std', 'logsumexp', 'argmax', 'dot'].includes(p.name)],
  ['Along an axis', (p) => ['softmax', 'cumsum', 'argsort', 'l2norm', 'rmsnorm', 'layernorm'].includes(p.name)],
  ['Axes', (p) => ['rename', 'split', 'merge', 'concat', 'at', 'window', 'part', 'is', 'gather'].includes(p.name)],
  ['Made', (p) => isOf(drawNames, p) || ['iota', 'zeros', 'ones', 'one_hot'].includes(p.name)],
  ['Selections', (p) => ['top_k', 'top_p', 'keep', 'pick', 'all'].includes(p.name)],
  ['Of routes', () => true],
];

function isOf(names: readonly string[], p: Primitive): boolean {
  return names.includes(p.name);
}

function algebra(): string {
  const left = new Set(primitives);
  return groups
    .map(([title, belongs]) => {
      const own = [...left].filter(belongs);
      own.forEach((p) => left.delete(p));
      return [`### ${title}`, ...own.map(entry)].join('\n\n');
    })
    .join('\n\n');
}

function entry(p: Primitive): string {
  const { summary, detail, example, source } = p.documentation;
  const title = p.surface.length > 0 ? p.surface.map((s) => `\`${s}\``).join(', ') : `an index (\`${p.name}\`)`;
  const call = p.syntax === 'call' || p.syntax === 'made' ? ` \`${signature(p)}\`` : '';
  const from = source === undefined ? '' : ` Source: ${source}.`;
  const parameters = p.parameters.filter(
    (q) => p.syntax === 'call' && !(p.parameters.length === 1 && q.kind === 'value'),
  );
  const list = parameters.map((q) => `- \`${q.name}\`: ${q.documentation}${q.optional ? ' (may be left out)' : ''}`);
  return [
    `#### ${title}`,
    `${summary}${detail === '' ? '' : ` ${detail}`}${from}${call === '' ? '' : `${call}`}`,
    ...(list.length > 0 ? [list.join('\n')] : []),
    ['```moe body', example, '```'].join('\n'),
  ].join('\n\n');
}

/** `top_k(s, k, over:, by:)`; what may be left out stands in brackets. */
function signature(p: Primitive): string {
  const [name = p.name] = p.surface;
  if (p.syntax === 'made') return `${name}[A, …]`;
  const one = (q: Parameter): string => {
    const text = q.positional ? q.name : `${q.name}:`;
    return q.optional ? `[${text}]` : text;
  };
  return `${name}(${p.parameters.map(one).join(', ')})`;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  writeFileSync(documentPath, await madeDocument(readFileSync(documentPath, 'utf8')));
}
