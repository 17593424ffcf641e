/**
 * Random kernels on vectors, each beside the same kernel on scalars: what one computes in a vector, the other does in as many locals,
 * loads and stores. They have the same memory and must leave the same bits in it.
 *
 * Trees are made without the constructors, so that nothing is simplified. `exact` is as in random-kernels.ts.
 */
import fc from 'fast-check';
import type {
  BufferDecl,
  Kernel,
  KernelBinaryOp,
  KernelExpr,
  KernelStmt,
  KernelUnaryOp,
  NumericType,
  ScalarType,
} from '../../compiler/kernel/kernel-ir.ts';
import { at } from '../../dsl/diagnostics/invariants.ts';
import { printKernel } from '../../compiler/kernel/print-kernel.ts';
import { THREADS, dyadic } from './random-kernels.ts';

/** A value twice: as one vector, and as its components. */
interface Both {
  readonly whole: KernelExpr;
  readonly parts: readonly KernelExpr[];
}

type Trees = { readonly f32: Both; readonly i32: Both; readonly u32: Both; readonly bool: Both };

export interface KernelPair {
  readonly width: 2 | 4;
  readonly vectors: Kernel;
  readonly scalars: Kernel;
}

const index: KernelExpr = { kind: 'builtin', type: 'u32', name: 'global_id_x' };
const literal = (type: ScalarType, value: number | boolean): KernelExpr => ({ kind: 'literal', type, value });
const integerOps: readonly KernelBinaryOp[] = ['add', 'sub', 'mul', 'div', 'rem', 'min', 'max', 'bit_and', 'bit_xor'];
const comparisons: readonly KernelBinaryOp[] = ['eq', 'ne', 'lt', 'le', 'gt', 'ge'];

/** Trees over the locals f0 i0 u0 b0 and the inputs; of the scalar kernel, f0_0 f0_1 … */
function trees(width: 2 | 4, exact: boolean): fc.LetrecValue<Trees> {
  const lanes = Array.from({ length: width }, (_, i) => i);
  const vec = <T extends ScalarType>(type: T) => `vec${width}<${type}>` as const;
  const part = (both: Both, i: number): KernelExpr => at(both.parts, i, 'test: component');
  /** An operation on vectors, and on their components; `of` gives its operands. */
  const map = <T extends ScalarType>(
    type: T,
    operands: readonly Both[],
    make: (type: T | `vec${2 | 4}<${T}>`, of: (operand: number) => KernelExpr) => KernelExpr,
  ): Both => ({
    whole: make(vec(type), (n) => at(operands, n, 'test: operand').whole),
    parts: lanes.map((i) => make(type, (n) => part(at(operands, n, 'test: operand'), i))),
  });
  const local = (type: ScalarType, name: string): Both => ({
    whole: { kind: 'local', type: vec(type), name },
    parts: lanes.map((i) => ({ kind: 'local', type, name: `${name}_${i}` })),
  });
  return fc.letrec<Trees>((tie) => {
    const unaries = (type: keyof Trees, ops: readonly KernelUnaryOp[]) =>
      fc
        .tuple(fc.constantFrom(...ops), tie(type))
        .map(([op, x]) => map(type, [x], (t, of) => ({ kind: 'unary', type: t, op, operand: of(0) })));
    const binaries = (
      type: keyof Trees,
      from: keyof Trees,
      ops: readonly KernelBinaryOp[],
      count: keyof Trees = from,
    ) =>
      fc
        .tuple(fc.constantFrom(...ops), tie(from), tie(count))
        .map(([op, a, b]) =>
          map(type, [a, b], (t, of) => ({ kind: 'binary', type: t, op, left: of(0), right: of(1) })),
        );
    const converts = (type: keyof Trees, from: keyof Trees) =>
      tie(from).map((x) => map(type, [x], (t, of) => ({ kind: 'convert', type: t, operand: of(0) })));
    const bitcasts = (type: NumericType, from: NumericType) =>
      tie(from).map((x) => map<NumericType>(type, [x], (t, of) => ({ kind: 'bitcast', type: t, operand: of(0) })));
    const selects = (type: keyof Trees) =>
      fc.tuple(tie('bool'), tie(type), tie(type), fc.option(fc.nat(width - 1))).map(([c, a, b, one]) => {
        // Where there is one, that component decides for the whole vector.
        const decided = (i: number): Both => ({
          whole: { kind: 'component', type: 'bool', operand: c.whole, index: i },
          parts: lanes.map(() => part(c, i)),
        });
        const operands = [one === null ? c : decided(one), a, b];
        return map(type, operands, (t, of) => ({
          kind: 'select',
          type: t,
          condition: of(0),
          then: of(1),
          else: of(2),
        }));
      });
    const mixed = (type: keyof Trees) =>
      fc
        .tuple(tie(type), fc.array(fc.nat(width - 1), { minLength: width, maxLength: width }))
        .map(([x, order]): Both => {
          const parts = order.map((i): KernelExpr => ({ kind: 'component', type, operand: x.whole, index: i }));
          return { whole: { kind: 'vector', type: vec(type), parts }, parts: order.map((i) => part(x, i)) };
        });
    const repeated = (type: keyof Trees) =>
      fc.tuple(tie(type), fc.nat(width - 1)).map(([x, i]): Both => {
        const operand: KernelExpr = { kind: 'component', type, operand: x.whole, index: i };
        return { whole: { kind: 'splat', type: vec(type), operand }, parts: lanes.map(() => part(x, i)) };
      });
    const literals = (type: keyof Trees, one: fc.Arbitrary<number | boolean>) =>
      fc.oneof(
        fc.array(one, { minLength: width, maxLength: width }).map((values): Both => {
          const parts = values.map((v) => literal(type, v));
          return { whole: { kind: 'vector', type: vec(type), parts }, parts };
        }),
        one.map((v): Both => {
          const operand = literal(type, v);
          return { whole: { kind: 'splat', type: vec(type), operand }, parts: lanes.map(() => operand) };
        }),
      );
    const input = (type: NumericType, buffer: string): Both => ({
      whole: { kind: 'load', type: vec(type), buffer, index },
      parts: lanes.map((i) => ({ kind: 'load', type, buffer, index: wordIndex(width, i) })),
    });
    const options = { maxDepth: 4, depthSize: 'small' } as const;
    const anyFloat = exact ? dyadic : fc.oneof(dyadic, fc.float({ noNaN: true, noDefaultInfinity: true }));
    const fmas = fc
      .tuple(tie('f32'), tie('f32'), tie('f32'))
      .map((of3) => map('f32', of3, (t, of) => ({ kind: 'fma', type: t, a: of(0), b: of(1), c: of(2) })));
    const shapes = (type: keyof Trees) => [mixed(type), repeated(type), selects(type)] as const;
    return {
      f32: fc.oneof(
        options,
        fc.oneof(literals('f32', anyFloat), fc.constant(local('f32', 'f0')), fc.constant(input('f32', 'f'))),
        binaries('f32', 'f32', exact ? ['add', 'sub', 'mul', 'min', 'max'] : ['add', 'sub', 'mul', 'div']),
        unaries('f32', ['neg', 'abs', 'floor', 'ceil', 'sign']),
        ...shapes('f32'),
        ...(exact ? [] : [converts('f32', 'i32'), bitcasts('f32', 'u32'), fmas]),
      ),
      i32: fc.oneof(
        options,
        fc.oneof(
          literals('i32', fc.oneof(fc.integer({ min: -3, max: 40 }), fc.constantFrom(-2147483648, 2147483647))),
          fc.constant(local('i32', 'i0')),
          fc.constant(input('i32', 'i')),
        ),
        binaries('i32', 'i32', integerOps),
        binaries('i32', 'i32', ['shl', 'shr'], 'u32'),
        unaries('i32', ['neg', 'abs', 'sign', 'bit_not']),
        converts('i32', 'u32'),
        converts('i32', 'bool'),
        bitcasts('i32', 'u32'),
        ...shapes('i32'),
      ),
      u32: fc.oneof(
        options,
        fc.oneof(
          literals('u32', fc.oneof(fc.nat(40), fc.constantFrom(4294967295, 2147483648))),
          fc.constant(local('u32', 'u0')),
          fc.constant(input('u32', 'u')),
        ),
        binaries('u32', 'u32', integerOps),
        binaries('u32', 'u32', ['shl', 'shr']),
        unaries('u32', ['abs', 'bit_not']),
        converts('u32', 'i32'),
        bitcasts('u32', 'i32'),
        ...shapes('u32'),
      ),
      bool: fc.oneof(
        options,
        fc.oneof(literals('bool', fc.boolean()), fc.constant(local('bool', 'b0'))),
        binaries('bool', 'f32', comparisons),
        binaries('bool', 'i32', comparisons),
        binaries('bool', 'u32', comparisons),
        binaries('bool', 'bool', ['eq', 'ne']),
        unaries('bool', ['not']),
        converts('bool', 'i32'),
        ...shapes('bool'),
      ),
    };
  });
}

function wordIndex(width: number, lane: number): KernelExpr {
  const first: KernelExpr = { kind: 'binary', type: 'u32', op: 'mul', left: index, right: literal('u32', width) };
  return { kind: 'binary', type: 'u32', op: 'add', left: first, right: literal('u32', lane) };
}

/** Kernels over inputs f i u and outputs of oi ou, a vector a thread. */
export function randomVectors(exact: boolean): fc.Arbitrary<KernelPair> {
  return fc.constantFrom(2 as const, 4 as const).chain((width) => {
    const { f32, i32, u32, bool } = trees(width, exact);
    return fc.record({ f: f32, i: i32, u: u32, b: bool, f2: f32, i2: i32, u2: u32 }).map((t) => {
      const pair: KernelPair = {
        width,
        vectors: kernelOf(width, true, t),
        scalars: kernelOf(width, false, t),
      };
      return Object.assign(pair, { [fc.toStringMethod]: () => printKernel(pair.vectors) });
    });
  });
}

type Parts = Readonly<Record<'f' | 'i' | 'u' | 'b' | 'f2' | 'i2' | 'u2', Both>>;

function kernelOf(width: 2 | 4, vectors: boolean, t: Parts): Kernel {
  const names = Array.from({ length: width }, (_, i) => i);
  const set = (kind: 'var' | 'assign', name: string, { whole, parts }: Both): readonly KernelStmt[] => {
    if (vectors) return [{ kind, name, value: whole }];
    // All parts of a vector are computed before the first is assigned.
    const kept = parts.map((value, i): KernelStmt => ({ kind: 'let', name: `${name}_${kind}${i}`, value }));
    return [
      ...kept,
      ...parts.map(({ type }, i): KernelStmt => {
        return { kind, name: `${name}_${i}`, value: { kind: 'local', type, name: `${name}_${kind}${i}` } };
      }),
    ];
  };
  const put = (buffer: string, { whole, parts }: Both): readonly KernelStmt[] =>
    vectors
      ? [{ kind: 'store', buffer, index, value: whole }]
      : parts.map((value, i) => ({ kind: 'store', buffer, index: wordIndex(width, i), value }));
  const buffer = (name: string, element: NumericType, access: 'read' | 'read_write'): BufferDecl =>
    vectors ? { name, element, access, lanes: width } : { name, element, access };
  const start = (type: ScalarType, value: number | boolean): Both => {
    const operand = literal(type, value);
    return { whole: { kind: 'splat', type: `vec${width}<${type}>`, operand }, parts: names.map(() => operand) };
  };
  return {
    name: vectors ? 'vectors' : 'scalars',
    workgroupSize: THREADS,
    buffers: [
      buffer('f', 'f32', 'read'),
      buffer('i', 'i32', 'read'),
      buffer('u', 'u32', 'read'),
      buffer('of', 'f32', 'read_write'),
      buffer('oi', 'i32', 'read_write'),
      buffer('ou', 'u32', 'read_write'),
    ],
    uniforms: [],
    arrays: [],
    body: [
      ...set('var', 'f0', start('f32', 1.5)),
      ...set('var', 'i0', start('i32', -7)),
      ...set('var', 'u0', start('u32', 9)),
      ...set('var', 'b0', start('bool', true)),
      ...set('assign', 'i0', t.i),
      ...set('assign', 'b0', t.b),
      ...set('assign', 'u0', t.u),
      ...set('assign', 'f0', t.f),
      ...put('of', t.f2),
      ...put('oi', t.i2),
      ...put('ou', t.u2),
    ],
  };
}

/** A launch of one workgroup on fresh arrays of numbers that random-kernels.ts would make too. */
export function vectorLaunch(width: number, seed: number) {
  const n = THREADS * width;
  const word = (i: number) => Math.imul(seed + i, 2654435761) >>> 0;
  return {
    workgroups: [1, 1] as const,
    buffers: new Map([
      ['f', { data: Float32Array.from({ length: n }, (_, i) => ((word(i) % 129) - 64) / 8) }],
      [
        'i',
        { data: Int32Array.from({ length: n }, (_, i) => (word(i + n) % 3 === 0 ? word(i) | 0 : (word(i) % 40) - 5)) },
      ],
      ['u', { data: Uint32Array.from({ length: n }, (_, i) => (word(i + n) % 3 === 0 ? word(i) : word(i) % 40)) }],
      ['of', { data: new Float32Array(n) }],
      ['oi', { data: new Int32Array(n) }],
      ['ou', { data: new Uint32Array(n) }],
    ]),
    uniforms: new Map<string, number>(),
    checks: { races: true },
  };
}
