/**
 * What the parser's errors are called. Chevrotain asks an error provider for a message; ours answers with the facts
 * (what was expected, in which rule) and `parserDiagnostic` makes the sentence, where the token that was found is at
 * hand.
 */
import { EOF, tokenLabel, type IParserErrorMessageProvider, type IToken, type TokenType } from 'chevrotain';
import { diagnostic, type Diagnostic, type DiagnosticDetails } from '../diagnostics/diagnostic.ts';
import { suggest } from '../diagnostics/suggest.ts';
import { bitOperators } from './characters.ts';
import { foreignWords, foreignSyntaxHelp, sliceHelp, type Stopped } from './foreign-syntax.ts';
import { keywords, leadingKeywords } from './tokens.ts';
import type { Span } from '../diagnostics/source-file.ts';

interface Facts {
  readonly rule: string;
  /** Label of the expected token; absent: one of the alternatives of the rule. */
  readonly expected?: string;
}

/**
 * Thrown through the parser when there are more errors than anyone wants: each of its recoveries in a list deepens the
 * stack.
 */
export class ErrorBudgetSpent extends Error {}

/**
 * The error provider of a parser. Its owner sets `budget` before each parse: how many errors are collected before it
 * gives up.
 */
export class ErrorMessages implements IParserErrorMessageProvider {
  budget = 0;

  buildMismatchTokenMessage({ expected, ruleName }: { expected: TokenType; ruleName: string }): string {
    return this.#encode({ rule: ruleName, expected: tokenLabel(expected) });
  }

  buildNotAllInputParsedMessage({ ruleName }: { ruleName: string }): string {
    return this.#encode({ rule: ruleName === 'importDecl' ? 'file' : 'model' });
  }

  buildNoViableAltMessage({ ruleName }: { ruleName: string }): string {
    return this.#encode({ rule: ruleName });
  }

  buildEarlyExitMessage({ ruleName }: { ruleName: string }): string {
    return this.#encode({ rule: ruleName });
  }

  #encode(facts: Facts): string {
    if (this.budget-- <= 0) throw new ErrorBudgetSpent();
    return JSON.stringify(facts);
  }
}

function decode(message: string): Facts {
  const facts: unknown = JSON.parse(message);
  if (typeof facts !== 'object' || facts === null || !('rule' in facts)) return { rule: '' };
  return { rule: String(facts.rule), expected: 'expected' in facts ? String(facts.expected) : undefined };
}

/** What may stand where a rule with alternatives begins. */
const alternatives: ReadonlyMap<string, string> = new Map([
  ['file', '`import`, `model` or a declaration'],
  ['model', 'a declaration, an entry or `}`'],
  ['decl', 'a declaration'],
  ['bindings', 'a name'],
  ['source', 'the name of a tensor in quotes'],
  ['slot', '`frozen` or `from`'],
  ['dim', 'an axis, `1`, a part such as `0 of 2`, or `(`'],
  ['part', 'an axis, `1` or a part such as `0 of 2`'],
  ['callable', '`(` and a signature, or `=` and a template'],
  ['instance', '`<` or `from`'],
  ['extern', '`expert` or `fn`'],
  ['signature', 'a type such as `[D]`'],
  ['type', 'a type such as `[D]`'],
  ['stmt', 'a statement'],
  ['assign', 'a name'],
  ['pattern', 'a name, or names in parentheses'],
  ['primary', 'a value'],
  ['postfix', '`(`, `[` or `.`'],
  ['chain', 'the values that are carried'],
]);

/** Closers, where the list before them could also go on. */
const listClosers: ReadonlyMap<string, string> = new Map([
  ['`)`', '`,` or `)`'],
  ['`]`', '`,` or `]`'],
  ['`>`', '`,` or `>`'],
]);

/** What a declaration may begin with, for slips such as `modle`. */
const leadingWords = [...keywords].filter(([, type]) => leadingKeywords.has(type)).map(([word]) => word);

/** Rules whose brackets hold names: a keyword after a bracket or comma was meant as one. */
const namesInBrackets: ReadonlySet<string> = new Set(['signature', 'family', 'generics', 'axes', 'importDecl']);

/** Rules in which `|` stands between the members of a union, or nothing is computed. */
const outsideBodies: ReadonlySet<string> = new Set([
  'file',
  'model',
  'decl',
  'callable',
  'bindings',
  'importDecl',
  'union',
]);

/** One error of the parser as a diagnostic: its message (our facts), the token that was found and where it stands among all. */
export function parserDiagnostic(message: string, found: IToken, stopped: Stopped, sourceName: string): Diagnostic {
  const facts = decode(message);
  const before = stopped.tokens[stopped.at - 1];
  const atEnd = found.tokenType === EOF;
  const end = before === undefined ? 0 : before.startOffset + before.image.length;
  const span: Span = atEnd
    ? { source: sourceName, start: end, end }
    : { source: sourceName, start: found.startOffset, end: found.startOffset + found.image.length };
  const foundText = atEnd ? 'the end of the file' : `\`${shorten(found.image)}\``;
  const expected = expectation(facts);
  const details: DiagnosticDetails = {
    message: `expected ${expected}, found ${foundText}`,
    span,
    help: helpFor(facts, found, stopped),
  };
  const bits = !atEnd && found.image === '|' && !outsideBodies.has(facts.rule) ? bitOperators.get('|') : undefined;
  if (bits !== undefined)
    return diagnostic('MOE0457', { span, message: '`|`: there are no operations on bits', help: bits.help });
  const isKeyword = !atEnd && keywords.has(found.image);
  const inList = namesInBrackets.has(facts.rule) && /^[(<[{,]$/.test(before?.image ?? '');
  if (isKeyword && (facts.expected === 'a name' || inList))
    return diagnostic('MOE0105', {
      ...details,
      message: `\`${found.image}\` is a keyword and cannot be a name`,
      help: 'choose another name',
    });
  return diagnostic('MOE0101', details);
}

function expectation(facts: Facts): string {
  const { rule, expected } = facts;
  if (expected === undefined) return alternatives.get(rule) ?? 'something else';
  if (rule === 'file') return alternatives.get('file') ?? expected;
  if (rule === 'model' && expected === '`}`') return alternatives.get('model') ?? expected;
  if (rule === 'body' && expected === '`}`') return 'a statement, an expression or `}`';
  if (rule === 'body' && expected === '`{`') return '`{` and a body';
  if (rule === 'group' && expected === '`)`') return 'an operator, `,` or `)`';
  if (rule === 'args' && expected === '`)`') return 'an operator, `,` or `)`';
  if (rule === 'signature' && expected === '`->`') return '`->` and the type of the result';
  return listClosers.get(expected) ?? expected;
}

function helpFor(facts: Facts, found: IToken, stopped: Stopped): string | undefined {
  const { rule, expected } = facts;
  const { tokens, at } = stopped;
  const inIndex = sliceHelp(tokens, at);
  if (inIndex !== undefined) return inIndex;
  // `for e in …` stops two words later, at `in`; `def f(x): …` at the colon.
  const line = tokens.slice(0, at).findLastIndex((token) => token.startLine !== found.startLine) + 1;
  const foreign = [tokens[at - 1], found, tokens[at - 2], tokens[line]].flatMap((token) =>
    token === undefined || token.startLine !== found.startLine ? [] : (foreignWords.get(token.image) ?? []),
  );
  if (foreign[0] !== undefined) return foreign[0];
  const advice = foreignSyntaxHelp(stopped);
  if (advice !== undefined) return advice;
  if (rule === 'formal' && expected === '`:`')
    return `a parameter says its type: \`${tokens[at - 1]?.image ?? 'x'}: [D]\``;
  const sameLine = tokens[at - 1]?.startLine === found.startLine;
  if (rule === 'primary' && sameLine && /^(?:fn|expert|experts|router)$/.test(found.image))
    return 'functions are declared, with a name: `fn f(x: [D]) -> [D] { … }`';
  if (rule === 'cond' && expected === '`else`') return 'an `if` is a value: it needs an `else`';
  if (rule === 'primary' && keywords.has(found.image)) return `\`${found.image}\` is a keyword and cannot be a name`;
  const near = rule === 'file' || rule === 'model' ? suggest(found.image, leadingWords) : undefined;
  if (near !== undefined) return `did you mean \`${near}\`?`;
  if (rule === 'file') return 'statements and entries stand in a model: `model M { … }`';
  return undefined;
}

function shorten(image: string): string {
  return image.length > 40 ? `${image.slice(0, 37)}…` : image;
}
