/** The law of imports: who may import whom. ARCHITECTURE.md prints it ("The rooms"), `imports.test.ts` holds the tree to it. */

/** Room → rooms it may import, besides itself. The longest prefix that fits is a file's room. */
export const law: Readonly<Record<string, readonly string[]>> = {
  'dsl/diagnostics': [],
  'dsl/types': ['dsl/diagnostics'],
  'dsl/syntax': ['dsl/diagnostics'],
  'dsl/std': ['dsl/syntax', 'dsl/diagnostics'],
  'dsl/tensors': ['dsl/types', 'dsl/diagnostics'],
  'dsl/primitives': ['dsl/tensors', 'dsl/types', 'dsl/diagnostics'],
  'dsl/check': ['dsl/primitives', 'dsl/types', 'dsl/syntax', 'dsl/diagnostics'],
  'dsl/meaning': ['dsl/tensors/sum-order.ts', 'dsl/types', 'dsl/diagnostics'],
  'dsl/interpret': ['dsl/meaning', 'dsl/primitives', 'dsl/tensors', 'dsl/types', 'dsl/diagnostics'],
  runtime: [],
  'compiler/graph': ['dsl'],
  'compiler/elaborate': ['dsl', 'compiler/graph'],
  'compiler/passes': ['dsl', 'compiler/graph'],
  'compiler/kernel': ['dsl', 'compiler/target.ts'],
  'compiler/kernels': ['dsl', 'compiler/kernel'],
  'compiler/schedule': ['dsl', 'compiler/graph', 'compiler/kernel', 'compiler/kernels', 'compiler/target.ts'],
  'compiler/verify': [
    'dsl',
    'compiler/graph',
    'compiler/kernels/compaction.ts',
    'compiler/schedule/choose-kernels.ts',
    'compiler/schedule/contents.ts',
    'compiler/schedule/memory.ts',
    'compiler/schedule/plan.ts',
  ],
  'compiler/wgsl': ['dsl', 'compiler/kernel'],
  'compiler/emit': ['dsl', 'compiler/kernel', 'compiler/schedule', 'runtime/manifest.ts'],
  'compiler/target.ts': [],
  'compiler/version.ts': [],
  'compiler/stages.ts': [],
  'compiler/overrides.ts': ['dsl'],
  'compiler/front-end.ts': ['dsl'],
  'compiler/compile.ts': [
    'dsl',
    'compiler/elaborate',
    'compiler/emit',
    'compiler/graph',
    'compiler/kernel',
    'compiler/passes',
    'compiler/schedule',
    'compiler/target.ts',
    'compiler/version.ts',
    'compiler/wgsl',
    'runtime/manifest.ts',
  ],
  'compiler/check-sizes.ts': ['dsl', 'compiler/compile.ts', 'compiler/graph', 'compiler/target.ts'],
  'compiler/api': [
    'dsl',
    'compiler/check-sizes.ts',
    'compiler/compile.ts',
    'compiler/elaborate',
    'compiler/emit',
    'compiler/front-end.ts',
    'compiler/graph',
    'compiler/overrides.ts',
    'compiler/target.ts',
    'runtime',
  ],
  'compiler/index.ts': ['dsl', 'compiler/api', 'compiler/emit', 'compiler/version.ts', 'runtime'],
  'compiler/cli': ['dsl', 'compiler', 'runtime'],
};

/** The room of a file; '' if it has none. */
export function roomOf(file: string): string {
  const fitting = Object.keys(law).filter((room) => file === room || file.startsWith(`${room}/`));
  return fitting.reduce((a, b) => (b.length > a.length ? b : a), '');
}
