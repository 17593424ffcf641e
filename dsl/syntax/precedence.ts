/**
 * How tightly operators bind: the one table behind reading (`build-ast.ts`) and parentheses (`print-ast.ts`).
 *
 * From loose to tight: `|>`, `or`, `and`, `not`, comparisons (which do not follow one another), `+ -`, `* / %`, `@`
 * (to the right), unary `-`, `**` (to the right), then calls, indices and paths.
 */

export const levels = {
  pipe: 1,
  or: 2,
  and: 3,
  not: 4,
  compare: 5,
  sum: 6,
  product: 7,
  dot: 8,
  negate: 9,
  power: 10,
  postfix: 11,
} as const;

export interface BinaryOperator {
  readonly level: number;
  /** `none`: `a < b < c` is a mistake. */
  readonly associates: 'left' | 'right' | 'none';
}

const left = (level: number): BinaryOperator => ({ level, associates: 'left' });
const right = (level: number): BinaryOperator => ({ level, associates: 'right' });
const compare: BinaryOperator = { level: levels.compare, associates: 'none' };

export const binaryOperators: ReadonlyMap<string, BinaryOperator> = new Map([
  ['or', left(levels.or)],
  ['and', left(levels.and)],
  ['==', compare],
  ['!=', compare],
  ['<', compare],
  ['<=', compare],
  ['>', compare],
  ['>=', compare],
  ['+', left(levels.sum)],
  ['-', left(levels.sum)],
  ['*', left(levels.product)],
  ['/', left(levels.product)],
  ['%', left(levels.product)],
  ['@', right(levels.dot)],
  ['**', right(levels.power)],
]);

export const prefixOperators: ReadonlyMap<string, number> = new Map([
  ['not', levels.not],
  ['-', levels.negate],
]);
