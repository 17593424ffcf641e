/**
 * Every diagnostic code there is, one line each, by phase. To add one: a line here, a page in `explain/`, a test that provokes it.
 * Numbers are never reused. The title is the general sentence; the message of one diagnostic names the things at hand.
 */
// prettier-ignore
export const catalogue = {
  // 00 lexing: characters, tokens, and the size of a text
  MOE0001: { title: 'this character has no meaning here' },
  MOE0002: { title: 'the file is not UTF-8' },
  MOE0003: { title: 'this string has no end' },
  MOE0004: { title: 'this escape is not known' },
  MOE0005: { title: 'this number is not written as the language writes numbers' },
  MOE0006: { title: 'a name is made of ASCII letters, digits and _' },
  MOE0007: { title: 'an invisible character stands outside a string or comment' },
  MOE0008: { title: 'an invisible character stands in a string or comment' },
  MOE0009: { title: 'this name is too long' },
  MOE0010: { title: 'the file is too large' },
  MOE0011: { title: 'brackets are nested too deeply' },
  MOE0012: { title: 'the file has too many tokens' },
  MOE0013: { title: 'too many errors: the rest is not shown' },
  MOE0014: { title: 'this expression is nested too deeply' },

  // 01 syntax: how tokens make a program
  MOE0101: { title: 'something else was expected here' },
  MOE0102: { title: 'this body ends without a value' },
  MOE0103: { title: 'this bracket is not closed' },
  MOE0104: { title: 'this bracket closes nothing' },
  MOE0105: { title: 'a keyword cannot be a name' },
  MOE0106: { title: 'an expert is a template: a signature, a body, and no axes of its own' },
  MOE0107: { title: 'experts are instances or a union: they have no signature of their own' },
  MOE0108: { title: 'the left of `:` is a name or axes in parentheses' },
  MOE0109: { title: 'the left of `:` in an index is an axis' },
  MOE0110: { title: 'a record is the result of a body and stands nowhere else' },
  MOE0111: { title: 'a tuple has two members or more' },
  MOE0112: { title: 'an arrow belongs in the type of a route' },
  MOE0113: { title: 'this type has a part that does not fit it' },
  MOE0114: { title: 'a chain or an if beside an operator needs parentheses' },
  MOE0115: { title: 'only a call stands to the right of `|>`' },
  MOE0116: { title: 'only an axis has primes' },
  MOE0117: { title: 'a part of a stored dimension is an axis, 1, `i of n` or `a .. b of n`' },
  MOE0118: { title: 'comparisons do not follow one another' },
  MOE0119: { title: 'this is said twice' },
  MOE0120: { title: 'the points of an axis are names' },
  MOE0121: { title: 'a range names the axis it makes' },
  MOE0122: { title: 'an instance has no parameters in `<…>` of its own' },
  MOE0123: { title: 'either every result has a name or none has' },

  // 02 names: what a name refers to

  // 03 axes and types
  MOE0350: { title: 'this number must be whole' },
  MOE0351: { title: 'two sizes that must be equal differ' },
  MOE0352: { title: 'an index or range leaves its axis' },
  MOE0353: { title: 'the parts of an axis do not multiply to its size' },
  MOE0354: { title: 'nothing of this name can be set from outside' },
  MOE0355: { title: 'a size or constant depends on itself' },
  MOE0356: { title: 'a value from outside does not fit' },
  MOE0357: { title: 'a division by zero' },
  MOE0358: { title: 'what is compiled cannot depend on a size of the run' },
  // 0330 and on: operands of primitives (dsl/algebra)
  MOE0330: { title: 'the element types differ' },
  MOE0331: { title: 'this element type has no such operation' },
  MOE0332: { title: 'this value does not have that axis' },
  MOE0333: { title: 'this value already has that axis' },
  MOE0334: { title: 'there is nothing to contract' },
  MOE0335: { title: 'more than one axis could be contracted' },
  MOE0336: { title: 'an axis has to be named' },
  MOE0337: { title: 'exactly one axis is wanted here' },
  MOE0338: { title: 'these indices belong to another axis' },
  MOE0339: { title: 'a tuple is not a value to compute with' },
  MOE0340: { title: 'an axis is named twice' },
  MOE0341: { title: 'a number chosen at run time has axes it may not have' },
  MOE0342: { title: 'the sizes do not fit' },
  MOE0343: { title: 'an index leaves its axis' },
  MOE0344: { title: 'a whole number is wanted here' },
  MOE0345: { title: 'there is no greatest of nothing' },

  // 04 routes and experts
  MOE0450: { title: 'more are selected than there are' },
  MOE0451: { title: 'an output is given by several calls' },
  MOE0452: { title: 'a state is updated by several calls' },
  // 0430 and on: routes as operands of primitives (dsl/algebra)
  MOE0430: { title: 'absent is not 0' },
  MOE0431: { title: 'absent points have no part in this' },
  MOE0432: { title: 'a route is wanted here' },
  MOE0433: { title: 'a dense tensor is wanted here' },
  MOE0434: { title: 'only routes over the same axes are added' },
  MOE0435: { title: 'an axis of the support is wanted here' },
  MOE0436: { title: 'a number chosen at run time needs `at_most:`' },
  MOE0437: { title: 'a route keeps at least one target' },
  MOE0438: { title: 'a route with a payload cannot stand here' },
  MOE0439: { title: 'sources, targets and payload are not mixed' },
  MOE0440: { title: 'more are chosen than there are' },
  MOE0441: { title: 'a condition is bool or a route' },

  // 05 limits and targets

  // 06 weights

  // 07 run time
  MOE0701: { title: 'a score is not a number' },
  MOE0702: { title: 'an index is outside its axis' },
  MOE0703: { title: 'there is no greatest of nothing' },
} as const satisfies Record<`MOE${number}`, { readonly title: string }>;

/** A code of the catalogue. */
export type Code = keyof typeof catalogue;

/** Whether a text, from a command line for instance, is a code. */
export function isCode(text: string): text is Code {
  return Object.hasOwn(catalogue, text);
}
