/** The formatter: printing what was parsed loses nothing, and a text that was laid out is laid out as it is. */
import { describe, expect, it } from 'vitest';
import { format, printFile } from '../../dsl/syntax/print-ast.ts';
import { parseFile } from '../../dsl/syntax/parse-file.ts';
import { library, programs, withoutSpans } from './support.ts';

function formatted(text: string): string {
  const result = format({ name: 'test.moe', text });
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics));
  return result.text;
}

describe('the laws of printing', () => {
  it.each([...programs, ...library].map((source) => [source.name, source] as const))('%s', (_, source) => {
    const first = parseFile(source);
    const text = printFile(first.file, source, first.comments);
    const second = parseFile({ name: source.name, text });
    expect(second.diagnostics).toEqual([]);
    // The tree survives,
    expect(withoutSpans(second.file)).toBe(withoutSpans(first.file));
    // so do the comments,
    expect(second.comments.map((comment) => comment.text)).toEqual(first.comments.map((comment) => comment.text));
    // and printing again changes nothing.
    expect(printFile(second.file, { name: source.name, text }, second.comments)).toBe(text);
    const tooLong = text.split('\n').filter((line) => !line.includes('//') && line.length > 120);
    expect(tooLong).toEqual([]);
  });
});

describe('layout', () => {
  it('spaces, trailing commas and needless parentheses are made canonical', () => {
    expect(formatted('model M{axis T ,D=4\nforward( x:[T,D] , )->[T,D]{ ( (x)*(2) ) }}')).toBe(
      'model M {\n  axis T, D = 4\n  forward(x: [T, D]) -> [T, D] { x * 2 }\n}\n',
    );
  });
  it('parentheses that are needed, or that help an operand, stay', () => {
    for (const e of [
      '(a + b) * c',
      'a - (b - c)',
      '(a @ b) @ c',
      '(-a) ** b',
      '(w1 @ x) * (w2 @ x)',
      '(if c { a } else { b }) + 1',
      '(a |> f) + 1',
    ])
      expect(formatted(`fn f(a: [T]) -> [T] { ${e} }`)).toBe(`fn f(a: [T]) -> [T] { ${e} }\n`);
  });
  it('empty lines are kept, one at most; comments too', () => {
    const text = [
      '// head',
      '',
      'model M {',
      '  // first',
      '',
      '  axis T    // tokens',
      '  const long_name = 1    // another',
      '',
      '  /// Documented.',
      '  forward(x: [T]) -> [T] {',
      '    // before',
      '    x    // behind',
      '    // after',
      '  }',
      '  // last',
      '}',
      '// end',
      '',
    ].join('\n');
    const spaced = text.replaceAll('\n\n', '\n\n\n\n');
    const expected = text.replace('  axis T    // tokens', `  axis T${' '.repeat(17)}// tokens`);
    expect(formatted(spaced)).toBe(expected);
    expect(formatted(expected)).toBe(expected);
  });
  it('a comment inside an expression goes before its statement', () => {
    expect(formatted('fn f(a: [T]) -> [T] {\n  let b = a // one\n    + a // two\n  b\n}')).toBe(
      'fn f(a: [T]) -> [T] {\n  // one\n  let b = a + a    // two\n  b\n}\n',
    );
  });
  it('long lists break inside their brackets, operators before themselves', () => {
    const long = Array.from({ length: 14 }, (_, i) => `argument_${i}`);
    const text = formatted(`fn f(a: [T]) -> [T] {\n  let s = ${long.join(' + ')}\n  g(${long.join(', ')})\n}`);
    expect(text).toMatchSnapshot();
  });
  it('an empty file is empty, a file of comments is its comments', () => {
    expect(formatted('')).toBe('');
    expect(formatted('  // only\n')).toBe('// only\n');
  });
  it('refuses a file with errors', () => expect(format({ name: 'm', text: 'model' }).ok).toBe(false));
});
