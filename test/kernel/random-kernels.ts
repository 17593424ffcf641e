/**
 * Random kernels: typed expression trees over three input buffers, a chain of locals, a branch and a loop.
 *
 * Nodes are made without the constructors of compiler/kernel/make-expressions.ts, so that nothing is simplified: rebuilding
 * them through the constructors must not change what they compute.
 *
 * `exact` leaves out what may differ between a GPU and the interpreter: division, transcendental functions, and whatever
 * shows the sign of a zero or leaves the range of normal numbers (inputs are small dyadic numbers).
 */
import fc from 'fast-check';
import { rewriteExprs } from '../../compiler/kernel/legalise/rewrite.ts';
import { printKernel } from '../../compiler/kernel/print-kernel.ts';
import type {
  KernelBinaryOp,
  KernelExpr,
  Kernel,
  ScalarType,
  KernelStmt,
  KernelUnaryOp,
} from '../../compiler/kernel/kernel-ir.ts';
import { operandsOf } from '../../compiler/kernel/visit-kernel.ts';

export const THREADS = 16;

const literal = (type: ScalarType, value: number | boolean): KernelExpr => ({ kind: 'literal', type, value });
const local = (type: ScalarType, name: string): KernelExpr => ({ kind: 'local', type, name });
const globalId: KernelExpr = { kind: 'builtin', type: 'u32', name: 'global_id_x' };

/** Multiples of 1/8 in [-8, 8]: sums and short products of them are exact or at least normal numbers. */
export const dyadic = fc.integer({ min: -64, max: 64 }).map((n) => n / 8);
const anyInt = fc.oneof(
  fc.integer({ min: -3, max: 40 }),
  fc.constantFrom(-2147483648, 2147483647, 65535),
  fc.integer(),
);
const anyWord = fc.oneof(
  fc.nat(40),
  fc.constantFrom(0, 4294967295, 2147483648),
  fc.integer({ min: 0, max: 4294967295 }),
);
const anyFloat = fc.oneof(
  dyadic,
  fc.constantFrom(0, -0, 1, -1, 3.4028234663852886e38, 1.1754943508222875e-38, 65504, 88.75, -100),
  fc.float({ noNaN: true, noDefaultInfinity: true }),
);

/** A type and not an interface: fast-check wants it to have an index signature. */
type Trees = {
  readonly f32: KernelExpr;
  readonly i32: KernelExpr;
  readonly u32: KernelExpr;
  readonly bool: KernelExpr;
};

/** Trees of each type over the locals f0 i0 u0 b0 (and the inputs themselves). */
function trees(exact: boolean): fc.LetrecValue<Trees> {
  const unary = (op: KernelUnaryOp, type: ScalarType, operand: KernelExpr): KernelExpr => ({
    kind: 'unary',
    type,
    op,
    operand,
  });
  const binary = (op: KernelBinaryOp, type: ScalarType, left: KernelExpr, right: KernelExpr): KernelExpr => ({
    kind: 'binary',
    type,
    op,
    left,
    right,
  });
  return fc.letrec<Trees>((tie) => {
    const unaries = (type: keyof Trees, ops: readonly KernelUnaryOp[]) =>
      fc.tuple(fc.constantFrom(...ops), tie(type)).map(([op, x]) => unary(op, type, x));
    const binaries = (type: keyof Trees, ops: readonly KernelBinaryOp[]) =>
      fc.tuple(fc.constantFrom(...ops), tie(type), tie(type)).map(([op, a, b]) => binary(op, type, a, b));
    const selects = (type: keyof Trees) =>
      fc.tuple(tie('bool'), tie(type), tie(type)).map(([condition, then, other]): KernelExpr => ({
        kind: 'select',
        type,
        condition,
        then,
        else: other,
      }));
    const converts = (type: keyof Trees, from: keyof Trees) =>
      tie(from).map((operand): KernelExpr => ({ kind: 'convert', type, operand }));
    const shifts = (type: 'i32' | 'u32') =>
      fc
        .tuple(fc.constantFrom<KernelBinaryOp>('shl', 'shr'), tie(type), tie('u32'))
        .map(([op, a, b]) => binary(op, type, a, b));
    const compares = (from: 'f32' | 'i32' | 'u32', ops: readonly KernelBinaryOp[]) =>
      fc.tuple(fc.constantFrom(...ops), tie(from), tie(from)).map(([op, a, b]) => binary(op, 'bool', a, b));
    const bitcasts = (type: 'f32' | 'i32' | 'u32', from: 'f32' | 'i32' | 'u32') =>
      tie(from).map((operand): KernelExpr => ({ kind: 'bitcast', type, operand }));
    const options = { maxDepth: 4, depthSize: 'small' } as const;
    const integerOps: readonly KernelBinaryOp[] = [
      'add',
      'sub',
      'mul',
      'div',
      'rem',
      'min',
      'max',
      'bit_and',
      'bit_or',
      'bit_xor',
    ];
    const comparisons: readonly KernelBinaryOp[] = ['eq', 'ne', 'lt', 'le', 'gt', 'ge'];
    const byteAsFloat = tie('u32').map((x): KernelExpr => ({
      kind: 'convert',
      type: 'f32',
      operand: binary('bit_and', 'u32', x, literal('u32', 255)),
    }));
    const fmas = fc
      .tuple(tie('f32'), tie('f32'), tie('f32'))
      .map(([a, b, c]): KernelExpr => ({ kind: 'fma', type: 'f32', a, b, c }));
    return {
      f32: fc.oneof(
        options,
        fc.oneof(
          (exact ? dyadic : anyFloat).map((x) => literal('f32', x)),
          fc.constant(local('f32', 'f0')),
          fc.constant<KernelExpr>({ kind: 'load', type: 'f32', buffer: 'f', index: globalId }),
          fc.constant<KernelExpr>({ kind: 'uniform', type: 'f32', name: 'uf' }),
        ),
        binaries('f32', exact ? ['add', 'sub', 'mul', 'min', 'max'] : ['add', 'sub', 'mul', 'div', 'min', 'max']),
        unaries('f32', ['neg', 'abs', 'floor', 'ceil', 'sign']),
        selects('f32'),
        byteAsFloat,
        ...(exact
          ? []
          : [converts('f32', 'i32'), converts('f32', 'u32'), bitcasts('f32', 'u32'), fmas, converts('f32', 'bool')]),
      ),
      i32: fc.oneof(
        options,
        fc.oneof(
          anyInt.map((x) => literal('i32', x)),
          fc.constant(local('i32', 'i0')),
          fc.constant<KernelExpr>({ kind: 'load', type: 'i32', buffer: 'i', index: globalId }),
          fc.constant<KernelExpr>({ kind: 'uniform', type: 'i32', name: 'ui' }),
        ),
        binaries('i32', integerOps),
        unaries('i32', ['neg', 'abs', 'sign', 'bit_not']),
        shifts('i32'),
        selects('i32'),
        converts('i32', 'u32'),
        converts('i32', 'bool'),
        ...(exact ? [bitcasts('i32', 'u32')] : [converts('i32', 'f32'), bitcasts('i32', 'f32')]),
      ),
      u32: fc.oneof(
        options,
        fc.oneof(
          anyWord.map((x) => literal('u32', x)),
          fc.constant(local('u32', 'u0')),
          fc.constant<KernelExpr>({ kind: 'load', type: 'u32', buffer: 'u', index: globalId }),
          fc.constant<KernelExpr>({ kind: 'uniform', type: 'u32', name: 'uu' }),
          fc.constant(globalId),
          fc.constant<KernelExpr>({ kind: 'buffer_length', type: 'u32', buffer: 'f' }),
        ),
        binaries('u32', integerOps),
        unaries('u32', ['abs', 'bit_not']),
        shifts('u32'),
        selects('u32'),
        converts('u32', 'i32'),
        converts('u32', 'bool'),
        ...(exact ? [bitcasts('u32', 'i32')] : [converts('u32', 'f32'), bitcasts('u32', 'f32')]),
      ),
      bool: fc.oneof(
        options,
        fc.oneof(
          fc.boolean().map((x) => literal('bool', x)),
          fc.constant(local('bool', 'b0')),
        ),
        compares('f32', exact ? ['lt', 'le', 'gt', 'ge', 'eq', 'ne'] : comparisons),
        compares('i32', comparisons),
        compares('u32', comparisons),
        binaries('bool', ['and', 'or', 'eq', 'ne']),
        unaries('bool', ['not']),
        selects('bool'),
        converts('bool', 'i32'),
      ),
    };
  });
}

/** Kernels over inputs f i u (one element a thread) and uniforms uf ui uu, writing of oi ou (one element a thread). */
export function randomKernel(exact: boolean): fc.Arbitrary<Kernel> {
  const { f32, i32, u32, bool } = trees(exact);
  const index = { kind: 'builtin', type: 'u32', name: 'global_id_x' } as const;
  return fc
    .record({
      f: f32,
      i: i32,
      u: u32,
      b: bool,
      branch: bool,
      f2: f32,
      i2: i32,
      u2: u32,
      b2: bool,
      loop: fc.nat(4),
      f3: f32,
    })
    .map((t): Kernel => {
      const start: readonly KernelStmt[] = [
        { kind: 'var', name: 'f0', value: { kind: 'load', type: 'f32', buffer: 'f', index } },
        { kind: 'var', name: 'i0', value: { kind: 'load', type: 'i32', buffer: 'i', index } },
        { kind: 'let', name: 'u0', value: { kind: 'load', type: 'u32', buffer: 'u', index } },
        {
          kind: 'var',
          name: 'b0',
          value: { kind: 'binary', type: 'bool', op: 'lt', left: local('i32', 'i0'), right: literal('i32', 3) },
        },
      ];
      const body: readonly KernelStmt[] = [
        { kind: 'assign', name: 'i0', value: t.i },
        { kind: 'assign', name: 'b0', value: t.b },
        {
          kind: 'if',
          condition: t.branch,
          then: [{ kind: 'assign', name: 'f0', value: t.f }],
          else: [{ kind: 'assign', name: 'b0', value: t.b2 }],
        },
        {
          kind: 'for',
          name: 'k',
          from: literal('u32', 0),
          to: literal('u32', t.loop),
          step: literal('u32', 1),
          body: [{ kind: 'assign', name: 'i0', value: t.i2 }],
        },
        {
          kind: 'store',
          buffer: 'of',
          index,
          value: { kind: 'select', type: 'f32', condition: local('bool', 'b0'), then: t.f2, else: t.f3 },
        },
        { kind: 'store', buffer: 'oi', index, value: local('i32', 'i0') },
        {
          kind: 'store',
          buffer: 'ou',
          index,
          value: { kind: 'select', type: 'u32', condition: local('bool', 'b0'), then: t.u, else: t.u2 },
        },
      ];
      const kernel: Kernel = {
        name: 'random',
        workgroupSize: THREADS,
        buffers: [
          { name: 'f', element: 'f32', access: 'read' },
          { name: 'i', element: 'i32', access: 'read' },
          { name: 'u', element: 'u32', access: 'read' },
          { name: 'of', element: 'f32', access: 'read_write' },
          { name: 'oi', element: 'i32', access: 'read_write' },
          { name: 'ou', element: 'u32', access: 'read_write' },
        ],
        uniforms: [
          { name: 'uf', type: 'f32' },
          { name: 'ui', type: 'i32' },
          { name: 'uu', type: 'u32' },
        ],
        arrays: [],
        body: [...start, ...body],
      };
      // A counterexample is shown as text.
      return Object.assign(kernel, { [fc.toStringMethod]: () => printKernel(kernel) });
    });
}

/** The same kernel with every expression built again by the constructors: a new leaf makes all above it be. */
export function builtAgain(kernel: Kernel): Kernel {
  return rewriteExprs(kernel, (expr) => (operandsOf(expr).length === 0 ? { ...expr } : expr));
}

export interface Inputs {
  readonly f: readonly number[];
  readonly i: readonly number[];
  readonly u: readonly number[];
  readonly uf: number;
  readonly ui: number;
  readonly uu: number;
}

export function randomInputs(exact: boolean): fc.Arbitrary<Inputs> {
  const float = exact ? dyadic : anyFloat;
  const many = <T>(one: fc.Arbitrary<T>) => fc.array(one, { minLength: THREADS, maxLength: THREADS });
  return fc.record({ f: many(float), i: many(anyInt), u: many(anyWord), uf: float, ui: anyInt, uu: anyWord });
}

/** A launch of one workgroup on fresh arrays; the results end up in `buffers`. */
export function launchOn(inputs: Inputs) {
  return {
    workgroups: [1, 1] as const,
    buffers: new Map([
      ['f', { data: new Float32Array(inputs.f) }],
      ['i', { data: new Int32Array(inputs.i) }],
      ['u', { data: new Uint32Array(inputs.u) }],
      ['of', { data: new Float32Array(THREADS) }],
      ['oi', { data: new Int32Array(THREADS) }],
      ['ou', { data: new Uint32Array(THREADS) }],
    ]),
    uniforms: new Map([
      ['uf', inputs.uf],
      ['ui', inputs.ui],
      ['uu', inputs.uu],
    ]),
    checks: { races: true },
  };
}

export const OUTPUTS = ['of', 'oi', 'ou'] as const;
