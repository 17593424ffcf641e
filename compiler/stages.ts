/**
 * The stages of a compilation, in order: what `--emit` and `--stop-after` name.
 *
 * A table of names alone, because the help of the command line reads it and must load nothing more: who prints a stage and who
 * verifies it are the files that do (`stage-text.ts` and the line itself call them). That each verifier runs in every compilation is
 * tested by planting a fault in what each stage gives.
 */
export interface StageRow {
  readonly name: string;
  /** What the stage gives. */
  readonly what: string;
  /** Who turns it into text; null: it is data, and printed as JSON. */
  readonly print: string | null;
  /** Who throws a CompilerBug if it is not what its types and comments say. */
  readonly verify: string;
}

export const stageTable = [
  {
    name: 'tokens',
    what: 'the words of the text',
    print: 'dsl/syntax/print-tokens.ts',
    verify: 'dsl/syntax/verify-syntax.ts',
  },
  { name: 'ast', what: 'the tree of the text', print: null, verify: 'dsl/syntax/verify-syntax.ts' },
  {
    name: 'program',
    what: 'names resolved, types known',
    print: 'dsl/check/print-program.ts',
    verify: 'dsl/check/verify-program.ts',
  },
  {
    name: 'graph',
    what: 'dense operations; routes have become masks',
    print: 'compiler/graph/print-graph.ts',
    verify: 'compiler/graph/verify-graph.ts',
  },
  {
    name: 'optimised',
    what: 'the graph after all passes',
    print: 'compiler/graph/print-graph.ts',
    verify: 'compiler/graph/verify-graph.ts',
  },
  {
    name: 'sparse',
    what: 'where each value is computed, and what gets memory',
    print: 'compiler/graph/print-graph.ts',
    verify: 'compiler/graph/verify-graph.ts',
  },
  {
    name: 'schedule',
    what: 'which kernels compute what, over which points, in which order',
    print: 'compiler/schedule/deciding/print-schedule.ts',
    verify: 'compiler/schedule/deciding/verify-schedule.ts',
  },
  {
    name: 'plan',
    what: 'launches, buffers and lifetimes',
    print: 'compiler/schedule/memory/print-plan.ts',
    verify: 'compiler/schedule/memory/verify-plan.ts',
  },
  {
    name: 'kernel',
    what: 'kernels that are legal for the target',
    print: 'compiler/kernel/print-kernel.ts',
    verify: 'compiler/kernel/verify-kernel.ts',
  },
  {
    name: 'wgsl',
    what: 'shader texts',
    print: 'compiler/wgsl/print-wgsl.ts',
    verify: 'compiler/wgsl/verify-wgsl.ts',
  },
  {
    name: 'manifest',
    what: 'all that a module is besides its shaders',
    print: null,
    verify: 'compiler/emit/verify-manifest.ts',
  },
] as const satisfies readonly StageRow[];

export type Stage = (typeof stageTable)[number]['name'];
export const stages: readonly Stage[] = stageTable.map(({ name }) => name);

export function isStage(text: string): text is Stage {
  return stages.some((s) => s === text);
}
