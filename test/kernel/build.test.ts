/** Building kernels: what construction simplifies changes no value, and what is ill-typed is refused where it is made. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CompilerBug } from '../../dsl/diagnostics/bug.ts';
import {
  add,
  and,
  assign,
  atomic,
  binary,
  bool,
  convert,
  div,
  eq,
  f32,
  forRange,
  ge,
  globalIdX,
  i32,
  load,
  local,
  lt,
  mul,
  neg,
  not,
  or,
  rem,
  select,
  sqrt,
  shl,
  store,
  sub,
  u32,
  when,
} from '../../compiler/kernel/make-expressions.ts';
import { compileKernel } from '../../compiler/kernel/interpret-kernel.ts';
import type { BufferDecl, KernelExpr } from '../../compiler/kernel/kernel-ir.ts';
import { KernelBuilder } from '../../compiler/kernel/kernel-builder.ts';
import { printExpr, printKernel } from '../../compiler/kernel/print-kernel.ts';
import { builtAgain, OUTPUTS, launchOn, randomInputs, randomKernel } from './random-kernels.ts';

const i = local('i', 'u32');
const j = local('j', 'u32');
const s = local('s', 'i32');
const x = local('x', 'f32');

describe('simplification at construction', () => {
  it.each<[KernelExpr, string]>([
    [add(i, 0), 'i'],
    [add(0, i), 'i'],
    [mul(i, 1), 'i'],
    [mul(i, 0), '0'],
    [add(mul(i, 1), mul(j, 0)), 'i'],
    [add(add(i, 3), 4), 'i + 7'],
    [mul(mul(i, 3), 4), 'i * 12'],
    [add(u32(4294967295), u32(2)), '1'],
    [add(4, i), 'i + 4'],
    [sub(i, i), '0'],
    [div(i, 1), 'i'],
    [rem(i, 1), '0'],
    [div(i, 0), 'i'],
    [rem(i, 0), '0'],
    [shl(i, 33), 'i << 1'],
    [lt(i, 0), 'false'],
    [ge(i, 0), 'true'],
    [eq(i, i), 'true'],
    [not(lt(i, j)), 'i >= j'],
    [and(bool(true), lt(i, j)), 'i < j'],
    [or(bool(true), lt(i, j)), 'true'],
    [select(bool(false), i, j), 'j'],
    [neg(neg(s)), 's'],
    [convert('u32', i), 'i'],
    [convert('f32', u32(3)), '3.0'],
    // Floats: only what is exact, and never to an infinity.
    [mul(x, 1), 'x'],
    [add(x, 0), 'x + 0.0'],
    [mul(x, 0), 'x * 0.0'],
    [eq(x, x), 'x == x'],
    [not(lt(x, 1)), '!(x < 1.0)'],
    [add(f32(1), f32(2)), '3.0'],
    [div(f32(1), f32(0)), '1.0 / 0.0'],
    [mul(f32(3e38), f32(10)), '3e38 * 10.0'],
    [sqrt(f32(2)), 'sqrt(2.0)'],
  ])('%#: %s', (expr, text) => {
    expect(printExpr(expr).replace(/^\((.*)\)$/, '$1')).toBe(text);
  });

  it('never changes what a kernel computes', () => {
    fc.assert(
      fc.property(randomKernel(false), randomInputs(false), (kernel, inputs) => {
        const [raw, simple] = [launchOn(inputs), launchOn(inputs)];
        compileKernel(kernel)(raw);
        compileKernel(builtAgain(kernel))(simple);
        for (const name of OUTPUTS) expect(simple.buffers.get(name)?.data).toEqual(raw.buffers.get(name)?.data);
      }),
      { numRuns: 300 },
    );
  });
});

describe('ill-typed constructions are refused', () => {
  const input: BufferDecl = { name: 'a', element: 'f32', access: 'read' };
  const output: BufferDecl = { name: 'o', element: 'f32', access: 'read_write' };
  const counter: BufferDecl = { name: 'n', element: 'atomic_u32', access: 'read_write' };
  it.each<[string, () => unknown]>([
    ['mixed types', () => add(i, s)],
    ['float and integer', () => add(x, i)],
    ['two untyped numbers', () => add(1, 2)],
    ['sqrt of an integer', () => sqrt(i)],
    ['not of a number', () => not(i)],
    ['order on bools', () => lt(bool(true), bool(false))],
    ['bits of floats', () => binary('bit_and', x, x)],
    ['a signed shift count', () => binary('shl', i, s)],
    ['a negative u32', () => u32(-1)],
    ['a fractional i32', () => i32(0.5)],
    ['a float index', () => load(input, x)],
    ['a store to a read-only buffer', () => store(input, i, x)],
    ['a store of another type', () => store(output, i, i)],
    ['a plain store to an atomic', () => store(counter, i, i)],
    ['an atomic on a plain buffer', () => atomic('add', output, i, x)],
    ['an if on a number', () => when(i, [])],
    ['an assignment of another type', () => assign(x, i)],
    ['an assignment to no local', () => assign(globalIdX, 1)],
    ['a float counter', () => forRange('k', f32(0), f32(1), f32(1), [])],
    ['a select of two types', () => select(bool(true), i, x)],
  ])('%s', (_, build) => {
    expect(build).toThrow(CompilerBug);
  });
});

describe('KernelBuilder', () => {
  it('nests blocks and keeps names unique', () => {
    const k = new KernelBuilder('nest', 4);
    const out = k.buffer('v0', 'u32', 'read_write');
    const n = k.uniform('n', 'u32');
    const a = k.let(globalIdX);
    k.when(lt(a, n), () => {
      const b = k.let(add(a, 1));
      k.forRange(0, n, 1, (c) => k.store(out, c, b));
    });
    expect(printKernel(k.finish())).toBe(
      [
        'kernel nest, workgroup 4',
        '  read_write v0: u32[]',
        '  uniform n: u32',
        '{',
        '  let v1: u32 = global_id.x',
        '  if (v1 < n) {',
        '    let v2: u32 = v1 + 1',
        '    for i3: u32 = 0 to n step 1 {',
        '      v0[i3] = v2',
        '    }',
        '  }',
        '}',
        '',
      ].join('\n'),
    );
  });

  it('gives no second name to what has one and stays what it is', () => {
    const k = new KernelBuilder('names', 64);
    const n = k.uniform('n', 'u32');
    const named = k.let(add(n, 1));
    const changing = k.var(u32(0));
    expect(k.let(n)).toBe(n);
    expect(k.let(named)).toBe(named);
    expect(k.let(changing)).not.toEqual(changing);
    k.forRange(0, n, 1, (i) => void expect(k.let(i)).toBe(i));
    expect(k.finish().body.map(({ kind }) => kind)).toEqual(['let', 'var', 'let', 'for']);
  });

  it('keeps only the branch taken of a known condition', () => {
    const k = new KernelBuilder('known', 4);
    const out = k.buffer('out', 'u32', 'read_write');
    k.when(
      lt(u32(1), 2),
      () => k.store(out, 0, 1),
      () => k.store(out, 1, 1),
    );
    expect(k.finish().body.map((st) => st.kind)).toEqual(['store']);
  });

  it('refuses a second declaration', () => {
    const k = new KernelBuilder('twice', 4);
    k.buffer('a', 'f32', 'read');
    expect(() => k.uniform('a', 'u32')).toThrow(CompilerBug);
  });
});
