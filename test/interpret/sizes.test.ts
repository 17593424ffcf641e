/** The text of a size is a program's text: read again, it is the same number. */
import { describe, expect, test } from 'vitest';
import { apply, asNumber, exact, formatSize, substitute, type Size, type SizeOp } from '../../dsl/types/size.ts';
import type { AstExpr } from '../../dsl/syntax/ast.ts';
import { diagnosticsOf } from '../language/support.ts';
import { bodyOf } from '../syntax/support.ts';

const dynamic = (axis: string): Size => ({ kind: 'dynamic', axis });
const [a, b, c] = [dynamic('A'), dynamic('B'), dynamic('C')];
const sizes = new Map([
  ['A', 7],
  ['B', 3],
  ['C', 2],
]);

function valueOf(expr: AstExpr): number {
  switch (expr.kind) {
    case 'Number':
      return expr.value;
    case 'Name':
      return sizes.get(expr.name) ?? NaN;
    case 'Unary':
      return -valueOf(expr.operand);
    case 'Call': {
      const args = expr.args.map((arg) => valueOf(arg.value));
      return expr.callee.kind === 'Name' && expr.callee.name === 'max' ? Math.max(...args) : NaN;
    }
    case 'Binary': {
      const [x, y] = [valueOf(expr.left), valueOf(expr.right)];
      const results = { '+': x + y, '-': x - y, '*': x * y, '/': x / y, '%': x - Math.floor(x / y) * y, '**': x ** y };
      return results[expr.op];
    }
    default:
      return NaN;
  }
}

describe('formatSize', () => {
  const op = (name: SizeOp, ...args: readonly Size[]): Size => ({ kind: 'op', op: name, args });

  test.each<readonly [string, Size]>([
    ['A - (B - C)', op('sub', a, op('sub', b, c))],
    ['A - B - C', op('sub', op('sub', a, b), c)],
    ['A - (B + C)', op('sub', a, op('add', b, c))],
    ['A + B + C', op('add', a, op('add', b, c))],
    ['A / (B * C)', op('div', a, op('mul', b, c))],
    ['A / (B / C)', op('div', a, op('div', b, c))],
    ['A / B / C', op('div', op('div', a, b), c)],
    ['A % (B % C)', op('mod', a, op('mod', b, c))],
    ['(A ** B) ** C', op('pow', op('pow', a, b), c)],
    ['A ** B ** C', op('pow', a, op('pow', b, c))],
    ['A / (1/2)', op('div', a, exact(1, 2))],
    ['A ** (1/2)', op('pow', a, exact(1, 2))],
    ['(-3) ** B', op('pow', exact(-3), b)],
    ['1/2 * A', op('mul', exact(1, 2), a)],
    ['max(A - B, C)', op('max', op('sub', a, b), c)],
  ])('%s', (text, size) => {
    expect(formatSize(size)).toBe(text);
  });

  test('is read again as the same number, whatever is in whatever', () => {
    const ops: readonly SizeOp[] = ['add', 'sub', 'mul', 'div', 'mod', 'pow', 'max'];
    const leaves: readonly Size[] = [a, b, c, exact(1, 2), exact(-3), exact(5)];
    const wrong: string[] = [];
    for (const outer of ops)
      for (const inner of ops)
        for (const x of leaves)
          for (const y of leaves)
            for (const z of [b, exact(3, 2), exact(-2)])
              for (const size of [apply(outer, apply(inner, x, y), z), apply(outer, z, apply(inner, x, y))]) {
                const text = formatSize(size);
                // A constant division by 0, which no program gets past, and a number beyond the doubles, which none can write.
                if (/Infinity|NaN|\d{65}/.test(text)) continue;
                const [is, reads] = [asNumber(substitute(size, sizes)) ?? NaN, valueOf(bodyOf(text).result)];
                const near = Object.is(is, reads) || Math.abs(is - reads) <= 1e-9 * Math.abs(is);
                if (!near && !(Number.isNaN(is) && Number.isNaN(reads))) wrong.push(`${text}: ${is}, ${reads}`);
              }
    expect(wrong).toEqual([]);
  });
});

/** What is said of an axis P. */
const saidOf = (size: string): readonly (string | undefined)[] =>
  diagnosticsOf(
    `model M { axis T, D = 7, P = ${size}\n forward(x: [T, D]) -> [T, D] { x + sum(zeros[P], over: P) } }`,
  ).flatMap(({ code, message, help }) => [code, message, help]);

test.each([
  ['D / 2', 'the size of P is 7/2, which is no whole number from 0 upward', 'say floor or ceil'],
  ['D - 9', 'the size of P is -2, which is no whole number from 0 upward', undefined],
  ['sqrt(4)', 'the size of P is 2 in float arithmetic, which is not exact', expect.stringContaining('floor')],
  ['2 ** 0.5 * 2 ** 0.5', expect.stringContaining('in float arithmetic'), expect.stringContaining('floor')],
])('an axis of size %s is refused for what it is', (size, message, help) => {
  expect(saidOf(size)).toEqual(['MOE0350', message, help]);
});

test.each(['floor(sqrt(4))', '2 ** 100 / 2 ** 99', 'ceil(log(7))'])('an axis of size %s has 2 points', (size) => {
  expect(saidOf(size)).toEqual([]);
});
