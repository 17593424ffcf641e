/**
 * How large a text may be. Every limit is a diagnostic, never a stack overflow or a hang; tests hold each at its cap
 * and one beyond.
 */
export const limits = {
  /** Bytes of UTF-8, checked before anything is read. */
  sourceBytes: 1024 * 1024,
  tokens: 200_000,
  /** Brackets of any kind inside one another, checked on the tokens, before the parser recurses. */
  nesting: 64,
  /** Nodes of the tree from a declaration down, steps to the first operand of an operator or a pipe aside. */
  depth: 512,
  /** The same with those steps: a sum of so many terms. What recursive visits of the tree rely on. */
  row: 1536,
  /** Characters of a name, primes included. */
  nameLength: 64,
  /** Characters of a number. */
  numberLength: 64,
  /** Diagnostics shown for one file. */
  errors: 50,
} as const;
