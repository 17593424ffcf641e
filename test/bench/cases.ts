/**
 * What is measured: layers by their shape, published systems at the width that `examples` has them in, a decoder layer, and series in
 * which one size grows. Each case says which matrix products its equation asks for: the ceiling is those products and nothing else.
 */

/** Rows times a matrix of `columns` by `depth`; `matrices` are used by so many of the rows each, alike. */
export interface Product {
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  readonly matrices: number;
}

export type Group = 'layers' | 'published' | 'decoder' | 'growth in E' | 'growth in k' | 'growth in L';

/** A program with its sizes, but for the number of tokens. */
export interface Subject {
  readonly name: string;
  /** From the root of the repository. */
  readonly file: string;
  readonly sets: Readonly<Record<string, number>>;
  /** Sizes that a run decides, but for T. */
  readonly fixed: Readonly<Record<string, number>>;
  readonly products: (tokens: number) => readonly Product[];
  /** The shape in words. */
  readonly text: string;
}

export interface Case {
  readonly group: Group;
  readonly subject: Subject;
  readonly tokens: readonly number[];
  /** What a series grows in, at this point of it. */
  readonly at: number | null;
}

export const regimes: readonly number[] = [1, 4, 16, 64, 256, 1024];

interface Shape {
  readonly d: number;
  readonly ff: number;
  readonly e: number;
  readonly k: number;
}

/** Gate, up and down of the chosen experts, which is three times the same number of operations: one product of three times the width. */
function expertProducts({ d, ff, e, k }: Shape, matrices: 2 | 3): (tokens: number) => readonly Product[] {
  return (tokens) => [{ rows: tokens * k, columns: matrices * ff, depth: d, matrices: Math.min(e, tokens * k) }];
}

const dense = (columns: number, depth: number): ((rows: number) => readonly Product[]) => {
  return (rows) => [{ rows, columns, depth, matrices: 1 }];
};

const together =
  (...parts: readonly ((tokens: number) => readonly Product[])[]): ((tokens: number) => readonly Product[]) =>
  (tokens) =>
    parts.flatMap((part) => part(tokens));

function layer(name: string, shape: Shape): Subject {
  const { d, ff, e, k } = shape;
  return {
    name,
    file: 'test/bench/models/layer.moe',
    sets: { D: d, F: ff, E: e, K: k },
    fixed: {},
    products: together(expertProducts(shape, 3), dense(e, d)),
    text: `d = ${d}, ff = ${ff}, ${k} of ${e} experts`,
  };
}

/** The layers that the design's goals are stated in, each with the number of tokens it is stated for. */
export const layers: readonly { readonly subject: Subject; readonly tokens: number }[] = [
  { subject: layer('S1', { d: 256, ff: 512, e: 8, k: 2 }), tokens: 128 },
  { subject: layer('S2', { d: 512, ff: 1024, e: 16, k: 2 }), tokens: 256 },
  { subject: layer('S3', { d: 1024, ff: 2048, e: 8, k: 2 }), tokens: 1 },
  { subject: layer('S4', { d: 256, ff: 128, e: 64, k: 8 }), tokens: 256 },
];

/** A published system at the width of its example. `shared`: the width of experts that work for every token. */
function published(folder: string, shape: Shape & { readonly shared?: number }, matrices: 2 | 3 = 3): Subject {
  const { d, ff, e, k, shared } = shape;
  const batch: Readonly<Record<string, number>> = folder === 'gpt-oss' ? {} : { B: 1 };
  const beside = shared === undefined ? [] : [dense(matrices * shared, d)];
  return {
    name: folder,
    file: `examples/${folder}/model.moe`,
    sets: {},
    fixed: batch,
    products: together(expertProducts(shape, matrices), dense(e, d), ...beside),
    text: `d = ${d}, ff = ${ff}, ${k} of ${e} experts${shared === undefined ? '' : `, a shared one of ${shared}`}`,
  };
}

const systems: readonly Subject[] = [
  published('mixtral', { d: 256, ff: 896, e: 8, k: 2 }),
  published('olmoe', { d: 256, ff: 128, e: 64, k: 8 }),
  published('gpt-oss', { d: 360, ff: 360, e: 32, k: 4 }),
  published('deepseek-v3', { d: 448, ff: 128, e: 256, k: 8, shared: 128 }),
  published('qwen2-moe', { d: 224, ff: 160, e: 64, k: 8, shared: 1280 }),
  published('dbrx', { d: 256, ff: 448, e: 16, k: 4 }),
  published('qwen3-moe', { d: 256, ff: 96, e: 128, k: 8 }),
  published('switch', { d: 256, ff: 768, e: 8, k: 1 }, 2),
];

const past = 256;

const decoder: Subject = (() => {
  const shape: Shape = { d: 256, ff: 512, e: 8, k: 2 };
  const { d, ff, e, k } = shape;
  const attention = (tokens: number): readonly Product[] => [
    { rows: tokens, columns: 2 * (past + tokens), depth: d, matrices: 1 },
  ];
  return {
    name: 'decoder',
    file: 'test/bench/models/decoder.moe',
    sets: { D: d, F: ff, E: e, K: k, M: past },
    fixed: {},
    products: together(dense(4 * d, d), attention, dense(e, d), expertProducts(shape, 3)),
    text: `d = ${d}, 4 heads over ${past} tokens of the past, ff = ${ff}, ${k} of ${e} experts`,
  };
})();

const series = { d: 128, ff: 256, e: 16, k: 2 };

function stack(depth: number): Subject {
  const shape = { d: 128, ff: 256, e: 8, k: 2 };
  const one = together(expertProducts(shape, 3), dense(shape.e, shape.d));
  return {
    name: `L=${depth}`,
    file: 'test/bench/models/stack.moe',
    sets: { L: depth },
    fixed: {},
    products: (tokens) => Array.from({ length: depth }, () => one(tokens)).flat(),
    text: `${depth} layers of d = 128, ff = 256, 2 of 8 experts`,
  };
}

/**
 * The cases, what matters most first. `quick`: those that a sitting of ten minutes has time for; the number of tokens that a layer
 * is stated for is always among its own.
 */
export function casesOf(quick: boolean): readonly Case[] {
  const own = (tokens: number, usual: readonly number[]): readonly number[] =>
    [...new Set([...usual, tokens])].sort((a, b) => a - b);
  const tokens = quick ? [1, 16, 64] : regimes;
  const grown = <T>(quickly: readonly T[], all: readonly T[]): readonly T[] => (quick ? quickly : all);
  const at = (group: Group, value: number, subject: Subject): Case => ({
    group,
    subject,
    tokens: [group === 'growth in L' ? 16 : 64],
    at: value,
  });
  return [
    ...layers.map(({ subject, tokens: stated }): Case => ({
      group: 'layers',
      subject,
      tokens: own(stated, tokens),
      at: null,
    })),
    { group: 'decoder', subject: decoder, tokens: quick ? [1, 64] : regimes, at: null },
    ...grown(systems.slice(0, 2), systems).map((subject): Case => ({
      group: 'published',
      subject,
      tokens: quick ? [1, 64] : [1, 16, 64, 256],
      at: null,
    })),
    ...grown([4, 32], [4, 8, 16, 32, 64, 128]).map((e) =>
      at('growth in E', e, { ...layer(`E=${e}`, { ...series, e }), name: `E=${e}` }),
    ),
    ...grown([1, 4], [1, 2, 4, 8]).map((k) => at('growth in k', k, layer(`k=${k}`, { ...series, k }))),
    ...grown([1, 4], [1, 2, 4, 8]).map((depth) => at('growth in L', depth, stack(depth))),
  ];
}

/** Floating-point operations of products: a multiplication and an addition each. */
export function operationsOf(products: readonly Product[]): number {
  return products.reduce((sum, { rows, columns, depth }) => sum + 2 * rows * columns * depth, 0);
}
