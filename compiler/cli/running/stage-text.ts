/** The text of each stage of a compilation: what `moec compile --emit=STAGE` prints. */
import { unreachable } from '../../../dsl/diagnostics/bug.ts';
import { lex } from '../../../dsl/syntax/lex.ts';
import { printTokens } from '../../../dsl/syntax/print-tokens.ts';
import { printProgram } from '../../../dsl/check/print-program.ts';
import { hashOf, type Compilation, type CompiledPlan } from '../../compile.ts';
import { printGraph } from '../../graph/print-graph.ts';
import { printKernel } from '../../kernel/print-kernel.ts';
import { printSchedule } from '../../schedule/deciding/print-schedule.ts';
import { printPlan } from '../../schedule/memory/print-plan.ts';
import { limitsText } from '../../schedule/deciding/regimes.ts';
import type { Stage } from '../../stages.ts';
import type { Project } from './project.ts';

/** Stages that need no compiled program. */
export type FrontStage = Extract<Stage, 'tokens' | 'ast' | 'program'>;

export function isFrontStage(stage: Stage): stage is FrontStage {
  return stage === 'tokens' || stage === 'ast' || stage === 'program';
}

export function frontText(stage: FrontStage, project: Project): string {
  switch (stage) {
    case 'tokens':
      return printTokens(project.source, lex(project.source).tokens);
    case 'ast':
      return json(project.file);
    case 'program':
      return project.program === null ? '' : printProgram(project.program);
    default:
      return unreachable(stage, 'manifest');
  }
}

export function stageText(
  stage: Exclude<Stage, FrontStage>,
  { entries, kernels, shaders, manifest }: Compilation,
): string {
  const plans = entries.flatMap((e) =>
    e.withAux === e.inference
      ? [[e.name, e.inference] as const]
      : [[e.name, e.inference] as const, [`${e.name} with losses, outputs and updates`, e.withAux] as const],
  );
  const told = (some: typeof plans, text: (compiled: CompiledPlan) => string): string =>
    some.map(([name, compiled]) => `// ${name}\n${text(compiled)}`).join('\n');
  const each = (text: (compiled: CompiledPlan) => string): string => told(plans, text);
  const eachRegime = (text: (compiled: CompiledPlan) => string): string =>
    told(plans.flatMap(([name, compiled]) => regimesNamed(name, compiled)), text); // prettier-ignore
  switch (stage) {
    case 'graph':
      return each((c) => printGraph(c.graph));
    case 'optimised':
      return each((c) => printGraph(c.fused.graph));
    case 'sparse':
      return each((c) => printGraph(c.fused.graph, { domains: c.fused.domains, materialised: c.fused.materialised }));
    case 'schedule':
      return eachRegime((c) => `// graph ${hashOf(c)}\n${printSchedule(c.schedule, c.fused.graph)}`);
    case 'plan':
      return eachRegime((c) => printPlan(c.plan));
    case 'kernel':
      return `${kernels.map((k) => printKernel(k).trimEnd()).join('\n\n')}\n`;
    case 'wgsl':
      return `${shaders.map((text, i) => `// shader ${i}\n${text.trimEnd()}`).join('\n\n')}\n`;
    case 'manifest':
      return json(manifest);
    default:
      return unreachable(stage, 'manifest');
  }
}

/** What is compiled for a name, for each regime, with what tells for which runs it is. */
export function regimesNamed(name: string, compiled: CompiledPlan): readonly (readonly [string, CompiledPlan])[] {
  const { few } = compiled;
  if (few === null) return [[name, compiled]];
  return [
    [name, compiled],
    [`${name}, where ${limitsText(few.when)}`, few.plan],
  ];
}

/** Maps as objects (names of a program are data here, so `__proto__` must stay one), sets as lists, big integers as text. */
function json(value: unknown): string {
  const plain = (_: string, item: unknown): unknown => {
    if (typeof item === 'bigint') return String(item);
    if (item instanceof Set) return [...item];
    if (item instanceof Map) return [...item].map(([key, entry]: [unknown, unknown]) => ({ key, entry }));
    return item;
  };
  return `${JSON.stringify(value, plain, 1)}\n`;
}
