/**
 * How wide text is on a terminal, so that a caret stands under what it points at.
 */

/** Tabs stop at every fourth column. */
const tabWidth = 4;

const wideRanges: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0x9fff],
  [0xa000, 0xa4cf],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1faff],
  [0x20000, 0x3fffd],
];

/**
 * Text of unknown origin (paths, names of tensors, messages of foreign code) made safe for a terminal: what could steer it, or
 * reorder the line, is shown by its number, as `\\u{1b}`. Line ends and tabs are kept.
 */
export function showText(text: string): string {
  return text.replace(/[^\n\t\P{Cc}]|[\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, hiddenCharacter);
}

/** As `showText` for what has to stay on one line: line ends and tabs by their numbers too. */
export function showName(name: string): string {
  return name.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, hiddenCharacter);
}

function hiddenCharacter(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

/** A character as it is shown: what cannot be seen, or would reorder the line, by its number. */
function shownCharacter(character: string, column: number): string {
  const point = character.codePointAt(0) ?? 0;
  if (character === '\t') return ' '.repeat(tabWidth - (column % tabWidth));
  if (point >= 32 && point < 127) return character;
  const hidden = /^[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}]$/u.test(character);
  return hidden ? `<U+${point.toString(16).toUpperCase().padStart(4, '0')}>` : character;
}

function characterWidth(character: string): number {
  const point = character.codePointAt(0) ?? 0;
  if (point < 0x300) return 1;
  if (/^\p{M}$/u.test(character)) return 0;
  return wideRanges.some(([first, last]) => point >= first && point <= last) ? 2 : 1;
}

/** A line as shown, and for every offset in it (its length included) the column where that character begins, from 0. */
export interface ShownLine {
  readonly text: string;
  readonly columns: readonly number[];
}

export function showLine(line: string): ShownLine {
  const columns: number[] = [];
  let text = '';
  let column = 0;
  for (const character of line) {
    for (let unit = 0; unit < character.length; unit++) columns.push(column);
    const shown = shownCharacter(character, column);
    text += shown;
    column += shown.length > 2 || character === '\t' ? shown.length : characterWidth(character);
  }
  columns.push(column);
  return { text, columns };
}
