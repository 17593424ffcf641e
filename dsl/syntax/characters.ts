/**
 * What characters mean outside of ASCII, and what people type when they mean one of our symbols.
 *
 * Two hazards of Unicode in programs are dealt with here: characters that cannot be seen (bidirectional controls
 * reorder what a reader sees, U+2028 ends a line in JavaScript), and letters that look like other letters. The first
 * are refused outside strings and comments and warned about inside; the second never make a name, because names are
 * ASCII.
 */

/**
 * Ranges of code points that show nothing, or change how their neighbours are shown; tab, LF and CR are not among them.
 */
const invisibleRanges: readonly (readonly [number, number])[] = [
  [0x00, 0x08],
  [0x0b, 0x0c],
  [0x0e, 0x1f],
  [0x7f, 0xa0], // DEL, C1 controls, no-break space
  [0xad, 0xad], // soft hyphen
  [0x34f, 0x34f],
  [0x61c, 0x61c], // Arabic letter mark
  [0x115f, 0x1160],
  [0x1680, 0x1680],
  [0x17b4, 0x17b5],
  [0x180b, 0x180e],
  [0x2000, 0x200f], // spaces of many widths, zero-width ones, direction marks
  [0x2028, 0x202f], // line and paragraph separators, bidirectional embeddings and overrides
  [0x205f, 0x206f], // word joiner, bidirectional isolates
  [0x3000, 0x3000],
  [0x3164, 0x3164],
  [0xfeff, 0xfeff], // byte order mark, anywhere but at the start
  [0xffa0, 0xffa0],
  [0xfff9, 0xfffb],
  [0xe0000, 0xe0fff], // tags and supplementary variation selectors
];

/** Whether a code point cannot be seen by a reader. */
export function isInvisible(codePoint: number): boolean {
  return invisibleRanges.some(([first, last]) => codePoint >= first && codePoint <= last);
}

/** Half of a surrogate pair on its own: not text at all, and not writable as UTF-8. */
export function isLoneSurrogate(codePoint: number): boolean {
  return codePoint >= 0xd800 && codePoint <= 0xdfff;
}

/** `U+202E` */
export function codePointName(codePoint: number): string {
  return `U+${codePoint.toString(16).toUpperCase().padStart(4, '0')}`;
}

/**
 * What is often written for one of our symbols: read as the symbol, so that the rest of the file is understood, and
 * reported with the edit. The longest match counts.
 */
export const lookalikes: ReadonlyMap<string, string> = new Map([
  ['&&', 'and'],
  ['||', 'or'],
  ['!', 'not'],
  ['=>', '->'],
  ['→', '->'],
  ['⇒', '->'],
  ['−', '-'],
  ['–', '-'],
  ['×', '*'],
  ['·', '*'],
  ['∗', '*'],
  ['÷', '/'],
  ['≤', '<='],
  ['≥', '>='],
  ['≠', '!='],
  ['∈', 'in'],
  ['∞', 'inf'],
  ['…', '..'],
]);

/**
 * Operators on bits, which the language does not have: what to write instead, and the symbol by which the rest is understood.
 * `|` is a symbol of the language, between the members of a union; elsewhere the parser meets it.
 */
export const bitOperators: ReadonlyMap<string, { readonly help: string; readonly readAs: string }> = new Map([
  ['&', { help: 'both conditions: `a and b`; the low bits of an i32: `x % 8` is x & 7', readAs: '*' }],
  ['|', { help: 'either condition: `a or b`; bits of an i32 that do not overlap: `a + b`', readAs: '+' }],
  [
    '^',
    {
      help: 'a power: `a ** b`; exactly one of two conditions: `a != b`; of whole numbers 0 and 1: `(a + b) % 2`',
      readAs: '**',
    },
  ],
  ['~', { help: 'the opposite of a condition: `not a`; of an i32: `-x - 1`', readAs: '-' }],
  ['<<', { help: 'of an i32: `x * 8` is x << 3', readAs: '*' }],
  ['>>>', { help: 'of an i32 from 0 up: `x / 8` is x >>> 3', readAs: '/' }],
  ['>>', { help: 'of an i32: `x / 8` is x >> 3, since it rounds down', readAs: '/' }],
]);

/** Symbols that are only separators elsewhere: skipped. The text says what to do instead. */
export const strayHelp: ReadonlyMap<string, string> = new Map([
  [';', 'statements need no separator: remove it'],
  ["'", 'texts stand in double quotes'],
  ['`', 'texts stand in double quotes'],
  ['“', 'texts stand in double quotes'],
  ['”', 'texts stand in double quotes'],
  ['#', 'comments begin with `//`'],
  ['?', '`where(c, a, b)` chooses by data, `if c { a } else { b }` by what is known when compiling'],
]);

/** Letters, digits and marks of any script: what a name would be made of if names were not ASCII. */
export function isWordCharacter(character: string): boolean {
  return /^[\p{L}\p{N}\p{M}_]$/u.test(character);
}

/** Letters of other scripts that look like an ASCII letter, for the help of MOE0006. Not complete: it need not be. */
const homoglyphs: ReadonlyMap<string, string> = new Map(
  Object.entries({ а: 'a', е: 'e', о: 'o', р: 'p', с: 'c', х: 'x', у: 'y', і: 'i', ѕ: 's', ј: 'j', ԁ: 'd', һ: 'h' })
    .concat(Object.entries({ А: 'A', В: 'B', Е: 'E', К: 'K', М: 'M', Н: 'H', О: 'O', Р: 'P', С: 'C', Т: 'T', Х: 'X' }))
    .concat(Object.entries({ Α: 'A', Β: 'B', Ε: 'E', Ζ: 'Z', Η: 'H', Ι: 'I', Κ: 'K', Μ: 'M', Ν: 'N', Ο: 'O', Ρ: 'P' }))
    .concat(Object.entries({ Τ: 'T', Υ: 'Y', Χ: 'X', ο: 'o', ν: 'v' })),
);

/** Names of Greek letters, which papers use: `λ` is written `lambda`. */
const greek: ReadonlyMap<string, string> = new Map(
  Object.entries({
    α: 'alpha',
    β: 'beta',
    γ: 'gamma',
    δ: 'delta',
    ε: 'epsilon',
    ζ: 'zeta',
    η: 'eta',
    θ: 'theta',
    ι: 'iota',
  })
    .concat(Object.entries({ κ: 'kappa', λ: 'lambda', μ: 'mu', ξ: 'xi', π: 'pi', ρ: 'rho', σ: 'sigma', τ: 'tau' }))
    .concat(Object.entries({ υ: 'upsilon', φ: 'phi', χ: 'chi', ψ: 'psi', ω: 'omega' })),
);

/** The ASCII name that was probably meant, if every character has a reading. */
export function asciiName(word: string): string | undefined {
  let result = '';
  for (const character of word.normalize('NFD').replace(/\p{M}/gu, '')) {
    const ascii = /^\w$/.test(character) ? character : (homoglyphs.get(character) ?? greek.get(character));
    if (ascii === undefined) return undefined;
    result += ascii;
  }
  return /^[A-Za-z_]/.test(result) ? result : undefined;
}
