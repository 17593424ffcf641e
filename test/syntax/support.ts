/** What the tests of the syntax share. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Body, AstExpr, File } from '../../dsl/syntax/ast.ts';
import { parseFile, type Parsed } from '../../dsl/syntax/parse-file.ts';
import type { SourceFile } from '../../dsl/diagnostics/source-file.ts';

function textsIn(folder: string): readonly SourceFile[] {
  const directory = fileURLToPath(new URL(folder, import.meta.url));
  return readdirSync(directory)
    .filter((name) => name.endsWith('.moe'))
    .map((name) => ({ name, text: readFileSync(`${directory}/${name}`, 'utf8') }));
}

/** Published systems in the language. */
export const programs = textsIn('../filetests/parse/programs');

/** The library. */
export const library = textsIn('../../dsl/std');

export function parse(text: string): Parsed {
  return parseFile({ name: 'test.moe', text });
}

/** A tree without its places: what must survive printing. */
export function withoutSpans(file: File): string {
  return JSON.stringify(file, (key, value: unknown) => (key === 'span' ? undefined : value), 1);
}

/** The first body of the first model's first callable or entry. */
export function bodyOf(text: string): Body {
  const { file, diagnostics } = parse(`model M { fn f(x: [T]) -> [T] {\n${text}\n} }`);
  if (diagnostics.length > 0) throw new Error(JSON.stringify(diagnostics));
  const item = file.models[0]?.items[0];
  if (item?.kind !== 'Callable' || item.definition.kind !== 'Function') throw new Error('no body');
  return item.definition.body;
}

/** An expression in fully parenthesised form, to see what holds together with what. */
export function shapeOf(text: string): string {
  return show(bodyOf(text).result);
}

function show(e: AstExpr): string {
  switch (e.kind) {
    case 'Number':
      return e.text;
    case 'String':
      return JSON.stringify(e.value);
    case 'Bool':
      return String(e.value);
    case 'Name':
      return e.name + "'".repeat(e.primes);
    case 'Call': {
      const args = e.args.map(
        (arg) => (arg.label?.kind === 'NameLabel' ? `${arg.label.name}: ` : '') + show(arg.value),
      );
      return `${show(e.callee)}(${args.join(', ')})`;
    }
    case 'Index': {
      const indices = e.indices.map(({ axis, index, range }) => {
        const to = range ? ` .. ${show(range.to)} as ${range.as.name}` : '';
        return (axis ? `${axis.name}: ` : '') + show(index) + to;
      });
      return `${show(e.target)}[${indices.join(', ')}]`;
    }
    case 'Path':
      return `${show(e.target)}.${e.name.text}`;
    case 'Unary':
      return `(${e.op} ${show(e.operand)})`;
    case 'Binary':
    case 'Compare':
    case 'Logical':
      return `(${show(e.left)} ${e.op} ${show(e.right)})`;
    case 'Dot':
      return `(${show(e.left)} @ ${show(e.right)})`;
    case 'Pipe':
      return `(${show(e.input)} |> ${show(e.callee)}(${e.args.map((arg) => show(arg.value)).join(', ')}))`;
    case 'Tuple':
      return `<${e.items.map(show).join(', ')}>`;
    case 'Record':
      return `<${e.fields.map((field) => `${field.name.text}: ${show(field.value)}`).join(', ')}>`;
    default:
      return e.kind;
  }
}
