/**
 * What the builders of the tree share: places, names, and the list of complaints.
 */
import type { CstNode, IToken } from 'chevrotain';
import { diagnostic, type Code, type Diagnostic, type DiagnosticDetails } from '../diagnostics/diagnostic.ts';
import type { AxisName, ErrorExpr, Ident, StringLiteral } from './ast.ts';
import { extent, present } from './cst.ts';
import { limits } from './text-limits.ts';
import type { Span } from '../diagnostics/source-file.ts';

export class BuildContext {
  readonly sourceName: string;
  readonly docs: ReadonlyMap<number, string>;
  /** All tokens of the file, for advice that speaks of what stands around a mistake. */
  readonly tokens: readonly IToken[];
  readonly diagnostics: Diagnostic[] = [];

  constructor(sourceName: string, docs: ReadonlyMap<number, string>, tokens: readonly IToken[]) {
    this.sourceName = sourceName;
    this.docs = docs;
    this.tokens = tokens;
  }

  report(code: Code, span: Span, details: DiagnosticDetails = {}): void {
    // Beyond this many, further ones could not change what is shown.
    if (this.diagnostics.length <= 2 * limits.errors) this.diagnostics.push(diagnostic(code, { span, ...details }));
  }

  spanOf(node: CstNode, fallback = 0): Span {
    return { source: this.sourceName, ...extent(node, fallback) };
  }

  tokenSpan(token: IToken): Span {
    return { source: this.sourceName, start: token.startOffset, end: token.startOffset + token.image.length };
  }

  /** The `///` block before a node. */
  docsOf(node: CstNode): string | undefined {
    return this.docs.get(extent(node, -1).start);
  }

  /** A name that cannot be an axis: primes are reported and dropped. */
  ident(token: IToken | undefined): Ident | undefined {
    if (token === undefined) return undefined;
    const span = this.tokenSpan(token);
    const { name, primes } = splitPrimes(token.image);
    if (primes > 0)
      this.report('MOE0116', span, {
        message: `\`${token.image}\` is not an axis: only an axis has primes`,
        help: `write \`${name}\``,
        fix: [{ span, replacement: name }],
      });
    return { text: name, span };
  }

  idents(tokens: readonly IToken[]): readonly Ident[] {
    return present(tokens.map((token) => this.ident(token)));
  }

  axis(token: IToken | undefined): AxisName | undefined {
    return token === undefined ? undefined : { ...splitPrimes(token.image), span: this.tokenSpan(token) };
  }

  axes(tokens: readonly IToken[]): readonly AxisName[] {
    return present(tokens.map((token) => this.axis(token)));
  }

  string(token: IToken | undefined): StringLiteral | undefined {
    if (token === undefined) return undefined;
    return { kind: 'String', value: unescape(token.image), span: this.tokenSpan(token) };
  }

  hole(node: CstNode | undefined, fallback = 0): ErrorExpr {
    const span = node ? this.spanOf(node, fallback) : { source: this.sourceName, start: fallback, end: fallback };
    return { kind: 'Error', span };
  }
}

/** `T''` is T with two primes. */
export function splitPrimes(image: string): { readonly name: string; readonly primes: number } {
  const name = image.replace(/'+$/, '');
  return { name, primes: image.length - name.length };
}

/** The text of a string token; unknown escapes (reported by the lexer) stand for their character. */
function unescape(image: string): string {
  const inside = image.slice(1, image.length > 1 && image.endsWith('"') ? -1 : undefined);
  return inside.replace(/\\(.)/gsu, (_, character: string) =>
    character === 'n' ? '\n' : character === 't' ? '\t' : character,
  );
}
