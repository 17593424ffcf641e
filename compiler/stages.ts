/** The stages of a compilation, in order: what `--emit` and `--stop-after` name. */
export const stages = [
  'tokens',
  'ast',
  'program',
  'graph',
  'optimised',
  'sparse',
  'plan',
  'kernel',
  'wgsl',
  'manifest',
] as const;
export type Stage = (typeof stages)[number];

export function isStage(text: string): text is Stage {
  return stages.some((s) => s === text);
}
