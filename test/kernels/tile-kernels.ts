/**
 * A tile of a matrix product as fast kernels have it, in the IR: y[m, n] = Σ x[m, k] · w[n, k]. A subgroup computes 8 rows; a lane two
 * columns of them, which are a subgroup's width apart. Each lane loads 16 bytes of every row and hands them to the others, by
 * `broadcast` (written out over the lanes) or `shuffle` (a loop over them). Loops test at their bottom; sums are closed every block of
 * terms, in the order of sums, so that their bits are those of one thread an output.
 */
import { at } from '../../dsl/diagnostics/invariants.ts';
import { SUM_BLOCK } from '../../dsl/tensors/sum-order.ts';
import { compileKernel } from '../../compiler/kernel/interpret-kernel.ts';
import type { KernelLaunch } from '../../compiler/kernel/interpret-kernel.ts';
import type { Kernel, KernelExpr } from '../../compiler/kernel/kernel-ir.ts';
import { KernelBuilder } from '../../compiler/kernel/kernel-builder.ts';
import {
  add,
  componentsOf,
  div,
  fma,
  globalIdX,
  load,
  lt,
  min,
  mul,
  rem,
  sub,
  subgroupLane,
  workgroupIdX,
  workgroupIdY,
} from '../../compiler/kernel/make-expressions.ts';
import { Sums } from '../../compiler/kernels/sums.ts';

export const tileForms = ['broadcast', 'shuffle'] as const;
export type TileForm = (typeof tileForms)[number];

const ROWS = 8;
const COLUMNS = 2;
/** Elements of a vector. */
const LANES = 4;
/** Vectors of a block of the sum. */
const PART = SUM_BLOCK / LANES;

/** Columns are a multiple of two subgroups, terms of what a subgroup loads at once; at most `most` of them. */
export function tileKernel(form: TileForm, size: number, most: number | null): Kernel {
  const k = new KernelBuilder(`tile_${form}`, [size, 1, 1], size);
  const x = k.buffer('x', 'f32', 'read', LANES);
  const w = k.buffer('w', 'f32', 'read', LANES);
  const y = k.buffer('y', 'f32', 'read_write');
  const [rows, columns, vectors] = (['rows', 'columns', 'vectors'] as const).map((name) => k.uniform(name, 'u32'));
  if (!rows || !columns || !vectors) throw new Error('a uniform is missing');
  const first = k.let(mul(workgroupIdY, ROWS), 'row');
  const lane = k.let(subgroupLane, 'lane');
  // Rows past the end repeat the last one and are not stored.
  const bases = Array.from({ length: ROWS }, (_, i) => k.let(mul(min(add(first, i), sub(rows, 1)), vectors)));
  const column = k.let(add(mul(workgroupIdX, size * COLUMNS), lane), 'col');
  const weights = Array.from({ length: COLUMNS }, (_, j) => k.let(mul(add(column, j * size), vectors)));
  const sums = new Sums(k, 'f32', ROWS * COLUMNS, most);
  const close = () => sums.close?.();

  /** One vector of every row and column: `hand` gives the lane's part of a row. */
  const step = (from: KernelExpr, hand: (own: KernelExpr) => KernelExpr, own: readonly KernelExpr[]): void => {
    const columnsHere = weights.map((base) => k.let(load(w, add(base, from))));
    for (const [i, value] of own.entries()) {
      const a = componentsOf(hand(value));
      for (const [j, b] of columnsHere.entries()) {
        const sum = sums.open(i * COLUMNS + j);
        k.assign(
          sum,
          componentsOf(b).reduce((acc, part, c) => fma(at(a, c, 'test: component'), part, acc), sum),
        );
      }
    }
  };
  /** So many vectors as lanes, closing every block that ends among them. */
  const round = (start: KernelExpr): void => {
    const own = bases.map((base) => k.let(load(x, add(add(base, start), lane))));
    if (form === 'broadcast') {
      for (let s = 0; s < size; s++) {
        step(add(start, s), (value) => k.broadcast(value, s), own);
        if ((s + 1) % PART === 0) close();
      }
      return;
    }
    k.forOnce(0, size, Math.min(size, PART), (block) => {
      const end = add(block, Math.min(size, PART));
      k.forOnce(block, end, 1, (s) => step(add(start, s), (value) => k.shuffle(value, s), own));
      if (size >= PART) close();
    });
  };
  // Small subgroups take several rounds for a block.
  const stride = Math.max(size, PART);
  k.forOnce(0, vectors, stride, (from) => {
    k.forOnce(from, add(from, stride), size, round);
    if (size < PART) close();
  });
  for (let i = 0; i < ROWS; i++) {
    const row = add(first, i);
    k.when(lt(row, rows), () => {
      for (let j = 0; j < COLUMNS; j++)
        k.store(y, add(mul(row, columns), add(column, j * size)), sums.total(i * COLUMNS + j));
    });
  }
  return k.finish();
}

/** The same product, a thread an output, a number a load. */
export function productKernel(most: number | null): Kernel {
  const k = new KernelBuilder('product', 64);
  const x = k.buffer('x', 'f32', 'read');
  const w = k.buffer('w', 'f32', 'read');
  const y = k.buffer('y', 'f32', 'read_write');
  const [rows, columns, vectors] = (['rows', 'columns', 'vectors'] as const).map((name) => k.uniform(name, 'u32'));
  if (!rows || !columns || !vectors) throw new Error('a uniform is missing');
  const id = k.let(globalIdX);
  k.when(lt(id, mul(rows, columns)), () => {
    const terms = k.let(mul(vectors, LANES));
    const [row, column] = [k.let(mul(div(id, columns), terms)), k.let(mul(rem(id, columns), terms))];
    const sums = new Sums(k, 'f32', 1, most);
    k.forRange(0, terms, SUM_BLOCK, (block) => {
      k.forRange(block, add(block, SUM_BLOCK), 1, (i) => {
        sums.add(0, mul(load(x, add(row, i)), load(w, add(column, i))));
      });
      sums.close?.();
    });
    k.store(y, id, sums.total(0));
  });
  return k.finish();
}

/** Rows that are no multiple of a tile's, two tiles of columns, and so many rounds that the third level of the sum is reached. */
const TILE_ROWS = 13;
const ROUNDS = 20;

const values = (length: number, seed: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => Math.sin(seed + i * 12.9898) * 2 ** (i % 7));

function sizesOf(size: number) {
  const [columns, vectors] = [2 * COLUMNS * size, ROUNDS * size];
  return { columns, vectors, terms: vectors * LANES };
}

function launchOf(size: number, workgroups: KernelLaunch['workgroups']): KernelLaunch {
  const { columns, vectors, terms } = sizesOf(size);
  return {
    workgroups,
    buffers: new Map([
      ['x', { data: values(TILE_ROWS * terms, 1) }],
      ['w', { data: values(columns * terms, 2) }],
      ['y', { data: new Float32Array(TILE_ROWS * columns) }],
    ]),
    uniforms: new Map([
      ['rows', TILE_ROWS],
      ['columns', columns],
      ['vectors', vectors],
    ]),
    checks: { races: true },
  };
}

/** A tile and one thread an output over the same matrices, with their launches: [what, kernel, launch]. */
export function tileLaunches(form: TileForm, size: number): readonly (readonly [string, Kernel, KernelLaunch])[] {
  const { columns, terms } = sizesOf(size);
  return [
    [form, tileKernel(form, size, terms), launchOf(size, [2, Math.ceil(TILE_ROWS / ROWS), 1])],
    ['a thread an output', productKernel(terms), launchOf(size, [Math.ceil((TILE_ROWS * columns) / 64), 1])],
  ];
}

/** The product by one thread an output, interpreted. */
export function scalarProduct(size: number): readonly number[] {
  const { columns, terms } = sizesOf(size);
  const given = launchOf(size, [Math.ceil((TILE_ROWS * columns) / 64), 1]);
  compileKernel(productKernel(terms))(given);
  return [...(given.buffers.get('y')?.data ?? [])];
}
