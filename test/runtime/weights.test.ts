/** From a checkpoint to stores: every mismatch in one report, and every layout lands where the language says. */
import { describe, expect, it } from 'vitest';
import { bindVariables } from '../../runtime/weights/bind-weights.ts';
import { numberToBf16, numberToF16 } from '../../runtime/contract/elements.ts';
import { WeightsError } from '../../runtime/contract/errors.ts';
import type { WeightSliceSpec, Manifest, VariableSpec } from '../../runtime/contract/manifest.ts';
import { unreadNeighbours } from '../../runtime/weights/layout-hints.ts';
import { nearestNames } from '../../runtime/weights/nearest-names.ts';
import type { WritableTensor } from '../../runtime/weights/safetensors.ts';
import { fromTensors } from '../../runtime/weights/weight-source.ts';
import { loadVariable } from '../../runtime/weights/weights.ts';

const store = (path: string, shape: readonly number[], more: Partial<VariableSpec> = {}): VariableSpec => ({
  path,
  kind: 'param',
  element: 'f32',
  axes: shape.map((size, i) => ({ name: `A${i}`, size })),
  within: null,
  frozen: false,
  cells: null,
  initial: null,
  ...more,
});

const manifest = (...stores: readonly VariableSpec[]): Manifest => ({
  schema: 1,
  moec: '0',
  name: 'M',
  hash: '',
  dynamic: [],
  requiredFeatures: [],
  classes: [],
  requiredLimits: {},
  stores,
  kernels: [],
  entries: [],
});

const cell = (tensor: string, shape: readonly number[], more: Partial<WeightSliceSpec>): WeightSliceSpec => ({
  tensor,
  shape,
  decoder: null,
  scales: null,
  from: 0,
  offset: 0,
  dims: [],
  ...more,
});

const f32 = (name: string, shape: readonly number[], values: readonly number[]): WritableTensor => ({
  name,
  dtype: 'F32',
  shape,
  data: Float32Array.from(values),
});

const ramp = (length: number, from = 0): readonly number[] => Array.from({ length }, (_, i) => from + i);

/** The words a store ends up with, and the faults of its values. */
async function load(
  spec: VariableSpec,
  tensors: readonly WritableTensor[],
  allowNonFinite = false,
): Promise<{ readonly values: readonly number[]; readonly codes: readonly string[] }> {
  const source = fromTensors(tensors);
  const [binding] = await bindVariables(manifest(spec), source, 'error');
  if (binding === undefined) throw new Error('nothing was bound');
  const values = new Array<number>(binding.elements).fill(NaN);
  const problems = await loadVariable(
    binding,
    source,
    async (offset, words) => words.forEach((value, i) => (values[offset + i] = value)),
    { allowNonFinite },
  );
  return { values, codes: problems.map(({ code }) => code) };
}

describe('layouts', () => {
  it('one tensor, as it is', async () => {
    expect((await load(store('w', [2, 3]), [f32('w', [2, 3], ramp(6))])).values).toEqual(ramp(6));
  });

  it('one tensor for each expert', async () => {
    const cells = ramp(3).map((e) => cell(`e.${e}`, [2, 2], { offset: 4 * e, dims: [{ size: 4, stride: 1, to: 1 }] }));
    const tensors = ramp(3).map((e) => f32(`e.${e}`, [2, 2], ramp(4, 10 * e)));
    expect((await load(store('w', [3, 2, 2], { cells }), tensors)).values).toEqual([
      ...ramp(4),
      ...ramp(4, 10),
      ...ramp(4, 20),
    ]);
  });

  it('transposed', async () => {
    // Stored [D, F] = [2, 3], declared [F, D].
    const dims = [
      { size: 3, stride: 1, to: 2 },
      { size: 2, stride: 3, to: 1 },
    ];
    const cells = [cell('w', [2, 3], { dims })];
    expect((await load(store('w', [3, 2], { cells }), [f32('w', [2, 3], ramp(6))])).values).toEqual([0, 3, 1, 4, 2, 5]);
  });

  it('the second of two interleaved halves, next to a contiguous one', async () => {
    // Stored [2 F, D] = [4, 2], rows 1 and 3; then another tensor behind them.
    const dims = [
      { size: 2, stride: 4, to: 2 },
      { size: 2, stride: 1, to: 1 },
    ];
    const cells = [
      cell('gate_up', [4, 2], { from: 2, dims }),
      cell('more', [2], { offset: 4, dims: [{ size: 2, stride: 1, to: 1 }] }),
    ];
    const tensors = [f32('gate_up', [4, 2], ramp(8)), f32('more', [2], [50, 51])];
    expect((await load(store('w', [3, 2], { cells }), tensors)).values).toEqual([2, 3, 6, 7, 50, 51]);
  });

  it('dimensions of size 1 and 0', async () => {
    const one = [
      { size: 1, stride: 99, to: 77 },
      { size: 2, stride: 1, to: 1 },
    ];
    expect(
      (await load(store('w', [2], { cells: [cell('w', [2], { dims: one })] }), [f32('w', [2], [1, 2])])).values,
    ).toEqual([1, 2]);
    expect((await load(store('w', [0, 3]), [f32('w', [0, 3], [])])).values).toEqual([]);
    expect((await load(store('w', []), [f32('w', [], [4])])).values).toEqual([4]);
  });

  it('MXFP4: half bytes, low half first, a power of two for each 32', async () => {
    const blocks = new Uint8Array(2 * 2 * 16);
    blocks.set([0x21, 0xf7]);
    blocks[16] = 0x09;
    const scales = Uint8Array.of(127, 128, 126, 127);
    const tensors: readonly WritableTensor[] = [
      { name: 'b', dtype: 'U8', shape: [2, 2, 16], data: blocks },
      { name: 's', dtype: 'U8', shape: [2, 2], data: scales },
    ];
    const dims = [{ size: 128, stride: 1, to: 1 }];
    const cells = [cell('b', [2, 64], { decoder: 'mxfp4', scales: 's', dims })];
    const { values } = await load(store('w', [2, 64], { cells }), tensors);
    expect(values.slice(0, 5)).toEqual([0.5, 1, 6, -6, 0]);
    expect(values[32]).toBe(-1);
    // From the middle of a block on.
    const part = [
      cell('b', [2, 64], { decoder: 'mxfp4', scales: 's', from: 2, dims: [{ size: 31, stride: 1, to: 1 }] }),
    ];
    const middle = await load(store('w', [31], { cells: part }), tensors);
    expect([middle.values[0], middle.values[1], middle.values[30]]).toEqual([6, -6, -1]);
  });
});

describe('element types', () => {
  const halves = (values: readonly number[], encode: (value: number) => number): Uint16Array =>
    Uint16Array.from(values, encode);

  it('widen exactly', async () => {
    const values = [1, -2.5, 0.15625];
    for (const [dtype, encode] of [
      ['F16', numberToF16],
      ['BF16', numberToBf16],
    ] as const) {
      const tensor = { name: 'w', dtype, shape: [3], data: halves(values, encode) };
      expect((await load(store('w', [3]), [tensor])).values).toEqual(values);
    }
  });

  it('round where f16 is declared, and say when they overflow', async () => {
    const spec = store('w', [2], { element: 'f16' });
    expect((await load(spec, [f32('w', [2], [1 + 2 ** -12, 65519])])).values).toEqual([1, 65504]);
    expect((await load(spec, [f32('w', [2], [1, 65520])])).codes).toEqual(['MOE0634']);
  });

  it('integers and truth values of other widths', async () => {
    const ids = { name: 'w', dtype: 'I64', shape: [2], data: new BigInt64Array([-1n, 5n]) } as const;
    expect((await load(store('w', [2], { element: 'i32' }), [ids])).values).toEqual([-1, 5]);
    const flags = { name: 'w', dtype: 'BOOL', shape: [3], data: Uint8Array.of(0, 1, 7) } as const;
    expect((await load(store('w', [3], { element: 'bool' }), [flags])).values).toEqual([0, 1, 1]);
  });

  it('integers where floats are declared, as long as f32 has them', async () => {
    const whole = { name: 'w', dtype: 'U32', shape: [2], data: Uint32Array.of(2 ** 24, 3) } as const;
    const { values, codes } = await load(store('w', [2]), [whole]);
    expect([codes, values]).toEqual([[], [2 ** 24, 3]]);
  });

  it('report what has no place', async () => {
    const within = { name: 'V', size: 4 };
    const table = store('w', [2], { element: 'i32', within });
    const ids = (...values: readonly bigint[]): WritableTensor => ({
      name: 'w',
      dtype: 'I64',
      shape: [2],
      data: new BigInt64Array(values),
    });
    expect((await load(table, [ids(-1n, 3n)])).codes).toEqual([]);
    expect((await load(table, [ids(0n, 4n)])).codes).toEqual(['MOE0636']);
    expect((await load(table, [ids(-2n, 0n)])).codes).toEqual(['MOE0636']);
    await expect(load(table, [ids(2n ** 40n, 0n)])).rejects.toMatchObject({ code: 'MOE0634' });
    expect((await load(store('w', [2]), [f32('w', [2], [1, Infinity])])).codes).toEqual(['MOE0633']);
    expect((await load(store('w', [2]), [f32('w', [2], [1, NaN])])).codes).toEqual(['MOE0633']);
    expect((await load(store('w', [2]), [f32('w', [2], [1, -Infinity])], true)).values).toEqual([1, -Infinity]);
  });
});

describe('bindings', () => {
  const problemsOf = async (bind: () => Promise<unknown>): Promise<readonly (readonly [string, string])[]> => {
    try {
      await bind();
    } catch (error) {
      if (error instanceof WeightsError) return error.problems.map(({ code, message }) => [code, message]);
      throw error;
    }
    return [];
  };

  it('tell of all that does not fit at once', async () => {
    const source = fromTensors([
      f32('layers.0.w', [2], [0, 0]),
      f32('b', [3], [0, 0, 0]),
      { name: 'c', dtype: 'F64', shape: [1], data: new Float64Array(1) },
      f32('ids', [1], [0]),
    ]);
    const m = manifest(
      store('layer.0.w', [2]),
      store('b', [2]),
      store('c', [1]),
      store('ids', [1], { element: 'i32' }),
      store('flags', [1], { element: 'bool' }),
    );
    const problems = await problemsOf(() => bindVariables(m, source, 'error'));
    expect(problems.map(([code]) => code)).toEqual(['MOE0630', 'MOE0631', 'MOE0632', 'MOE0632', 'MOE0630']);
    expect(problems[0]?.[1]).toContain('"layers.0.w"');
    expect(problems[1]?.[1]).toContain('[3], [2] is wanted');
  });

  /** Members of [L, E, 2, 3] under `layers.{L}.experts.{E}.w`. */
  const members = (): VariableSpec => {
    const cells = [0, 1].flatMap((l) =>
      [0, 1, 2].map((e) =>
        cell(`layers.${l}.experts.${e}.w`, [2, 3], {
          offset: (l * 3 + e) * 6,
          dims: [
            { size: 2, stride: 3, to: 3 },
            { size: 3, stride: 1, to: 1 },
          ],
        }),
      ),
    );
    const axes = [
      { name: 'L', size: 2 },
      { name: 'E', size: 3 },
      { name: 'F', size: 2 },
      { name: 'D', size: 3 },
    ];
    return store('ffn.w', [2, 3, 2, 3], { axes, cells });
  };
  const zeros = (name: string, shape: readonly number[]) =>
    f32(name, shape, Array<number>(shape.reduce((a, b) => a * b, 1)).fill(0));

  it.each([
    ['layers.0.mlp.w', [2, 3], 'from "layers.{L}.mlp.w{all E}"'],
    ['layers.0.w', [2, 3], 'from "layers.{L}.w{all E}"'],
    ['layers.0.experts.w', [3, 2, 3], 'from "layers.{L}.experts.w"'],
    ['layers.0.experts.v', [2, 3], null],
    ['layers.0.experts.w', [3, 2], null],
    ['experts.w', [2, 3], null],
  ] as const)('name what seems to hold the members: %s of %j', async (name, shape, form) => {
    const [first] = await problemsOf(() =>
      bindVariables(manifest(members()), fromTensors([zeros(name, shape)]), 'error'),
    );
    if (form === null) expect(first?.[1]).not.toContain('say `from');
    else expect(first?.[1]).toContain(form);
  });

  it('name the axis that a stored tensor lacks, or has too many', async () => {
    const axes = [
      { name: 'E', size: 3 },
      { name: 'D', size: 2 },
    ];
    const counted = store('u', [3, 2], { axes });
    const source = fromTensors([zeros('w', [2]), zeros('u.0', [2]), zeros('all', [3, 2])]);
    const shared = [0, 1, 2].map((e) => cell('all', [2], { offset: 2 * e, dims: [{ size: 2, stride: 1, to: 1 }] }));
    const m = manifest(store('w', [3, 2], { axes }), counted, store('v', [3, 2], { axes, cells: shared }));
    const problems = await problemsOf(() => bindVariables(m, source, 'error'));
    expect(problems.map(([code]) => code)).toEqual(['MOE0631', 'MOE0630', 'MOE0631']);
    expect(problems[0]?.[1]).toContain('from "w{all E}"');
    expect(problems[1]?.[1]).toContain('from "u.{E}"');
    expect(problems[2]?.[1]).toContain('leave `{all E}` out');
  });

  it('say in which order a tensor is stored', async () => {
    const axes = [
      { name: 'E', size: 3 },
      { name: 'F', size: 2 },
      { name: 'D', size: 4 },
    ];
    const spec = store('w', [3, 2, 4], { axes });
    const told = async (shape: readonly number[]): Promise<string> =>
      (await problemsOf(() => bindVariables(manifest(spec), fromTensors([zeros('w', shape)]), 'error')))[0]?.[1] ?? '';
    expect(await told([4, 2, 3])).toContain(
      'it is stored in another order, which the declaration says with `as [D, F, E]`',
    );
    expect(await told([3, 4, 2])).toContain('`as [E, D, F]`');
  });

  it('say which tensor seems to hold several', async () => {
    const axes = [
      { name: 'F', size: 2 },
      { name: 'D', size: 3 },
    ];
    const part = (path: string) => store(path, [2, 3], { axes });
    const told = async (fused: WritableTensor, ...paths: readonly string[]): Promise<string> =>
      (await problemsOf(() => bindVariables(manifest(...paths.map(part)), fromTensors([fused]), 'error')))
        .map(([, message]) => message)
        .join('\n');
    // In the order in which the tensor's name has them, which is not that of the declarations.
    expect(await told(zeros('mlp.gate_up.w', [4, 3]), 'mlp.up_proj.w', 'mlp.gate_proj.w')).toContain(
      '"mlp.gate_up.w" of the shape [4, 3] seems to hold both: declare them from it with `as [(0 of 2, F), D]` for gate_proj, `as [(1 of 2, F), D]` for up_proj',
    );
    expect(
      (await told(zeros('mlp.gate_up.w', [4, 3]), 'mlp.up_proj.w', 'mlp.gate_proj.w')).match(/seems to hold/g),
    ).toHaveLength(1);
    expect(await told(zeros('attn.qkv', [2, 9]), 'attn.q', 'attn.k', 'attn.v')).toContain(
      'seems to hold all 3: declare them from it with `as [F, (0 of 3, D)]` for q, `as [F, (1 of 3, D)]` for k, `as [F, (2 of 3, D)]` for v',
    );
    expect(await told(zeros('attn.qkv', [2, 9]), 'attn.q', 'attn.k')).not.toContain('seems to hold');
  });

  it('tell of tensors beside those that are read', () => {
    const names = ['router.weight', 'router.bias', 'other.bias', 'bias'];
    expect(unreadNeighbours(names, new Set(['router.weight']))).toEqual(['router.bias']);
    expect(unreadNeighbours(names, new Set(['bias']))).toEqual([]);
  });

  it('name both ways out, each once', async () => {
    const initial = { kind: 'fill', value: 0 } as const;
    const told = async (...stores: readonly VariableSpec[]): Promise<string> => {
      try {
        await bindVariables(manifest(...stores), fromTensors([]), 'error');
      } catch (error) {
        if (error instanceof WeightsError) return error.message;
        throw error;
      }
      return '';
    };
    expect(await told(store('w', [1]))).toMatch(/from "…".*declare it with a first value.*--missing initialise/);
    expect(await told(store('w', [1], { initial }))).toMatch(
      /from "…".*to begin with its first value.*--missing initialise/,
    );
    expect((await told(store('w', [1]), store('v', [1]))).match(/help: /g)).toHaveLength(1);
    expect((await told(members())).match(/help: /g)).toHaveLength(1);
  });

  it('leave a value its initial one where there is no checkpoint', async () => {
    const m = manifest(store('w', [2], { initial: { kind: 'fill', value: 1 } }), store('v', [1]));
    expect(await problemsOf(() => bindVariables(m, null, 'error'))).toMatchObject([
      ['MOE0635', expect.stringContaining('v ')],
    ]);
    const [only] = await bindVariables(manifest(m.stores[0] ?? store('w', [2])), null, 'error');
    expect(only?.slices).toBeNull();
  });

  it('want every param of a given checkpoint, unless told otherwise; states may be missing', async () => {
    const initial = { kind: 'fill', value: 0 } as const;
    const m = manifest(store('w', [1], { initial }), store('s', [1], { kind: 'state', initial }));
    const source = fromTensors([]);
    expect((await problemsOf(() => bindVariables(m, source, 'error'))).map(([code]) => code)).toEqual(['MOE0630']);
    expect((await bindVariables(m, source, 'initialise')).map(({ slices: cells }) => cells)).toEqual([null, null]);
  });

  it('are not half filled', async () => {
    const cells = [
      cell('a', [1], { dims: [{ size: 1, stride: 1, to: 1 }] }),
      cell('z', [1], { offset: 1, dims: [{ size: 1, stride: 1, to: 1 }] }),
    ];
    const m = manifest(store('w', [2], { cells, initial: { kind: 'fill', value: 0 } }));
    const problems = await problemsOf(() => bindVariables(m, fromTensors([f32('a', [1], [1])]), 'initialise'));
    expect(problems.map(([code]) => code)).toEqual(['MOE0630']);
  });

  it('check the blocks and scales of MXFP4', async () => {
    const cells = [cell('b', [2, 64], { decoder: 'mxfp4', scales: 's' })];
    const m = manifest(store('w', [2, 64], { cells }));
    const source = fromTensors([
      { name: 'b', dtype: 'U8', shape: [2, 16], data: new Uint8Array(32) },
      { name: 's', dtype: 'F32', shape: [2, 3], data: new Float32Array(6) },
    ]);
    expect((await problemsOf(() => bindVariables(m, source, 'error'))).map(([code]) => code)).toEqual([
      'MOE0632',
      'MOE0631',
      'MOE0631',
    ]);
  });
});

describe('near names', () => {
  it('are the nearest, and none where nothing is like it', () => {
    const near = nearestNames(['gate.weight', 'gate.weights', 'other']);
    expect(near('gate.weigth')).toContain('"gate.weight"');
    expect(near('something else entirely')).toBe('');
  });

  it('are not searched for without end', () => {
    const near = nearestNames(Array.from({ length: 20_000 }, (_, i) => `model.layers.${i}.mlp.experts.weight`));
    for (let i = 0; i < 10_000; i++) near(`model.layer.${i}.mlp.expert.weight`);
    expect(near('model.layers.1.mlp.experts.weigh')).toBe('');
  });
});
