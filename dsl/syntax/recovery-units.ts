/**
 * A file in pieces: its imports, its declarations, and the items of its models.
 *
 * The pieces are what keeps a mistake local. A text without mistakes is parsed in one go; a text with mistakes is cut
 * here, on its balanced brackets, and every piece is parsed for itself, so that a slip in one declaration cannot make
 * the parser lose its way in the next ones.
 */
import { EOF, type CstNode, type IRecognitionException, type IToken, type TokenType } from 'chevrotain';
import { extent, nodes, present, tokenOf } from './cst.ts';
import { parseTokens, type MoeParser } from './grammar.ts';
import { limits } from './text-limits.ts';
import * as t from './tokens.ts';

/**
 * What a tree of a file is built from. Nodes of `items` and `decls` are of the rules `decl` and `entry`, in the order
 * of the text.
 */
export interface FileParts {
  readonly imports: readonly CstNode[];
  readonly models: readonly AstModelParts[];
  readonly decls: readonly CstNode[];
}

export interface AstModelParts {
  readonly name: IToken | undefined;
  readonly items: readonly CstNode[];
  readonly start: number;
  readonly end: number;
}

/** An error of the parser, and the piece in which it is. */
export interface RecoveryUnitError {
  readonly message: string;
  readonly found: IToken;
  readonly piece: number;
}

export function partsOfFile(cst: CstNode): FileParts {
  const models = nodes(cst, 'model').map(partsOfModel);
  return { imports: nodes(cst, 'importDecl'), models, decls: nodes(cst, 'decl') };
}

function partsOfModel(node: CstNode): AstModelParts {
  const items = [...nodes(node, 'decl'), ...nodes(node, 'entry')].toSorted((a, b) => extent(a).start - extent(b).start);
  return { name: tokenOf(node, 'Name'), items, ...extent(node) };
}

/** Beyond this many, a piece is beyond reading. */
const errorsInPiece = 20;

const declStarts: ReadonlySet<TokenType> = new Set([
  t.AxisKeyword,
  t.ConstKeyword,
  t.ParamKeyword,
  t.StateKeyword,
  t.InputKeyword,
  t.ExpertsKeyword,
  t.ExpertKeyword,
  t.RouterKeyword,
  t.FnKeyword,
  t.ExternKeyword,
]);
const callableKeywords: ReadonlySet<TokenType> = new Set([
  t.ExpertsKeyword,
  t.ExpertKeyword,
  t.RouterKeyword,
  t.FnKeyword,
]);
const openers: ReadonlySet<TokenType> = new Set([t.LParen, t.LSquare, t.LCurly]);
const closers: ReadonlySet<TokenType> = new Set([t.RParen, t.RSquare, t.RCurly]);

export interface ParsedRecoveryUnits {
  readonly parts: FileParts;
  readonly errors: readonly RecoveryUnitError[];
  /** Offsets of the pieces that have an error: what is built from them is guesswork. */
  readonly failed: readonly { readonly start: number; readonly end: number }[];
}

/** Parses balanced tokens piece by piece. */
export function parseRecoveryUnits(parser: MoeParser, tokens: readonly IToken[]): ParsedRecoveryUnits {
  const imports: (CstNode | undefined)[] = [];
  const models: AstModelParts[] = [];
  const decls: (CstNode | undefined)[] = [];
  const errors: RecoveryUnitError[] = [];
  const failed: { start: number; end: number }[] = [];
  let piece = 0;

  /** Parses `[from, to)` with a rule; the end of the piece is the token that follows it. */
  const run = (rule: () => CstNode, from: number, to: number): CstNode | undefined => {
    piece++;
    if (errors.length > 2 * limits.errors) return undefined; // what is found from here on is not shown
    const parsed = parseTokens(parser, rule, tokens.slice(from, to), errorsInPiece);
    const found = parsed.errors.filter((error, i) => i === 0 || error.name !== 'NotAllInputParsedException');
    for (const error of found) errors.push({ message: error.message, found: foundBy(error, to), piece });
    if (found.length > 0)
      failed.push({ start: tokens[from]?.startOffset ?? 0, end: tokens[to]?.startOffset ?? Infinity });
    return parsed.cst;
  };
  const foundBy = (error: IRecognitionException, to: number): IToken =>
    error.token.tokenType === EOF ? (tokens[to] ?? error.token) : error.token;
  const misplaced = (rule: string, at: number): void => {
    const found = tokens[at];
    if (errors.at(-1)?.piece === piece && piece > 0) return; // what is left of the piece before, which has its error
    if (found) errors.push({ message: JSON.stringify({ rule }), found, piece: ++piece });
  };

  const items = (from: number, to: number): readonly CstNode[] => {
    const result: (CstNode | undefined)[] = [];
    for (const [start, end] of cut(tokens, from, to)) {
      const type = tokens[start]?.tokenType;
      if (type !== undefined && declStarts.has(type)) result.push(run(() => parser.decl(), start, end));
      else if (isEntry(tokens, start)) result.push(run(() => parser.entry(), start, end));
      else misplaced('model', start);
    }
    return present(result);
  };

  const model = (start: number, end: number): void => {
    const name = tokens[start + 1];
    if (name?.tokenType !== t.Name || tokens[start + 2]?.tokenType !== t.LCurly) {
      const node = run(() => parser.model(), start, end);
      if (node) models.push(partsOfModel(node));
      return;
    }
    const close = closing(tokens, start + 2, end);
    const last = tokens[close];
    models.push({
      name,
      items: items(start + 3, close),
      start: tokens[start]?.startOffset ?? 0,
      end: (last?.startOffset ?? 0) + (last?.image.length ?? 0),
    });
    if (close + 1 < end) misplaced('file', close + 1);
  };

  for (const [start, end] of cut(tokens, 0, tokens.length)) {
    const type = tokens[start]?.tokenType;
    if (type === t.ImportKeyword) imports.push(run(() => parser.importDecl(), start, end));
    else if (type === t.ModelKeyword) model(start, end);
    else if (type !== undefined && declStarts.has(type)) decls.push(run(() => parser.decl(), start, end));
    else misplaced('file', start);
  }
  return { parts: { imports: present(imports), models, decls: present(decls) }, errors, failed };
}

/**
 * Ranges of the items of `[from, to)`: each begins, outside of brackets, with a word that begins a declaration, or is
 * an entry.
 */
function cut(tokens: readonly IToken[], from: number, to: number): readonly (readonly [number, number])[] {
  const starts: number[] = [];
  let depth = 0;
  for (let i = from; i < to; i++) {
    const type = tokens[i]?.tokenType;
    if (type === undefined) break;
    const previous = i > from ? tokens[i - 1]?.tokenType : undefined;
    const leads = t.leadingKeywords.has(type) && previous !== t.ExternKeyword;
    if (depth === 0 && (i === from || leads || isEntry(tokens, i))) starts.push(i);
    if (openers.has(type)) depth++;
    else if (closers.has(type)) depth--;
  }
  return starts.map((start, k) => [start, starts[k + 1] ?? to]);
}

/**
 * `NAME ( … ) ->` that is not the name of a callable; without the arrow, `NAME (` on a new line after what can be the
 * end of an item.
 */
function isEntry(tokens: readonly IToken[], at: number): boolean {
  const name = tokens[at];
  if (name?.tokenType !== t.Name || tokens[at + 1]?.tokenType !== t.LParen) return false;
  const previous = tokens[at - 1];
  if (previous !== undefined && callableKeywords.has(previous.tokenType)) return false;
  if (tokens[closing(tokens, at + 1, tokens.length) + 1]?.tokenType === t.Arrow) return true;
  return (
    previous === undefined || ((previous.endLine ?? 0) < (name.startLine ?? 0) && /[\w'"\])}{]$/.test(previous.image))
  );
}

/** Index of the bracket that closes the one at `open`; brackets are balanced. */
function closing(tokens: readonly IToken[], open: number, to: number): number {
  let depth = 0;
  for (let i = open; i < to; i++) {
    const type = tokens[i]?.tokenType;
    if (type !== undefined && openers.has(type)) depth++;
    else if (type !== undefined && closers.has(type) && --depth === 0) return i;
  }
  return to - 1;
}
