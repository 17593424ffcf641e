/**
 * The vocabulary: every kind of token, with the label that messages show. `lex.ts` makes the tokens; Chevrotain only
 * needs the types.
 */
import { createToken, Lexer, type TokenType } from 'chevrotain';

const vocabulary: TokenType[] = [];

/** Reserved words by their text. */
export const keywords = new Map<string, TokenType>();

/** Operators and punctuation by their text; `lex.ts` takes the longest that fits. */
export const symbols = new Map<string, TokenType>();

/** A token type that `lex.ts` makes itself (`Lexer.NA`): Chevrotain's lexer is not used. */
function define(name: string, label: string, category?: TokenType): TokenType {
  const type = createToken({ name, label, pattern: Lexer.NA, categories: category ? [category] : [] });
  vocabulary.push(type);
  return type;
}

/** `experts` and `expert` are no trouble: a word is read whole and then looked up. */
function keyword(text: string, category?: TokenType): TokenType {
  const type = define(text[0]?.toUpperCase() + text.slice(1), `\`${text}\``, category);
  keywords.set(text, type);
  return type;
}

function symbol(name: string, text: string, category?: TokenType): TokenType {
  const type = define(name, `\`${text}\``, category);
  symbols.set(text, type);
  return type;
}

/** Operators between the operands of a condition, and between those of a sum: one token type each for the grammar. */
export const ConditionOperator = define('ConditionOperator', 'an operator');
export const SumOperator = define('SumOperator', 'an operator');

/** `[A-Za-z_][A-Za-z0-9_]*'*`, not a keyword. */
export const Name = define('Name', 'a name');
/** `\d+(\.\d+)?([eE][+-]?\d+)?` */
export const NumberToken = define('Number', 'a number');
/** In double quotes, on one line, with the escapes `\" \\ \n \t`. */
export const StringToken = define('String', 'a text in quotes');

export const ModelKeyword = keyword('model');
export const ImportKeyword = keyword('import');
export const FromKeyword = keyword('from');
export const AxisKeyword = keyword('axis');
export const ConstKeyword = keyword('const');
export const ParamKeyword = keyword('param');
export const StateKeyword = keyword('state');
export const InputKeyword = keyword('input');
export const ExpertsKeyword = keyword('experts');
export const ExpertKeyword = keyword('expert');
export const RouterKeyword = keyword('router');
export const FnKeyword = keyword('fn');
export const ExternKeyword = keyword('extern');
export const LetKeyword = keyword('let');
export const UpdateKeyword = keyword('update');
export const LossKeyword = keyword('loss');
export const OutputKeyword = keyword('output');
export const RequireKeyword = keyword('require');
export const ChainKeyword = keyword('chain');
export const InKeyword = keyword('in');
export const CarryingKeyword = keyword('carrying');
export const CollectingKeyword = keyword('collecting');
export const IfKeyword = keyword('if');
export const ElseKeyword = keyword('else');
export const AndKeyword = keyword('and', ConditionOperator);
export const OrKeyword = keyword('or', ConditionOperator);
export const NotKeyword = keyword('not');
export const TrueKeyword = keyword('true');
export const FalseKeyword = keyword('false');
export const AsKeyword = keyword('as');
export const OfKeyword = keyword('of');
export const FrozenKeyword = keyword('frozen');

export const LParen = symbol('LParen', '(');
export const RParen = symbol('RParen', ')');
export const LSquare = symbol('LSquare', '[');
export const RSquare = symbol('RSquare', ']');
export const LCurly = symbol('LCurly', '{');
export const RCurly = symbol('RCurly', '}');
export const Comma = symbol('Comma', ',');
export const Colon = symbol('Colon', ':');
export const Arrow = symbol('Arrow', '->');
export const PipeRight = symbol('PipeRight', '|>');
export const Bar = symbol('Bar', '|');
export const EqualEqual = symbol('EqualEqual', '==', ConditionOperator);
export const NotEqual = symbol('NotEqual', '!=', ConditionOperator);
export const LessEqual = symbol('LessEqual', '<=', ConditionOperator);
export const GreaterEqual = symbol('GreaterEqual', '>=', ConditionOperator);
export const Less = symbol('Less', '<', ConditionOperator);
export const Greater = symbol('Greater', '>', ConditionOperator);
export const Equal = symbol('Equal', '=');
export const Plus = symbol('Plus', '+', SumOperator);
export const Minus = symbol('Minus', '-', SumOperator);
export const StarStar = symbol('StarStar', '**', SumOperator);
export const Star = symbol('Star', '*', SumOperator);
export const Slash = symbol('Slash', '/', SumOperator);
export const Percent = symbol('Percent', '%', SumOperator);
export const At = symbol('At', '@', SumOperator);
export const DotDot = symbol('DotDot', '..');
export const Point = symbol('Point', '.');

/** All of them, for the parser. */
export const allTokens: readonly TokenType[] = vocabulary;

/** Words that begin a declaration, a statement or a model: none of them can stand inside `(…)` or `[…]`. */
export const leadingKeywords: ReadonlySet<TokenType> = new Set([
  ModelKeyword,
  ImportKeyword,
  AxisKeyword,
  ConstKeyword,
  ParamKeyword,
  StateKeyword,
  InputKeyword,
  ExpertsKeyword,
  ExpertKeyword,
  RouterKeyword,
  FnKeyword,
  ExternKeyword,
  LetKeyword,
  UpdateKeyword,
  LossKeyword,
  OutputKeyword,
  RequireKeyword,
]);
