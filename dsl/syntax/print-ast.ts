/**
 * The canonical form of a file: two spaces of indentation, 120 columns, one empty line at most where its author had
 * any, operators at the head of broken lines, comments kept.
 *
 * Laws, tested on every program: printing what was printed changes nothing, and its tree is the tree that was printed,
 * but for spans. What the author decides: empty lines, a short body on one line, a broken pipe, the lines of a list of
 * bindings.
 */
import { unreachable } from '../diagnostics/bug.ts';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type * as ast from './ast.ts';
import { CommentQueue } from './comments.ts';
import {
  blank,
  concat,
  concatAll,
  fill,
  group,
  hard,
  indent,
  join,
  layOut,
  line,
  softline,
  trailing,
  type Doc,
} from './text-layout.ts';
import type { Comment } from './lex.ts';
import { parseFile } from './parse-file.ts';
import { levels } from './precedence.ts';
import {
  axisName,
  patternText,
  printAlone,
  printExpr,
  printIndices,
  stringText,
  typeText,
} from './print-expressions.ts';
import type { ExpressionPrinter } from './print-expressions.ts';
import type { SourceFile, Span } from '../diagnostics/source-file.ts';

const width = 120;

/** The canonical text of a file that was parsed from `source` without errors; ends with a line end. */
export function printFile(file: ast.File, source: SourceFile, comments: readonly Comment[]): string {
  return new Printer(source.text, comments).file(file);
}

/** The canonical text, or the errors that keep it from being formatted. */
export function format(
  source: SourceFile,
): { readonly ok: true; readonly text: string } | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] } {
  const { file, diagnostics, comments } = parseFile(source);
  if (diagnostics.some((d) => d.severity === 'error')) return { ok: false, diagnostics };
  return { ok: true, text: printFile(file, source, comments) };
}

type Item = ast.Import | ast.AstModel | ast.Entry | ast.BodyItem;

class Printer implements ExpressionPrinter {
  readonly text: string;
  readonly #comments: CommentQueue;

  constructor(text: string, comments: readonly Comment[]) {
    this.text = text;
    this.#comments = new CommentQueue(text, comments);
  }

  file(file: ast.File): string {
    const items = [...file.imports, ...file.models, ...file.decls].toSorted((a, b) => a.span.start - b.span.start);
    const parts = this.#sequence(
      items.map((item) => ({ span: item.span, print: () => this.#item(item) })),
      file.span.start,
      file.span.end,
    );
    return parts === undefined ? '' : layOut(parts, width);
  }

  // ------------------------------------------------------------------------------------------------------- sequences

  /** Things on lines of their own, between two offsets, with their comments and at most one empty line between two. */
  #sequence(
    things: readonly { readonly span: Span; readonly print: () => Doc }[],
    start: number,
    end: number,
  ): Doc | undefined {
    const parts: Doc[] = [];
    let last = start;
    const separate = (next: number): void => {
      if (parts.length > 0) parts.push(...(this.#hasEmptyLine(last, next) ? [blank, hard] : [hard]));
    };
    const comment = (c: Comment): void => {
      separate(c.span.start);
      parts.push(c.text);
      last = c.span.end;
    };
    for (const { span, print } of things) {
      for (const c of this.#comments.takeBefore(span.start)) comment(c);
      const doc = print();
      const inside = this.#comments.takeBefore(span.end);
      const behind = this.#comments.takeBehind(span.end);
      separate(inside[0] === undefined ? span.start : Math.min(span.start, inside[0].span.start));
      for (const c of inside) parts.push(c.text, hard);
      parts.push(doc, behind ? trailing(behind.text) : '');
      last = behind?.span.end ?? span.end;
    }
    for (const c of this.#comments.takeBefore(end)) comment(c);
    return parts.length === 0 ? undefined : concatAll(parts);
  }

  #hasEmptyLine(from: number, to: number): boolean {
    return /\n[ \t]*\r?\n|\r[ \t]*\r/.test(this.text.slice(from, to));
  }

  #isBroken(from: number, to: number): boolean {
    return /[\n\r]/.test(this.text.slice(from, to));
  }

  /** Elements of a list: filled into lines, with the line breaks of the author. */
  #list(elements: readonly { readonly span: Span; readonly print: () => Doc }[]): Doc {
    const parts: Doc[] = [];
    for (const [i, { span, print }] of elements.entries()) {
      const previous = elements[i - 1];
      let before: readonly Comment[] = [];
      if (previous) {
        before = this.#comments.takeBefore(span.start);
        const broken = before.length > 0 || this.#isBroken(previous.span.end, span.start);
        parts.push(concatAll([broken ? hard : line, ...before.flatMap((c) => [c.text, hard])]));
      }
      const doc = print();
      const behind = this.#comments.takeBehind(span.end);
      const comma = i < elements.length - 1 ? ',' : '';
      parts.push(concat(doc, comma, behind ? trailing(behind.text) : ''));
    }
    return fill(parts);
  }

  // ------------------------------------------------------------------------------------------------------------ items

  #item(item: Item): Doc {
    switch (item.kind) {
      case 'Import': {
        const names = item.names.map((name, i) => (i < item.names.length - 1 ? `${name.text},` : name.text));
        const list = fill(names.flatMap((name, i): Doc[] => (i === 0 ? [name] : [line, name])));
        return concat(group(concat('import {', indent(concat(line, list)), line, '} from ')), stringText(item.from));
      }
      case 'Model': {
        const things = item.items.map((inner) => ({ span: inner.span, print: () => this.#item(inner) }));
        return concat(`model ${item.name.text} `, this.#block(things, item.span));
      }
      case 'Entry':
        return concat(item.name.text, this.#signature(item.signature), ' ', this.printBody(item.body));
      case 'Axes':
        return this.#bindings('axis', item.bindings, (binding) => {
          if (binding.points) {
            const [only] = binding.points;
            const points = binding.points.map((point) => point.text).join(', ');
            return `${binding.name.text} = (${points}${binding.points.length === 1 && only ? ',' : ''})`;
          }
          return this.#named(binding.name.text, binding.size, levels.or);
        });
      case 'Consts':
        return this.#bindings('const', item.bindings, (binding) =>
          this.#named(binding.name.text, binding.value, levels.or),
        );
      case 'Variable':
        return this.#bindings(item.keyword, item.slots, (slot) => this.#slot(slot));
      case 'Callable':
        return this.#callable(item);
      case 'Extern':
        return concat(
          `extern ${item.role} ${item.name.text}${familyText(item.family)}`,
          this.#signature(item.signature),
        );
      case 'Let': {
        const type = item.type ? `: ${typeText(item.type)}` : '';
        return concat(`let ${patternText(item.pattern)}${type} = `, printExpr(this, item.value));
      }
      case 'Update':
      case 'Loss':
      case 'Output':
        return concat(`${item.kind.toLowerCase()} ${item.name.text} = `, printExpr(this, item.value));
      case 'Require': {
        const message = item.message === undefined ? [] : [` else `, printExpr(this, item.message)];
        return concat('require ', printExpr(this, item.condition), ...message);
      }
      default:
        return unreachable(item, 'print');
    }
  }

  /** `{`, things on lines of their own, `}`. */
  #block(things: readonly { readonly span: Span; readonly print: () => Doc }[], span: Span): Doc {
    const inside = this.#sequence(things, span.start, span.end);
    return inside === undefined ? '{ }' : concat('{', indent(concat(hard, inside)), hard, '}');
  }

  isShort = (body: ast.Body): boolean =>
    body.items.length === 0 && !this.#isBroken(body.span.start, body.result.span.start);

  printBody = (body: ast.Body): Doc => {
    if (this.isShort(body)) return group(concat('{', indent(concat(line, printExpr(this, body.result))), line, '}'));
    const items = body.items.map((item) => ({ span: item.span, print: () => this.#item(item) }));
    return this.#block([...items, { span: body.result.span, print: () => printExpr(this, body.result) }], body.span);
  };

  #named(name: string, value: ast.AstExpr | undefined, least: number): Doc {
    return value === undefined ? name : concat(`${name} = `, printAlone(this, value, least));
  }

  /** A keyword and its list, continued under the first element. */
  #bindings<T extends ast.AstNode>(keyword: string, elements: readonly T[], print: (element: T) => Doc): Doc {
    const list = this.#list(elements.map((element) => ({ span: element.span, print: () => print(element) })));
    return concat(`${keyword} `, indent(list, keyword.length + 1));
  }

  #slot(slot: ast.Slot): Doc {
    return concat(
      `${slot.name.text}: ${typeText(slot.type)}`,
      slot.initial ? concat(' = ', printExpr(this, slot.initial)) : '',
      slot.frozen ? ' frozen' : '',
      slot.source ? ` from ${sourceText(slot.source)}` : '',
    );
  }

  #signature(signature: ast.Signature): Doc {
    const formals = signature.formals.map((formal) => `${formal.name.text}: ${typeText(formal.type)}`);
    const [first] = signature.results;
    const list = (items: readonly string[]): Doc =>
      items.length === 0
        ? '()'
        : group(concat('(', indent(concat(softline, join(concat(',', line), items))), softline, ')'));
    if (signature.results.length === 1 && first && first.name === undefined)
      return concat(list(formals), ` -> ${typeText(first.type)}`);
    const results = signature.results.map(
      (result) => (result.name ? `${result.name.text}: ` : '') + typeText(result.type),
    );
    return concat(list(formals), ' -> ', list(results));
  }

  // ------------------------------------------------------------------------------------------------------- callables

  #callable(decl: ast.CallableDecl): Doc {
    const generics = decl.generics?.map((generic) => this.#named(generic.name.text, generic.initial, levels.sum));
    const head = concat(
      `${decl.role} ${decl.name.text}`,
      generics ? concat('<', join(', ', generics), '>') : '',
      familyText(decl.family),
    );
    const { definition } = decl;
    switch (definition.kind) {
      case 'Function':
        return concat(head, this.#signature(definition.signature), ' ', this.printBody(definition.body));
      case 'Instance':
        return concat(head, ' = ', this.#instance(definition));
      case 'Union': {
        const [first, ...others] = definition.members.map((member) =>
          concat(member.name.text, member.indices ? printIndices(this, member.indices) : ''),
        );
        return group(
          concat(head, ' = ', first ?? '', indent(concatAll(others.map((other) => concat(line, '| ', other))))),
        );
      }
      default:
        return unreachable(definition, 'print');
    }
  }

  #instance(instance: ast.InstanceDefinition): Doc {
    const args = instance.args?.map((arg) =>
      concat(arg.name ? `${arg.name.text}: ` : '', printAlone(this, arg.value, levels.sum)),
    );
    return concat(
      instance.template.text,
      args ? concat('<', join(', ', args), '>') : '',
      instance.from ? concat(' from ', this.#instanceSource(instance.from)) : '',
    );
  }

  #instanceSource(from: ast.AstInstanceSource): Doc {
    const frozen = from.frozen ? ' frozen' : '';
    if (from.bindings === undefined) return stringText(from.prefix) + frozen;
    const [first] = from.bindings;
    const broken =
      first !== undefined &&
      (this.#isBroken(from.prefix.span.end, first.span.start) || this.#comments.hasInside(from.span));
    const before = first ? this.#comments.takeBefore(first.span.start) : [];
    const list = this.#list(
      from.bindings.map((binding) => ({ span: binding.span, print: () => bindingText(binding) })),
    );
    const inside = concatAll([...before.flatMap((c) => [c.text, hard]), list]);
    const edge = broken ? hard : line;
    return concat(stringText(from.prefix), ' ', group(concat('{', indent(concat(edge, inside)), edge, '}')), frozen);
  }
}

function bindingText(binding: ast.SourceBinding): string {
  const path = binding.path.map((name) => name.text).join('.');
  return `${path}: ${sourceText(binding.source)}${binding.frozen ? ' frozen' : ''}`;
}

function familyText(family: readonly ast.AstFamilyAxis[] | undefined): string {
  if (family === undefined) return '';
  return `[${family.map(({ axis, index }) => (index ? `${index.text} in ` : '') + axisName(axis)).join(', ')}]`;
}

function sourceText(source: ast.Source): string {
  const names = source.names.map(stringText).join(', ');
  const order = source.order ? ` as [${source.order.map(dimText).join(', ')}]` : '';
  return (source.decoder ? `${source.decoder.text}(${names})` : names) + order;
}

function dimText(dim: ast.Dim): string {
  const [first] = dim.parts;
  return dim.parts.length === 1 && first ? partText(first) : `(${dim.parts.map(partText).join(', ')})`;
}

function partText(part: ast.AstStoredPart): string {
  switch (part.kind) {
    case 'AxisPart':
      return axisName(part.axis);
    case 'UnitPart':
      return '1';
    case 'RangePart':
      return part.to === part.from + 1 ? `${part.from} of ${part.of}` : `${part.from} .. ${part.to} of ${part.of}`;
    default:
      return unreachable(part, 'print');
  }
}
