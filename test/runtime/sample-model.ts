/**
 * A small model written by hand as its manifest and shaders, with one of each thing the runtime knows: a param from a
 * checkpoint, one with a computed initial value, a state with an update, a control with a computed default, a status
 * word, a function of the host, a route.
 *
 * Entries: forward(x: [T, D]) -> y = 2 * x * w * tilt[t]; hosted(x) -> z = host(x * w); routed(x) -> r, present where x > 0.
 */
import type {
  AxisSpec,
  BufferSpec,
  KernelSpec,
  LaunchSpec,
  Manifest,
  PlanSpec,
  SizeFormula,
} from '../../runtime/contract/manifest.ts';

export const D = 4;

const T: AxisSpec = { name: 'T', size: 'T' };
const Dim: AxisSpec = { name: 'D', size: D };
const count: SizeFormula = { op: 'mul', args: ['T', D] };
const groups = (formula: SizeFormula): SizeFormula => ({ op: 'ceil', args: [{ op: 'div', args: [formula, 64] }] });

const shader = (bindings: string, fields: string, body: string): string => `
struct Uniforms { ${fields} }
${bindings}
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * grid.x + group.x) * 64u + lane;
  if (i >= u.n) { return; }
  ${body}
}`;

const binding = (i: number, access: string, name: string, type: string): string =>
  `@group(0) @binding(${i}) var<${access}> ${name}: ${type};`;
const read = (i: number, name: string): string => binding(i, 'storage, read', name, 'array<f32>');
const write = (i: number, name: string, type = 'array<f32>'): string => binding(i, 'storage, read_write', name, type);
const uniforms = (i: number): string => binding(i, 'uniform', 'u', 'Uniforms');

export const shaders: readonly string[] = [
  shader(
    [
      read(0, 'x'),
      read(1, 'w'),
      read(2, 'tilt'),
      write(3, 'y'),
      write(4, 'status', 'array<atomic<u32>>'),
      uniforms(5),
    ].join('\n'),
    'n: u32, d: u32, scale: f32',
    `y[i] = u.scale * x[i] * w[i % u.d] * tilt[i / u.d];
     if (x[i] > 1e30) { atomicMin(&status[0], i); }`,
  ),
  shader([write(0, 'y'), uniforms(1)].join('\n'), 'n: u32', 'y[i] = 1.0;'),
  shader([write(0, 'y'), uniforms(1)].join('\n'), 'n: u32, seed: u32', 'y[i] = f32(u.seed + i);'),
  shader([read(0, 's'), write(1, 'y'), uniforms(2)].join('\n'), 'n: u32', 'y[i] = s[i] + 1.0;'),
  shader(
    [read(0, 'x'), read(1, 'w'), write(2, 'y'), uniforms(3)].join('\n'),
    'n: u32, d: u32',
    'y[i] = x[i] * w[i % u.d];',
  ),
  shader(
    [
      read(0, 'x'),
      write(1, 'present', 'array<u32>'),
      write(2, 'rank', 'array<i32>'),
      write(3, 'weight'),
      uniforms(4),
    ].join('\n'),
    'n: u32, d: u32',
    // The last target comes first.
    'present[i] = select(0u, 1u, x[i] > 0.0); rank[i] = i32(u.d - 1u - i % u.d); weight[i] = x[i];',
  ),
];

const u32 = (...names: readonly string[]): KernelSpec['uniforms'] => names.map((name) => ({ name, type: 'u32' }));
const kernel = (name: string, index: number, access: string, fields: KernelSpec['uniforms']): KernelSpec => ({
  name,
  shader: index,
  workgroupSize: 64,
  buffers: [...access].map((letter) => ({ access: letter === 'r' ? 'read' : 'read_write' })),
  uniforms: fields,
});

const kernels: readonly KernelSpec[] = [
  kernel('affine', 0, 'rrrww', [...u32('n', 'd'), { name: 'scale', type: 'f32' }]),
  kernel('ones', 1, 'w', u32('n')),
  kernel('seeded', 2, 'w', u32('n', 'seed')),
  kernel('increment', 3, 'rw', u32('n')),
  kernel('scale', 4, 'rrw', u32('n', 'd')),
  kernel('route', 5, 'rwww', u32('n', 'd')),
];

const launch = (
  index: number,
  buffers: readonly number[],
  n: SizeFormula,
  rest: LaunchSpec['uniforms'] = [],
  unless: string | null = null,
): LaunchSpec => ({
  kind: 'launch',
  kernel: index,
  label: kernels[index]?.name ?? '',
  workgroups: groups(n),
  buffers,
  uniforms: [n, ...rest],
  unless,
});

type Place = BufferSpec extends infer B ? (B extends BufferSpec ? Omit<B, 'label' | 'elements'> : never) : never;

const buffer = (label: string, elements: SizeFormula, place: Place): BufferSpec => ({ label, elements, ...place });

const W = 0;
const STATE = 1;
const TILT = 2;
const NOISE = 3;

const forwardBuffers: readonly BufferSpec[] = [
  buffer('x', count, { kind: 'input', input: 0 }),
  buffer('w', D, { kind: 'store', store: W }),
  buffer('tilt', 'T', { kind: 'store', store: TILT }),
  buffer('y', count, { kind: 'result' }),
  buffer('status', 1, { kind: 'status' }),
];

const forward: PlanSpec = {
  buffers: forwardBuffers,
  steps: [
    launch(1, [2], 'T', [], 'tilt'),
    launch(0, [0, 1, 2, 3, 4], count, [D, { numerator: '2', denominator: '1' }]),
  ],
  results: [{ kind: 'tensor', name: 'y', group: 'result', buffer: 3, element: 'f32', axes: [T, Dim] }],
  status: [
    {
      word: 0,
      code: 'MOE0711',
      message: 'a value is too large',
      axes: [T, Dim],
      place: 'sample.moe:3:5',
      group: 'result',
      unless: [],
      shown: [],
    },
  ],
  slots: 0,
};

const full: PlanSpec = {
  ...forward,
  buffers: [
    ...forwardBuffers,
    buffer('s', D, { kind: 'store', store: STATE }),
    buffer('s next', D, { kind: 'result' }),
    buffer('noise', D, { kind: 'store', store: NOISE }),
    buffer('noise out', D, { kind: 'result' }),
  ],
  steps: [...forward.steps, launch(3, [5, 6], D), launch(3, [7, 8], D)],
  results: [
    ...forward.results,
    { kind: 'tensor', name: 's', group: 'update', buffer: 6, element: 'f32', axes: [Dim] },
    { kind: 'tensor', name: 'noisy', group: 'output', buffer: 8, element: 'f32', axes: [Dim] },
  ],
};

const hosted: PlanSpec = {
  buffers: [
    buffer('x', count, { kind: 'input', input: 0 }),
    buffer('w', D, { kind: 'store', store: W }),
    buffer('scaled', count, { kind: 'scratch', slot: 0 }),
    buffer('from host', count, { kind: 'scratch', slot: 1 }),
    buffer('z', count, { kind: 'result' }),
  ],
  steps: [
    launch(4, [0, 1, 2], count, [D]),
    {
      kind: 'extern',
      name: 'host',
      place: 'sample.moe:4:3',
      operands: [{ name: 'x', buffer: 2, element: 'f32', axes: [T, Dim], within: null }],
      results: [{ buffer: 3, element: 'f32', axes: [T, Dim], within: null }],
      sizes: [T, Dim],
      carried: [],
      family: [],
      points: null,
      mask: null,
    },
    launch(4, [3, 1, 4], count, [D]),
  ],
  results: [{ kind: 'tensor', name: 'z', group: 'result', buffer: 4, element: 'f32', axes: [T, Dim] }],
  status: [],
  slots: 2,
};

const routed: PlanSpec = {
  buffers: [
    buffer('x', count, { kind: 'input', input: 0 }),
    buffer('present', count, { kind: 'result' }),
    buffer('rank', count, { kind: 'result' }),
    buffer('weight', count, { kind: 'result' }),
  ],
  steps: [launch(5, [0, 1, 2, 3], count, [D])],
  results: [
    {
      kind: 'route',
      element: 'f32',
      name: 'r',
      group: 'result',
      present: 1,
      rank: 2,
      weight: 3,
      sources: [T],
      targets: [Dim],
      payload: [],
      most: D,
    },
  ],
  status: [],
  slots: 0,
};

const x = { name: 'x', element: 'f32', axes: [T, Dim], within: null } as const;

export const manifest: Manifest = {
  schema: 1,
  moec: 'test',
  name: 'Sample',
  hash: 'none',
  dynamic: ['T'],
  requiredFeatures: [],
  classes: [],
  requiredLimits: { maxStorageBuffersPerShaderStage: 5 },
  stores: [
    { path: 'w', kind: 'param', element: 'f32', axes: [Dim], within: null, frozen: false, cells: null, initial: null },
    {
      path: 's',
      kind: 'state',
      element: 'f32',
      axes: [Dim],
      within: null,
      frozen: false,
      cells: null,
      initial: { kind: 'fill', value: 0.5 },
    },
    {
      path: 'tilt',
      kind: 'control',
      element: 'f32',
      axes: [T],
      within: null,
      frozen: false,
      cells: null,
      initial: null,
    },
    {
      path: 'noise',
      kind: 'param',
      element: 'f32',
      axes: [Dim],
      within: null,
      frozen: true,
      cells: null,
      initial: {
        kind: 'plan',
        plan: {
          buffers: [buffer('noise', D, { kind: 'result' })],
          steps: [launch(2, [0], D, [{ special: 'seed' }])],
          results: [{ kind: 'tensor', name: 'noise', group: 'result', buffer: 0, element: 'f32', axes: [Dim] }],
          status: [],
          slots: 0,
        },
      },
    },
  ],
  kernels,
  entries: [
    { name: 'forward', conditions: [], inputs: [x], plan: forward, full },
    { name: 'hosted', conditions: [], inputs: [x], plan: hosted, full: hosted },
    { name: 'routed', conditions: [], inputs: [x], plan: routed, full: routed },
  ],
};
