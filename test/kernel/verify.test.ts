/** The kernel verifier: every rule of the kernel IR, by a kernel that breaks that rule and no other. */
import { describe, expect, it } from 'vitest';
import {
  add,
  breakLoop,
  f32,
  globalIdX,
  local,
  lt,
  returnKernel,
  u32,
} from '../../compiler/kernel/make-expressions.ts';
import type { KernelExpr, Kernel, KernelStmt, ScalarType } from '../../compiler/kernel/kernel-ir.ts';
import { KernelBuilder } from '../../compiler/kernel/kernel-builder.ts';
import { verifyKernel } from '../../compiler/kernel/verify-kernel.ts';
import { webgpuCore } from '../../compiler/target.ts';
import { divergentBarriers, uniformBarriers } from './barrier-kernels.ts';
import { samples } from './sample-kernels.ts';

const { limits } = webgpuCore;
const violations = (kernel: Kernel) => verifyKernel(kernel, limits);

function kernelOf(write: (k: KernelBuilder) => void, size = 4): Kernel {
  const k = new KernelBuilder('probe', size);
  write(k);
  return k.finish();
}

/** A kernel whose body is made by hand, over x (read), y (read_write), n and 4 words of shared s. */
function raw(...body: readonly KernelStmt[]): Kernel {
  return {
    name: 'raw',
    workgroupSize: 4,
    buffers: [
      { name: 'x', element: 'f32', access: 'read' },
      { name: 'y', element: 'f32', access: 'read_write' },
    ],
    uniforms: [{ name: 'n', type: 'u32' }],
    arrays: [{ scope: 'workgroup', name: 's', element: 'f32', length: 4 }],
    body,
  };
}

const zero = u32(0);
const x0: KernelExpr = { kind: 'load', type: 'f32', buffer: 'x', index: zero };

describe('good kernels', () => {
  it.each(samples)('%s', (_, kernel) => {
    expect(violations(kernel)).toEqual([]);
  });

  it('names used again in sibling blocks', () => {
    const block: readonly KernelStmt[] = [{ kind: 'let', name: 'a', value: x0 }];
    expect(violations(raw({ kind: 'if', condition: lt(zero, u32(1)), then: block, else: block }))).toEqual([]);
  });
});

describe('names and types', () => {
  const literal = (type: ScalarType, value: number): KernelExpr => ({ kind: 'literal', type, value });
  it.each<[RegExp, Kernel]>([
    [/a is not in scope/, raw({ kind: 'let', name: 'b', value: local('a', 'u32') })],
    [/a hides another a/, raw({ kind: 'let', name: 'a', value: zero }, { kind: 'let', name: 'a', value: zero })],
    [/local x hides another x/, raw({ kind: 'let', name: 'x', value: zero })],
    [
      /a is assigned but immutable/,
      raw({ kind: 'let', name: 'a', value: zero }, { kind: 'assign', name: 'a', value: zero }),
    ],
    [
      /value of a is f32, not u32/,
      raw({ kind: 'var', name: 'a', value: zero }, { kind: 'assign', name: 'a', value: x0 }),
    ],
    [/a is assigned but not declared/, raw({ kind: 'assign', name: 'a', value: zero })],
    [/store to x, which is read-only/, raw({ kind: 'store', buffer: 'x', index: zero, value: x0 })],
    [/store to z, which is not declared/, raw({ kind: 'store', buffer: 'z', index: zero, value: x0 })],
    [/stored in y is u32, not f32/, raw({ kind: 'store', buffer: 'y', index: zero, value: zero })],
    [/an atomic store to y/, raw({ kind: 'atomic', op: 'add', buffer: 'y', index: zero, value: x0 })],
    [/y is indexed by f32/, raw({ kind: 'store', buffer: 'y', index: x0, value: x0 })],
    [/s\[4\] is out of bounds/, raw({ kind: 'store_array', array: 's', index: u32(4), value: x0 })],
    [/x\[-1\] is out of bounds/, raw({ kind: 'let', name: 'a', value: { ...x0, index: literal('i32', -1) } })],
    [
      /the uniform m is not declared/,
      raw({ kind: 'let', name: 'a', value: { kind: 'uniform', type: 'u32', name: 'm' } }),
    ],
    [/0.1 is not representable as f32/, raw({ kind: 'let', name: 'a', value: literal('f32', 0.1) })],
    [/4294967296 is not representable as u32/, raw({ kind: 'let', name: 'a', value: literal('u32', 2 ** 32) })],
    [
      /ill-typed/,
      raw({ kind: 'let', name: 'a', value: { kind: 'binary', type: 'f32', op: 'add', left: x0, right: zero } }),
    ],
    [/ill-typed/, raw({ kind: 'let', name: 'a', value: { kind: 'unary', type: 'u32', op: 'sqrt', operand: x0 } })],
    [/break is in no loop/, raw(breakLoop)],
    [/unreachable/, raw(returnKernel, { kind: 'let', name: 'a', value: zero })],
    [
      /unreachable/,
      raw(
        { kind: 'if', condition: lt(globalIdX, 1), then: [returnKernel], else: [returnKernel] },
        { kind: 'let', name: 'a', value: zero },
      ),
    ],
    [/condition of an if is u32/, raw({ kind: 'if', condition: zero, then: [], else: [] })],
    [/does not advance/, raw({ kind: 'for', name: 'i', from: zero, to: zero, step: zero, body: [] })],
    [/counts in f32/, raw({ kind: 'for', name: 'i', from: f32(0), to: f32(1), step: f32(1), body: [] })],
    [
      /i is assigned but immutable/,
      raw({
        kind: 'for',
        name: 'i',
        from: zero,
        to: u32(4),
        step: u32(1),
        body: [{ kind: 'assign', name: 'i', value: zero }],
      }),
    ],
    [/declared twice/, { ...raw(), uniforms: [{ name: 'x', type: 'u32' }] }],
    [/atomic and read-only/, { ...raw(), buffers: [{ name: 'c', element: 'atomic_u32', access: 'read' }] }],
    [/not snake_case/, { ...raw(), name: 'Raw kernel' }],
  ])('%s', (message, kernel) => {
    expect(violations(kernel).join('\n')).toMatch(message);
  });
});

describe('limits', () => {
  it.each<[RegExp, Kernel]>([
    [
      /storage buffers: 9, and the limit is 8/,
      kernelOf((k) => [...'abcdefghi'].forEach((name) => k.buffer(name, 'f32', 'read'))),
    ],
    [/workgroup size: 257/, kernelOf(() => undefined, 257)],
    [/workgroup size is 0/, kernelOf(() => undefined, 0)],
    [/bytes of a thread: 8208/, kernelOf((k) => k.array('thread', 's', 'f32', 2049))],
    [/bytes of workgroup memory: 16400/, kernelOf((k) => k.shared('s', 'f32', 4097))],
  ])('%s', (message, kernel) => {
    expect(violations(kernel).join('\n')).toMatch(message);
  });

  it('nesting', () => {
    let deep: KernelExpr = local('a', 'f32');
    for (let i = 0; i < 100; i++) deep = add(f32(1), deep);
    const kernel = raw({ kind: 'let', name: 'a', value: x0 }, { kind: 'let', name: 'b', value: deep });
    expect(violations(kernel).join('\n')).toMatch(/nests 102 levels deep/);
    let block: readonly KernelStmt[] = [];
    for (let i = 0; i < 120; i++) block = [{ kind: 'if', condition: lt(globalIdX, 1), then: block, else: [] }];
    expect(violations(raw(...block)).join('\n')).toMatch(/levels deep/);
  });
});

describe('uniformity', () => {
  const divergent = (kernel: Kernel) => violations(kernel).filter((v) => v.includes('barrier'));
  it.each(uniformBarriers)('accepts a barrier %s', (_, kernel) => {
    expect(divergent(kernel)).toEqual([]);
  });
  it.each(divergentBarriers)('refuses a barrier %s', (_, kernel) => {
    expect(divergent(kernel)).toEqual(['barrier 0 is under control that differs between threads']);
  });
});
