/**
 * The straight line from a typed program to a module, top to bottom. Pure: what is read and written is the caller's.
 */
import type { Program } from '../dsl/types/program.ts';
import { CompilerBug, verified } from '../dsl/diagnostics/bug.ts';
import { at } from '../dsl/diagnostics/invariants.ts';
import { hasErrors, type Diagnostic, type Span } from '../dsl/diagnostics/diagnostic.ts';
import type { StaticValue } from '../dsl/meaning/instances.ts';
import { positionAt, type SourceFile } from '../dsl/diagnostics/source-file.ts';
import type { Manifest } from '../runtime/contract/manifest.ts';
import { elaborate, type ElaboratedEntry, type Elaboration } from './elaborate/elaborate.ts';
import { fingerprint } from './emit/hash.ts';
import { buildManifest } from './emit/build-manifest.ts';
import { verifyManifest } from './emit/verify-manifest.ts';
import type { FusedGraph } from './graph/domains.ts';
import type { Graph, GraphOutput } from './graph/graph-ir.ts';
import { printGraph } from './graph/print-graph.ts';
import type { Kernel } from './kernel/kernel-ir.ts';
import { legalise } from './kernel/legalise/legalise.ts';
import { ByStructure } from './kernel/same-kernel.ts';
import { optimise, type OptimiseOptions } from './passes/pass-list.ts';
import type { Change, GraphChanges } from './schedule/deciding/changes.ts';
import { areFew, mayHaveFew, rowLimits, type Regime } from './schedule/deciding/regimes.ts';
import { nothingFound, type Found } from './schedule/deciding/plan-schedule.ts';
import type { Schedule } from './schedule/deciding/schedule-ir.ts';
import { schedule } from './schedule/schedule.ts';
import type { Contents } from './schedule/emitting/contents.ts';
import { KernelTable } from './schedule/emitting/kernel-table.ts';
import { formsOf, type Plan, type RowLimit } from './schedule/memory/plan.ts';
import { planFaults } from './schedule/memory/verify-plan.ts';
import type { Target } from './target.ts';
import { printWgsl } from './wgsl/print-wgsl.ts';
import { verifyWgsl } from './wgsl/verify-wgsl.ts';

export interface CompileOptions {
  /** Values for the model's constants and axes. */
  readonly overrides: ReadonlyMap<string, StaticValue>;
  readonly target: Target;
  /** Only these entries; all by default. */
  readonly entries?: readonly string[];
  /**
   * For who runs an entry in one way only: the plan of its results alone, or the one with losses, outputs and updates. It stands for both
   * then. Both by default, as a module has them.
   */
  readonly plans?: 'results' | 'all';
  /** The plan of one regime alone, for all runs; else few rows have their own where that is better. */
  readonly regime?: Regime;
  /** For locations in labels. */
  readonly sources?: readonly SourceFile[];
  readonly passes?: OptimiseOptions;
  /** Schedules to be lowered instead of those that costs decide, by the graph that each is of (`graphHash`). */
  readonly schedules?: ReadonlyMap<string, string>;
  /** What is decided otherwise than by costs, by the graph likewise. Throws IllegalChange where that may not be. */
  readonly changes?: ReadonlyMap<string, readonly Change[]>;
}

/** One plan and all it came from. */
export interface CompiledPlan {
  readonly graph: Graph;
  readonly fused: FusedGraph;
  /** What was decided. */
  readonly schedule: Schedule;
  /** With the kernels that ship: legalised for the target. */
  readonly plan: Plan;
  /** What the plan's buffers hold, for who verifies a run of it. */
  readonly contents: Contents;
  /** For which runs costs decided. */
  readonly regime: Regime;
  /** What runs with few rows do instead (schedule/deciding/regimes.ts); null: the same. */
  readonly few: FewPlan | null;
}

export interface FewPlan {
  readonly when: readonly RowLimit[];
  readonly plan: CompiledPlan;
}

/** What is compiled for a run with these sizes. */
export function planFor(compiled: CompiledPlan, sizes: ReadonlyMap<string, number>): CompiledPlan {
  const { few } = compiled;
  return few !== null && areFew(few.when, sizes) ? few.plan : compiled;
}

/** What is compiled for runs of all regimes, the one for many rows first. */
export function regimesOf(compiled: CompiledPlan): readonly CompiledPlan[] {
  return compiled.few === null ? [compiled] : [compiled, compiled.few.plan];
}

export interface CompiledEntry {
  readonly name: string;
  readonly elaborated: ElaboratedEntry;
  readonly inference: CompiledPlan;
  /** With losses, outputs and updates; the same object when there are none. */
  readonly withAux: CompiledPlan;
}

export interface Compilation {
  readonly diagnostics: readonly Diagnostic[];
  readonly elaboration: Elaboration;
  readonly entries: readonly CompiledEntry[];
  /** Legalised, in the order of the manifest. */
  readonly kernels: readonly Kernel[];
  readonly shaders: readonly string[];
  /** Plans of initial values that are no plain number, by the variable's path. */
  readonly initialPlans: ReadonlyMap<string, Plan>;
  /** null if there are errors. */
  readonly manifest: Manifest | null;
}

/** Compiles a checked program. Mistakes that only sizes show (a range that leaves its axis) are among the diagnostics. */
export function compileProgram(program: Program, options: CompileOptions): Compilation {
  const diagnostics: Diagnostic[] = [];
  const report = reporterInto(diagnostics);
  const elaboration = elaborate(program, options, report);
  const stopped = { diagnostics, elaboration, kernels: [], shaders: [], manifest: null } as const;
  if (hasErrors(diagnostics)) return { ...stopped, entries: [], initialPlans: new Map() };

  const locationOf = locator(options.sources ?? []);
  const planOf = planner(program, elaboration, options, locationOf, report);
  const entries = elaboration.entries.map((elaborated): CompiledEntry => {
    const { name } = elaborated;
    const only = options.plans === undefined ? null : elaborated[options.plans === 'all' ? 'withAux' : 'inference'];
    const inference = planOf(only ?? elaborated.inference, name);
    const isOne = only !== null || elaborated.withAux === elaborated.inference;
    const withAux = isOne ? inference : planOf(elaborated.withAux, name);
    return { name, elaborated, inference, withAux };
  });
  const initialPlans = new Map(
    elaboration.variables.flatMap(({ used, initial }) =>
      initial?.kind === 'graph' ? [[used.variable.path, planOf(initial.graph, null).plan] as const] : [],
    ),
  );
  if (hasErrors(diagnostics)) return { ...stopped, entries, initialPlans };

  const compiled = [...new Set(entries.flatMap(({ inference, withAux }) => [inference, withAux]))];
  const { kernels, kernelNumber, portable } = kernelsOf([
    ...compiled.map(({ plan }) => plan),
    ...initialPlans.values(),
    ...compiled.flatMap(({ few }) => (few === null ? [] : [few.plan.plan])),
  ]);
  const { shaders, shaderOf } = printShaders(kernels, portable);
  const manifest = buildManifest({
    name: program.name,
    elaboration,
    entries,
    initialPlans,
    classes: options.target.classes,
    kernels,
    kernelNumber,
    shaders,
    shaderOf,
    locationOf,
  });
  verifyManifest(manifest, shaders);
  return { diagnostics, elaboration, entries, kernels, shaders, initialPlans, manifest };
}

/** Optimises a graph, schedules it and makes the kernels of its plans legal: of the one for many rows, and of that for few if it is another. */
function planner(
  program: Program,
  elaboration: Elaboration,
  options: CompileOptions,
  locationOf: (span: Span) => string,
  report: (problem: Diagnostic) => void,
): (graph: Graph, entry: string | null) => CompiledPlan {
  const { target } = options;
  const legal = legaliser(target);
  const kernels = new KernelTable();
  return (graph, entry) => {
    const fused = optimise(graph, options.passes);
    const declared = (role: 'input' | 'store', name: string): Span | null =>
      role === 'store'
        ? (elaboration.variables.find((s) => s.used.variable.path === name)?.used.variable.declaration.span ?? null)
        : (program.entries.find((e) => e.name === entry)?.formals.find((f) => f.name === name)?.span ?? null);
    const planned = (regime: Regime, decisions: Given, likely = nothingFound): Planned => {
      const made = schedule(fused, target, { locationOf, declared, kernels, regime, likely, ...decisions });
      const { schedule: decided, plan, contents, found, diagnostics: limitViolations } = made;
      if (regime === 'many') limitViolations.forEach(report);
      verified('schedule', `the plan of ${plan.name}`, planFaults(plan));
      const fits = limitViolations.length === 0;
      // A plan that does not fit the target has kernels that are not legal on it: nothing will run them.
      const shipped = fits ? legaliseKernels(plan, legal) : plan;
      return { compiled: { graph, fused, regime, schedule: decided, plan: shipped, contents, few: null }, fits, found };
    };
    const { compiled: many, fits, found } = planned('many', given(fused, 'many', options));
    const isAsked = options.regime === undefined ? isForDecoding(graph) : options.regime === 'few';
    if (!fits || entry === null || !isAsked || !mayHaveFew(fused, many.schedule, target)) return many;
    const decisions = given(fused, 'few', options);
    const few = planned('few', decisions, found);
    const when = rowLimits(fused, many.schedule, few.compiled.schedule);
    const isWanted =
      options.regime === 'few' || decisions.given !== undefined || isBetter(few.compiled.plan, many.plan);
    if (!few.fits || when === null || !isWanted) return many;
    return when.length === 0 || options.regime === 'few'
      ? few.compiled
      : { ...many, few: { when, plan: few.compiled } };
  };
}

interface Planned {
  readonly compiled: CompiledPlan;
  /** Whether the target has room for it. */
  readonly fits: boolean;
  readonly found: Found;
}

/** Whether runs of a graph may be one token after another: with losses alone they look at many, or at what came of them. */
function isForDecoding({ outputs }: Graph): boolean {
  const has = (role: GraphOutput['role']): boolean => outputs.some((output) => output.role === role);
  return has('update') || !(has('loss') || has('output'));
}

/** Whether a plan has fewer launches than another one, and takes nothing more. */
function isBetter(plan: Plan, than: Plan): boolean {
  const given = ({ buffers }: Plan): readonly string[] =>
    buffers.flatMap(({ role, label }) =>
      role.kind === 'input' || role.kind === 'store' ? [`${role.kind} ${label}`] : [],
    );
  const known = new Set(given(than));
  return plan.steps.length < than.steps.length && given(plan).every((own) => known.has(own));
}

interface Given {
  readonly given?: string;
  readonly changes?: GraphChanges;
}

/** What is given for a schedule of a graph, if anything: its text, or changes to the one that costs decide. */
function given(fused: FusedGraph, regime: Regime, { schedules, changes }: CompileOptions): Given {
  if (schedules === undefined && changes === undefined) return {};
  const hash = graphHash(fused, regime);
  const [text, own] = [schedules?.get(hash), changes?.get(hash)];
  return {
    ...(text === undefined ? {} : { given: text }),
    ...(own === undefined ? {} : { changes: { graph: hash, changes: own } }),
  };
}

/** Tells graphs apart, as a printed schedule does: what is computed where, before anything of it has memory; and the regimes of one. */
export function graphHash({ graph, domains }: FusedGraph, regime: Regime): string {
  const text = printGraph(graph, { domains });
  return fingerprint(regime === 'many' ? text : `${text}few`);
}

/** The hash of what was compiled. */
export const hashOf = ({ fused, regime }: Pick<CompiledPlan, 'fused' | 'regime'>): string => graphHash(fused, regime);

function legaliseKernels(plan: Plan, legal: (kernel: Kernel) => Kernel): Plan {
  return { ...plan, kernels: plan.kernels.map(legal) };
}

/** Legalises kernels of a target; one that several plans of a program share, once. */
function legaliser(target: Target): (kernel: Kernel) => Kernel {
  const known = new Map<Kernel, Kernel>();
  return (kernel) => {
    const legal = known.get(kernel) ?? legalise(kernel, target);
    known.set(kernel, legal);
    return legal;
  };
}

/** The kernels of a module, in the order of their first launch: launches of equal structure, in any of its plans, share one. */
function kernelsOf(plans: readonly Plan[]): {
  readonly kernels: readonly Kernel[];
  readonly kernelNumber: (kernel: Kernel) => number;
  /** Numbers of those that devices of no class launch too. */
  readonly portable: ReadonlySet<number>;
} {
  const kernels: Kernel[] = [];
  const known = new ByStructure<number>();
  const numbers = new Map<Kernel, number>();
  for (const plan of plans) {
    for (const form of plan.steps.flatMap(formsOf)) {
      const kernel = plan.kernels[form.kernel];
      if (kernel === undefined || numbers.has(kernel)) continue;
      numbers.set(
        kernel,
        known.get(kernel, (first) => kernels.push(first) - 1),
      );
    }
  }
  const kernelNumber = (kernel: Kernel): number => {
    const number = numbers.get(kernel);
    if (number === undefined) throw new CompilerBug('kernel', `${kernel.name} is no kernel of the module`);
    return number;
  };
  const launched = plans.flatMap((plan) =>
    plan.steps.flatMap((step) =>
      step.kind === 'launch' ? [at(plan.kernels, step.kernel, 'kernel: of a launch')] : [],
    ),
  );
  return { kernels, kernelNumber, portable: new Set(launched.map(kernelNumber)) };
}

/** The shader texts of a module, each once, those of the portable forms first, and which of them each kernel has. */
function printShaders(
  kernels: readonly Kernel[],
  portable: ReadonlySet<number>,
): {
  readonly shaders: readonly string[];
  readonly shaderOf: readonly number[];
} {
  const texts = kernels.map((kernel) => {
    const text = printWgsl(kernel);
    verifyWgsl(kernel, text);
    return text;
  });
  const ofAll = texts.filter((_, kernel) => portable.has(kernel));
  const shaders = [...new Set([...ofAll, ...texts])];
  const numbers = new Map(shaders.map((text, i) => [text, i]));
  return { shaders, shaderOf: texts.flatMap((text) => numbers.get(text) ?? []) };
}

/** Keeps diagnostics of one code at one place once: a declaration that several entries read has one mistake. */
function reporterInto(diagnostics: Diagnostic[]): (problem: Diagnostic) => void {
  return (problem) => {
    const same = (d: Diagnostic): boolean =>
      d.code === problem.code && d.span?.start === problem.span?.start && d.span?.source === problem.span?.source;
    if (!diagnostics.some(same)) diagnostics.push(problem);
  };
}

/** How a place in the source is written: `mixtral.moe:14:5`. */
export function locator(sources: readonly SourceFile[]): (span: Span) => string {
  return (span) => {
    const source = sources.find((s) => s.name === span.source);
    if (source === undefined) return span.source === '' ? '?' : shownName(span.source);
    const { line, column } = positionAt(source, span.start);
    return `${shownName(span.source)}:${line}:${column}`;
  };
}

/** A file without its folders: where a model lies on one machine is nothing that its module should tell, or depend on. */
function shownName(source: string): string {
  return source.startsWith('std/') ? source : (source.split(/[\\/]/).at(-1) ?? source);
}
