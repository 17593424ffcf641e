/**
 * Kernels for plain products, written by hand: what a layer's matrix products cost where nothing is routed, gathered or combined. They
 * are the ceiling of the benchmark, so there are several forms, and the fastest on the adapter of the sitting counts.
 *
 * A matrix product is x [rows, depth] times w [columns, depth], both with the sum along the last axis, as the experts have them. A
 * matrix-vector product has a matrix for each row of x, which is one of `matrices` in turn: no weight is used again by the next row.
 * Sizes are uniforms, so that a form is compiled once. Loops test at their bottom: lavapipe runs the body of one that tests at its
 * top once more with no lane active.
 */

export interface Form {
  readonly name: string;
  readonly kind: 'matrix' | 'vector';
  readonly code: string;
  /** What sizes have to be whole multiples of. */
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  /** Workgroups for sizes that are. */
  readonly grid: (rows: number, columns: number) => readonly [number, number];
}

const times = (count: number, text: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => text(i)).join('');

const head = (enable: string): string => `${enable}
struct Sizes { rows: u32, columns: u32, depth: u32, matrices: u32 }
@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> w: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
`;

const subgroups = 'enable subgroups;';

/** sum += a · b, one term after the other. */
const fma4 = (sum: string, a: string, b: string): string =>
  `${sum} = fma(${a}.w, ${b}.w, fma(${a}.z, ${b}.z, fma(${a}.y, ${b}.y, fma(${a}.x, ${b}.x, ${sum}))));`;

/** How the lanes of a subgroup come by the rows: each loads a part and hands it round, in a loop or written out; or each loads all. */
type Sharing = 'shuffle' | 'broadcast' | 'none';

/** A tile of `rows` by `columns` for each lane; lanes lie along the columns. */
function tile(sharing: Sharing, lanes: number, rows: number, columns: number): Form {
  const sums = (at: (i: number, j: number) => string): string => times(rows, (i) => times(columns, (j) => at(i, j)));
  const loads = (q: string): string => times(columns, (j) => `let b${j} = w[c${j} + ${q}];`);
  const rowsOf = (value: (i: number) => string): string =>
    times(rows, (i) => `{ let a = ${value(i)}; ${times(columns, (j) => fma4(`s${i}_${j}`, 'a', `b${j}`))} }`);
  const shared = times(rows, (i) => `let v${i} = x[r${i} + q + lane];`);
  const loops: Readonly<Record<Sharing, string>> = {
    none: `loop { ${loads('q')} ${rowsOf((i) => `x[r${i} + q]`)} continuing { q += 1u; break if q >= terms; } }`,
    broadcast: `loop { ${shared} ${times(lanes, (l) => `{ ${loads(`q + ${l}u`)} ${rowsOf((i) => `subgroupBroadcast(v${i}, ${l}u)`)} }`)} continuing { q += ${lanes}u; break if q >= terms; } }`,
    shuffle: `loop { ${shared} var l = 0u; loop { ${loads('q + l')} ${rowsOf((i) => `subgroupShuffle(v${i}, l)`)} continuing { l += 1u; break if l >= ${lanes}u; } } continuing { q += ${lanes}u; break if q >= terms; } }`,
  };
  const code = `${head(sharing === 'none' ? '' : subgroups)}
@compute @workgroup_size(${lanes}) fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let lane = local.x; let terms = sizes.depth / 4u; let row = group.x * ${rows}u; let column = group.y * ${lanes * columns}u + lane;
  ${times(rows, (i) => `let r${i} = (row + ${i}u) * terms;`)} ${times(columns, (j) => `let c${j} = (column + ${j * lanes}u) * terms;`)}
  ${sums((i, j) => `var s${i}_${j} = 0.0;`)}
  var q = 0u; ${loops[sharing]}
  ${sums((i, j) => `y[(row + ${i}u) * sizes.columns + column + ${j * lanes}u] = s${i}_${j};`)}
}`;
  return {
    name: `${sharing === 'none' ? 'plain' : sharing} ${rows}x${columns}`,
    kind: 'matrix',
    code,
    rows,
    columns: lanes * columns,
    depth: sharing === 'none' ? 4 : 4 * lanes,
    grid: (m, n) => [m / rows, n / (lanes * columns)],
  };
}

/** A block of 64 by 64 for a workgroup of 256, through workgroup memory: what suits devices with fast barriers. */
const block: Form = {
  name: 'workgroup 64x64',
  kind: 'matrix',
  code: `${head('')}
var<workgroup> left: array<vec4f, 256>;
var<workgroup> right: array<vec4f, 256>;
@compute @workgroup_size(256) fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  let terms = sizes.depth / 4u; let row = group.x * 64u; let column = group.y * 64u; let ty = index / 16u; let tx = index % 16u;
  ${times(4, (i) => times(4, (j) => `var s${i}_${j} = 0.0;`))}
  var q = 0u;
  loop {
    left[index] = x[(row + index / 4u) * terms + q + index % 4u];
    right[index] = w[(column + index / 4u) * terms + q + index % 4u];
    workgroupBarrier();
    ${times(4, (t) => `{ ${times(4, (j) => `let b${j} = right[(tx + ${16 * j}u) * 4u + ${t}u];`)} ${times(4, (i) => `{ let a = left[(ty + ${16 * i}u) * 4u + ${t}u]; ${times(4, (j) => fma4(`s${i}_${j}`, 'a', `b${j}`))} }`)} }`)}
    workgroupBarrier();
    continuing { q += 4u; break if q >= terms; }
  }
  ${times(4, (i) => times(4, (j) => `y[(row + ty + ${16 * i}u) * sizes.columns + column + tx + ${16 * j}u] = s${i}_${j};`))}
}`,
  rows: 64,
  columns: 64,
  depth: 16,
  grid: (m, n) => [m / 64, n / 64],
};

/** A row of weights is a subgroup's, `rows` of them at a time, its lanes along the sum. */
function rowsOfSubgroup(lanes: number, rows: number): Form {
  return {
    name: `row ${rows}`,
    kind: 'vector',
    code: `${head(subgroups)}
@compute @workgroup_size(${lanes}) fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let terms = sizes.depth / 4u; let v = group.y; let n = group.x * ${rows}u; let at = ((v % sizes.matrices) * sizes.columns + n) * terms;
  ${times(rows, (i) => `var s${i} = vec4f();`)}
  var q = local.x; loop { let a = x[v * terms + q]; ${times(rows, (i) => `s${i} = fma(a, w[at + ${i}u * terms + q], s${i});`)} continuing { q += ${lanes}u; break if q >= terms; } }
  ${times(rows, (i) => `let t${i} = subgroupAdd(dot(s${i}, vec4f(1)));`)}
  if (local.x == 0u) { ${times(rows, (i) => `y[v * sizes.columns + n + ${i}u] = t${i};`)} }
}`,
    rows: 1,
    columns: rows,
    depth: 4 * lanes,
    grid: (m, n) => [n / rows, m],
  };
}

/** A row of weights is a lane's, `rows` of them at a time. */
function rowsOfLane(sharing: 'broadcast' | 'none', lanes: number, rows: number): Form {
  const loads = (q: string): string => times(rows, (i) => `s${i} = fma(a, w[c${i} + ${q}], s${i});`);
  const loop =
    sharing === 'none'
      ? `loop { { let a = x[v * terms + q]; ${loads('q')} } continuing { q += 1u; break if q >= terms; } }`
      : `loop { let part = x[v * terms + q + lane]; ${times(lanes, (l) => `{ let a = subgroupBroadcast(part, ${l}u); ${loads(`q + ${l}u`)} }`)} continuing { q += ${lanes}u; break if q >= terms; } }`;
  return {
    name: `lane ${rows}${sharing === 'none' ? ' plain' : ''}`,
    kind: 'vector',
    code: `${head(sharing === 'none' ? '' : subgroups)}
@compute @workgroup_size(${lanes}) fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let lane = local.x; let terms = sizes.depth / 4u; let v = group.y; let n = group.x * ${rows * lanes}u + lane; let at = (v % sizes.matrices) * sizes.columns;
  ${times(rows, (i) => `var s${i} = vec4f(); let c${i} = (at + n + ${i * lanes}u) * terms;`)}
  var q = 0u; ${loop}
  ${times(rows, (i) => `y[v * sizes.columns + n + ${i * lanes}u] = dot(s${i}, vec4f(1));`)}
}`,
    rows: 1,
    columns: rows * lanes,
    depth: sharing === 'none' ? 4 : 4 * lanes,
    grid: (m, n) => [n / (rows * lanes), m],
  };
}

/** The forms that may be the fastest on an adapter: few, since software drivers take seconds to compile one. */
export function formsFor(lanes: number, software: boolean): readonly Form[] {
  if (lanes === 0) return [tile('none', 8, 8, 2), tile('none', 8, 8, 4), block, rowsOfLane('none', 8, 4)];
  // Written out over many lanes the text grows beyond what a driver compiles in reasonable time.
  const short = lanes <= 8;
  return [
    tile('shuffle', lanes, 8, 4),
    ...(software && short ? [tile('broadcast', lanes, 8, 4)] : []),
    ...(lanes <= 4 ? [tile('broadcast', lanes, 16, 4)] : []),
    ...(software ? [] : [block]),
    rowsOfSubgroup(lanes, 4),
    ...(short ? [rowsOfLane('broadcast', lanes, 4)] : []),
  ];
}
