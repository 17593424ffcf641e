/** The lexer: how a text is cut into tokens, where they stand, and every error of a text at once. */
import { describe, expect, it } from 'vitest';
import { lex } from '../../dsl/syntax/lex.ts';
import { lineStarts, positionAt } from '../../dsl/diagnostics/source-file.ts';

const images = (text: string): readonly string[] => lex({ name: 'm', text }).tokens.map((token) => token.image);
const types = (text: string): readonly string[] => lex({ name: 'm', text }).tokens.map((token) => token.tokenType.name);

describe('tokens', () => {
  it('longest first', () =>
    expect(images('|>|**-><=<==!=...')).toEqual(['|>', '|', '**', '->', '<=', '<=', '=', '!=', '..', '.']));
  it('a range of numbers is three tokens', () => expect(images('0..2')).toEqual(['0', '..', '2']));
  it('numbers', () => expect(images('1 2.5 3e4 1.5E-10 7e+2')).toEqual(['1', '2.5', '3e4', '1.5E-10', '7e+2']));
  it('a minus is no part of a number', () => expect(images('-1 a-1')).toEqual(['-', '1', 'a', '-', '1']));
  it('primes belong to names', () => expect(images("T'' E'")).toEqual(["T''", "E'"]));
  it('keywords are whole words', () =>
    expect(types('expert experts expertise')).toEqual(['Expert', 'Experts', 'Name']));
  it('strings with escapes', () => expect(images('"a\\"b" "\\\\"')).toEqual(['"a\\"b"', '"\\\\"']));
  it('lookalikes are read as what they look like', () =>
    expect(types('a && b → c')).toEqual(['Name', 'And', 'Name', 'Arrow', 'Name']));
});

describe('places', () => {
  it.each([
    ['LF', 'a\nb\n c'],
    ['CRLF', 'a\r\nb\r\n c'],
    ['CR', 'a\rb\r c'],
  ])('%s ends a line', (_, text) => {
    const tokens = lex({ name: 'm', text }).tokens;
    expect(tokens.map((token) => [token.startLine, token.startColumn])).toEqual([
      [1, 1],
      [2, 1],
      [3, 2],
    ]);
  });
  it('columns count characters, not code units', () => {
    const text = '// 😀😀 x';
    expect(positionAt({ name: 'm', text }, text.indexOf('x'))).toEqual({ line: 1, column: 7 });
  });
  it('past the end is the end', () =>
    expect(positionAt({ name: 'm', text: 'ab' }, 99)).toEqual({ line: 1, column: 3 }));
  it('line starts', () => expect(lineStarts('a\n\r\nb\rc')).toEqual([0, 2, 4, 6]));
});

describe('comments', () => {
  it('are kept with their kind', () => {
    const { comments, docs, tokens } = lex({
      name: 'm',
      text: '/// doc\n/// more\na // line\n//// rule\nb /// behind\n',
    });
    expect(comments.map((comment) => [comment.kind, comment.text, comment.ownLine])).toEqual([
      ['doc', '/// doc', true],
      ['doc', '/// more', true],
      ['line', '// line', false],
      ['line', '//// rule', true],
      ['line', '/// behind', false],
    ]);
    expect(docs.get(tokens[0]?.startOffset ?? -1)).toBe('doc\nmore');
    expect(docs.size).toBe(1);
  });
  it('what cannot be seen in them is a warning, except what is no text', () => {
    const severities = lex({ name: 'm', text: '// \u202e \u0000 \ud800' }).diagnostics.map((d) => d.severity);
    expect(severities).toEqual(['warning', 'error', 'error']);
  });
});
