/** Diagnostics as a reader sees them: frames with their marks, JSON, and suggestions. */
import { describe, expect, it } from 'vitest';
import { diagnostic } from '../../dsl/diagnostics/diagnostic.ts';
import { render, renderAll, toJson, type Styler } from '../../dsl/diagnostics/render.ts';
import { didYouMean, suggest } from '../../dsl/diagnostics/suggest.ts';
import { parseFile } from '../../dsl/syntax/parse-file.ts';

const text = `model M {
  axis E = 4
  router gate(x: [D]) -> route[E] {
    param w: [E, D]
    softmax(w @ x, over: E) |> top_k(8, over: E)
  }
}`;
const source = { name: 'm.moe', text };
const at = (part: string, length = part.length, in_ = source) => {
  const start = in_.text.indexOf(part);
  return { source: in_.name, start, end: start + length };
};

describe('frames', () => {
  it('the example of the house', () => {
    const found = diagnostic('MOE0103', {
      message: 'the router selects more experts than there are',
      span: at('8, over', 1),
      label: '8 are selected here',
      labels: [{ span: at('E = 4', 1), text: 'E has 4 experts' }],
      help: 'select at most 4, or give E more experts',
    });
    expect(`\n${render(found, [source])}\n`).toBe(`
error[MOE0103]: the router selects more experts than there are
  --> m.moe:5:38
   |
 2 |   axis E = 4
   |        - E has 4 experts
 5 |     softmax(w @ x, over: E) |> top_k(8, over: E)
   |                                      ^ 8 are selected here
   = help: select at most 4, or give E more experts
   = more: moec explain MOE0103
`);
  });
  it('several labels on one line', () => {
    const found = diagnostic('MOE0103', {
      message: 'w and x have no axis in common',
      span: at('@ x', 1),
      labels: [
        { span: at('w @', 1), text: 'w is [E, D]' },
        { span: at('x, over', 1), text: 'x is [H]' },
      ],
      notes: ['a first note', 'a second,\nof two lines'],
    });
    expect(`\n${render(found, [source])}\n`).toBe(`
error[MOE0103]: w and x have no axis in common
  --> m.moe:5:15
   |
 5 |     softmax(w @ x, over: E) |> top_k(8, over: E)
   |             - ^ - x is [H]
   |             |
   |             w is [E, D]
   = note: a first note
   = note: a second,
           of two lines
   = more: moec explain MOE0103
`);
  });
  it('tabs, wide, combining and invisible characters keep the caret in its place', () => {
    const odd = { name: 'odd.moe', text: '\t// 漢字 e\u0301 \u202e 😀 x' };
    const found = diagnostic('MOE0008', { severity: 'warning', span: at('x', 1, odd) });
    expect(`\n${render(found, [odd])}\n`).toBe(`
warning[MOE0008]: an invisible character stands in a string or comment
  --> odd.moe:1:15
   |
 1 |     // 漢字 e\u0301 <U+202E> 😀 x
   |                           ^
   = more: moec explain MOE0008
`);
  });
  it('several files, and a file that is not at hand', () => {
    const other = { name: 'std/experts.moe', text: 'expert A(x: [D]) -> [D] { x }' };
    const found = diagnostic('MOE0103', {
      message: 'declared twice',
      span: at('gate'),
      labels: [
        { span: at('A(x', 1, other), text: 'first here' },
        { span: { source: 'lost.moe', start: 3, end: 4 }, text: 'and here' },
      ],
    });
    expect(`\n${render(found, [source, other])}\n`).toBe(`
error[MOE0103]: declared twice
  --> m.moe:3:10
   |
 3 |   router gate(x: [D]) -> route[E] {
   |          ^^^^
  ::: std/experts.moe:1:8
   |
 1 | expert A(x: [D]) -> [D] { x }
   |        - first here
  ::: lost.moe
   = more: moec explain MOE0103
`);
  });
  it('a place of several lines is marked on its first, the end of the file after its last character', () => {
    const lines = { name: 'l.moe', text: 'model M {\n  axis T' };
    expect(render(diagnostic('MOE0103', { span: { source: 'l.moe', start: 6, end: 18 } }), [lines])).toContain(
      '\n   |       ^^^\n',
    );
    expect(render(diagnostic('MOE0103', { span: { source: 'l.moe', start: 18, end: 18 } }), [lines])).toContain(
      '\n   |         ^\n',
    );
  });
  it('without a place there is no frame', () => {
    expect(render(diagnostic('MOE0002', { message: 'm is not UTF-8' }), [])).toBe(
      'error[MOE0002]: m is not UTF-8\n   = more: moec explain MOE0002',
    );
  });
  it('a line of a megabyte is cut around the mark', () => {
    const long = { name: 'long.moe', text: `${'a '.repeat(300_000)}#${' b'.repeat(200_000)}` };
    const frame = render(diagnostic('MOE0001', { span: at('#', 1, long) }), [long]);
    const [shown = '', carets = ''] = frame.split('\n').slice(3);
    expect(frame.length).toBeLessThan(1000);
    expect(shown[carets.indexOf('^')]).toBe('#');
  });
  it('colours come from the caller', () => {
    const tag = (name: string) => (written: string) => `<${name}>${written}</${name}>`;
    const styler: Styler = {
      error: tag('e'),
      warning: tag('w'),
      message: tag('m'),
      gutter: tag('g'),
      secondary: tag('s'),
    };
    const painted = render(
      diagnostic('MOE0103', { span: at('gate', 1), label: 'here', labels: [{ span: at('x:', 1), text: 'there' }] }),
      [source],
      styler,
    );
    expect(painted).toContain('<e>error[MOE0103]</e>');
    expect(painted).toContain('<e>^</e>');
    expect(painted).toContain('<s>there</s>');
  });
  it('frames of real mistakes', () => {
    const wrong = {
      name: 'wrong.moe',
      text: 'model M {\n  axis T = \n  fn f(x: [T]) -> [T] {\n    let y = f(x\n    y |> g * 2\n    -y\n  }\n}\n',
    };
    expect(renderAll(parseFile(wrong).diagnostics, [wrong])).toMatchSnapshot();
  });
});

describe('JSON', () => {
  it('has lines and columns, and survives JSON', () => {
    const { diagnostics } = parseFile({ name: 'j.moe', text: 'model M {\n  axis T;\n}' });
    const json = diagnostics.map((d) => toJson(d, [{ name: 'j.moe', text: 'model M {\n  axis T;\n}' }]));
    expect(JSON.parse(JSON.stringify(json))).toEqual([
      {
        code: 'MOE0001',
        severity: 'error',
        message: '`;` has no meaning here',
        span: { source: 'j.moe', start: 18, end: 19, line: 2, column: 9, endLine: 2, endColumn: 10 },
        labels: [],
        help: 'statements need no separator: remove it',
      },
    ]);
  });
});

describe('did you mean', () => {
  const names = ['softmax', 'top_k', 'sigmoid', 'T', 'E', 'gate', 'rank'];
  it.each([
    ['sofmax', 'softmax'],
    ['topk', 'top_k'],
    ['SOFTMAX', 'softmax'],
    ['gaet', 'gate'],
    ['D', undefined],
    ['e', 'E'],
    ['entirely_else', undefined],
    ['gate', undefined],
    ['', undefined],
  ])('%s: %s', (name, expected) => expect(suggest(name, names)).toBe(expected));
  it('as a help line', () => expect(didYouMean('sofmax', names)).toBe('did you mean `softmax`?'));
  it('looks at a bounded number of candidates', () => {
    const many = function* (): Generator<string> {
      for (let i = 0; i < 400; i++) yield `name_${i}`;
      throw new Error('too far');
    };
    expect(() => suggest('nam', many())).toThrow();
    const endless = function* (): Generator<string> {
      for (;;) yield 'other_name';
    };
    expect(suggest('nam', endless())).toBeUndefined();
  });
});
