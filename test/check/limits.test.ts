/**
 * Long programs: chains of declarations that are as long as a file allows are not deep, statics that double do not grow without
 * bound, and the time is not quadratic in any of them.
 */
import { describe, expect, test } from 'vitest';
import { checkText } from './support.ts';

const lines = (n: number, line: (i: number) => string): string =>
  Array.from({ length: n }, (_, i) => line(i)).join('\n');
const model = (decls: string, body = 'x'): string =>
  `model M {\naxis T, D = 4\n${decls}\nforward(x: [T, D]) -> [T, D] { ${body} }\n}`;

describe('long programs', () => {
  test('a chain of axes, each made of the next', () => {
    const n = 8000;
    const { diagnostics } = checkText(model(`${lines(n, (i) => `axis A${i} = A${i + 1} + 1`)}\naxis A${n} = 1`));
    expect(diagnostics).toEqual([]);
  });

  test('a chain of functions, each calling the next', () => {
    const n = 3000;
    const fns = lines(n, (i) => `fn g${i}(x: [D]) -> [D] { g${i + 1}(x) }`);
    const { diagnostics } = checkText(model(`${fns}\nfn g${n}(x: [D]) -> [D] { x }`, 'g0(x)'));
    expect(diagnostics).toEqual([]);
  });

  test('a circle of thousands', () => {
    const n = 3000;
    const { diagnostics } = checkText(model(lines(n, (i) => `const c${i} = c${(i + 1) % n}`)));
    expect(diagnostics.map((d) => d.code)).toEqual(['MOE0206']);
    expect(diagnostics[0]?.message.length).toBeLessThan(400);
  });

  test('many lets in one body', () => {
    const n = 5000;
    const { diagnostics } = checkText(
      model('', `${lines(n, (i) => `let v${i} = ${i === 0 ? 'x' : `v${i - 1}`} + 1`)}\nv${n - 1}`),
    );
    expect(diagnostics).toEqual([]);
  });

  test('lets of statics that double are refused, not written out', () => {
    const { places } = checkText(
      model('', `let a0 = T + 1\n${lines(60, (i) => `let a${i + 1} = a${i} * a${i}`)}\nx * a60`),
    );
    expect(places).toEqual(['MOE0318 15:11']);
  });

  test('consts that double are computed once each', () => {
    const { diagnostics } = checkText(
      model(`const a0 = 2\n${lines(60, (i) => `const a${i + 1} = a${i} + a${i}`)}`, 'x * a60'),
    );
    expect(diagnostics).toEqual([]);
  });

  test('a name that is unknown a thousand times is one mistake', () => {
    const { diagnostics } = checkText(model(lines(1000, (i) => `param w${i}: [Q, D]`)));
    expect(diagnostics.map((d) => d.code)).toEqual(['MOE0201']);
    expect(diagnostics[0]?.labels.length).toBe(3);
  });

  test('many unions of unions', () => {
    const n = 200;
    const unions = lines(n, (i) => `experts u${i}[P${i}] = ${i === 0 ? 'e' : `u${i - 1}`} | e`);
    const { diagnostics } = checkText(model(`expert Copy(x: [D]) -> [D] { x }\nexperts e = Copy\n${unions}`));
    expect(diagnostics).toEqual([]);
  });
});
