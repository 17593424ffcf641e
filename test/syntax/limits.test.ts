/** Every limit at its cap less one, at its cap, and one beyond. */
import { describe, expect, it } from 'vitest';
import { decodeSource } from '../../dsl/syntax/decode.ts';
import { lex } from '../../dsl/syntax/lex.ts';
import { limits } from '../../dsl/syntax/text-limits.ts';
import { format } from '../../dsl/syntax/print-ast.ts';
import { parse } from './support.ts';

const codes = (text: string): readonly string[] => [...new Set(parse(text).diagnostics.map((d) => d.code))];
const body = (text: string): string => `fn f(x: [T]) -> [T] { ${text} }`;
const around = (cap: number): readonly number[] => [cap - 1, cap, cap + 1];

describe('limits', () => {
  it.each(around(limits.sourceBytes))('a source of %i bytes', (bytes) => {
    const expected = bytes > limits.sourceBytes ? ['MOE0010'] : [];
    expect(codes('\n'.repeat(bytes))).toEqual(expected);
    expect(decodeSource('m', new Uint8Array(bytes).fill(32)).ok).toBe(bytes <= limits.sourceBytes);
  });
  it('counts bytes, not characters', () => {
    expect(codes(`//${'é'.repeat(limits.sourceBytes / 2 - 1)}`)).toEqual([]);
    expect(codes(`//${'é'.repeat(limits.sourceBytes / 2)}`)).toEqual(['MOE0010']);
  });
  it.each(around(limits.tokens))('%i tokens', (count) => {
    const source = { name: 'm', text: 'a '.repeat(count) };
    expect(lex(source).diagnostics.map((d) => d.code)).toEqual(count > limits.tokens ? ['MOE0012'] : []);
    if (count > limits.tokens) expect(codes(source.text)).toEqual(['MOE0012']);
  });
  it.each(around(limits.nesting))('%i brackets inside one another', (depth) => {
    const inner = depth - 1; // the braces of the body are the first
    for (const text of [
      '('.repeat(inner) + 'x' + ')'.repeat(inner),
      'f('.repeat(inner) + 'x' + ')'.repeat(inner),
      'x[T: '.repeat(inner) + '0' + ']'.repeat(inner),
    ])
      expect(codes(body(text))).toEqual(depth > limits.nesting ? ['MOE0011'] : []);
    const ifs = 'if c { '.repeat(inner) + 'x' + ' } else { x }'.repeat(inner);
    expect(codes(body(ifs))).toEqual(depth > limits.nesting ? ['MOE0011'] : []);
  });
  // The declaration, its definition and the body are three nodes above the expression; a sum of n terms is n deep.
  it.each(around(limits.depth))('a tree %i deep', (depth) => {
    const terms = depth - 3;
    const expected = depth > limits.depth ? ['MOE0014'] : [];
    expect(codes(body(`x${' ** x'.repeat(terms - 1)}`))).toEqual(expected);
    expect(codes(body(`${'- '.repeat(terms - 1)}x`))).toEqual(expected);
    expect(codes(body(`x${'.a'.repeat(terms - 2)}`))).toEqual(depth - 1 > limits.depth ? ['MOE0014'] : []);
  });
  it.each(around(limits.row))('%i levels of which most are a row', (levels) => {
    const expected = levels > limits.row ? ['MOE0014'] : [];
    for (const step of [' + x', ' and x']) expect(codes(body(`x${step.repeat(levels - 4)}`))).toEqual(expected);
  });
  it('the deepest tree can be printed', () => {
    const text = body(`x${' + x'.repeat(limits.row - 4)}`);
    const printed = format({ name: 'm', text });
    expect(printed.ok && parse(printed.text).diagnostics).toEqual([]);
  });
  it.each(around(limits.nameLength))('a name of %i characters', (length) => {
    expect(codes(body('a'.repeat(length)))).toEqual(length > limits.nameLength ? ['MOE0009'] : []);
  });
  it.each(around(limits.numberLength))('a number of %i digits', (length) => {
    expect(codes(body('1'.repeat(length)))).toEqual(length > limits.numberLength ? ['MOE0005'] : []);
  });
  it.each(around(limits.errors))('%i errors', (count) => {
    const { diagnostics } = parse(body(`let a = 1_0\n`.repeat(count) + 'x'));
    expect(diagnostics).toHaveLength(Math.min(count, limits.errors + 1));
    expect(diagnostics.at(-1)?.code).toBe(count > limits.errors ? 'MOE0013' : 'MOE0005');
  });
});

describe('long texts without brackets do not exhaust the stack', () => {
  it.each([
    ['sum', body(`x${' + x'.repeat(50_000)}`)],
    ['contractions', body(`x${' @ x'.repeat(50_000)}`)],
    ['powers', body(`x${' ** x'.repeat(50_000)}`)],
    ['minus signs', body(`${'-'.repeat(100_000)}x`)],
    ['nots', body(`${'not '.repeat(50_000)}x`)],
    ['calls', body(`x${'()'.repeat(50_000)}`)],
    ['else ifs', body(`if a { b } ${'else if a { b } '.repeat(10_000)}else { b }`)],
    ['pipes', body(`x${' |> f'.repeat(50_000)}`)],
  ])('%s', (_, text) => expect(codes(text)).toEqual(['MOE0014']));

  it.each([
    ['openers', '('.repeat(100_000), 'MOE0011'],
    ['closers', '}'.repeat(100_000), 'MOE0104'],
    ['operators', '@'.repeat(100_000), 'MOE0101'],
    ['keywords', 'let '.repeat(50_000), 'MOE0101'],
    ['entries', `model M { ${'f(x) -> '.repeat(20_000)} }`, 'MOE0101'],
    ['values', body('x '.repeat(50_000)), 'MOE0124'],
    ['quotes', '"\n'.repeat(50_000), 'MOE0003'],
    ['one long string', `"${'a'.repeat(500_000)}`, 'MOE0003'],
    ['noise', '# '.repeat(100_000), 'MOE0001'],
  ])('%s', (_, text, code) => expect(codes(text)).toContain(code));
});

describe('bytes', () => {
  const decode = (...bytes: number[]) => decodeSource('m', Uint8Array.from(bytes));
  it.each([
    [[0x61, 0xff], 1],
    [[0xc0, 0x80], 0], // overlong
    [[0x61, 0xed, 0xa0, 0x80], 1], // a surrogate
    [[0xf4, 0x90, 0x80, 0x80], 0], // past U+10FFFF
    [[0x61, 0x80], 1],
    [[0xe2, 0x28, 0xa1], 0],
  ])('%j is not UTF-8 from byte %i', (bytes, offset) => {
    const result = decode(...bytes);
    expect(!result.ok && result.diagnostics.map((d) => d.code)).toEqual(['MOE0002']);
    expect(!result.ok && result.diagnostics[0]?.message).toContain(`at offset ${offset}`);
  });
  it('a cut-off character is told apart', () => {
    const result = decode(0x61, 0xe2, 0x82);
    expect(!result.ok && result.diagnostics[0]?.message).toContain('cut off');
  });
  it('one byte order mark is dropped, a second is not', () => {
    const once = decode(0xef, 0xbb, 0xbf, 0x61);
    expect(once.ok && once.source.text).toBe('a');
    const twice = decode(0xef, 0xbb, 0xbf, 0xef, 0xbb, 0xbf, 0x61);
    expect(twice.ok && lex(twice.source).diagnostics.map((d) => d.code)).toEqual(['MOE0007']);
  });
});
