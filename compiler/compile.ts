/**
 * The straight line from a typed program to a module, top to bottom. Pure: what is read and written is the caller's.
 */
import type { Program } from '../dsl/types/program.ts';
import { hasErrors, type Diagnostic, type Span } from '../dsl/diagnostics/diagnostic.ts';
import type { StaticValue } from '../dsl/meaning/instances.ts';
import { asNumber, formatSize, sizeKey } from '../dsl/types/size.ts';
import { positionAt, type SourceFile } from '../dsl/diagnostics/source-file.ts';
import type { SizeConstraintSpec, EntrySpec, Manifest, PlanSpec, VariableSpec } from '../runtime/contract/manifest.ts';
import { elaborate, type ElaboratedEntry, type Elaboration, type EntryInput } from './elaborate/elaborate.ts';
import { fingerprint } from './emit/hash.ts';
import { KernelTable, toKernelSpec, toManifestPlan } from './emit/plan-to-manifest.ts';
import { sizeFormula } from './emit/size-formula.ts';
import { axisSpec, variableSpec } from './emit/variable-specs.ts';
import { divisionsOf } from './graph/divisions.ts';
import type { FusedGraph } from './graph/domains.ts';
import type { Graph } from './graph/graph-ir.ts';
import type { Kernel } from './kernel/kernel-ir.ts';
import { legalise } from './kernel/legalise/legalise.ts';
import { printKernel } from './kernel/print-kernel.ts';
import { optimise, type OptimiseOptions } from './passes/pass-list.ts';
import { schedule } from './schedule/schedule.ts';
import type { Contents } from './schedule/emitting/contents.ts';
import type { Plan } from './schedule/memory/plan.ts';
import { webgpuCore, type Target } from './target.ts';
import { moecVersion } from './version.ts';
import { printWgsl } from './wgsl/print-wgsl.ts';

export interface CompileOptions {
  /** Values for the model's constants and axes. */
  readonly overrides: ReadonlyMap<string, StaticValue>;
  readonly target: Target;
  /** Only these entries; all by default. */
  readonly entries?: readonly string[];
  /** For places in labels. */
  readonly sources?: readonly SourceFile[];
  readonly passes?: OptimiseOptions;
}

/** One plan and all it came from. */
export interface CompiledPlan {
  readonly graph: Graph;
  readonly fused: FusedGraph;
  /** With the kernels that ship: legalised for the target. */
  readonly plan: Plan;
  /** What the plan's buffers hold, for who verifies a run of it. */
  readonly contents: Contents;
}

export interface CompiledEntry {
  readonly name: string;
  readonly elaborated: ElaboratedEntry;
  readonly plain: CompiledPlan;
  /** With losses, outputs and updates; the same object when there are none. */
  readonly full: CompiledPlan;
}

export interface Compilation {
  readonly diagnostics: readonly Diagnostic[];
  readonly elaboration: Elaboration;
  readonly entries: readonly CompiledEntry[];
  /** Legalised, in the order of the manifest. */
  readonly kernels: readonly Kernel[];
  readonly shaders: readonly string[];
  /** Plans of initial values that are no plain number, by the store's path. */
  readonly initialPlans: ReadonlyMap<string, Plan>;
  /** null if there are errors. */
  readonly manifest: Manifest | null;
}

/** Compiles a checked program. Mistakes that only sizes show (a range that leaves its axis) are among the diagnostics. */
export function compileProgram(program: Program, options: CompileOptions): Compilation {
  const diagnostics: Diagnostic[] = [];
  const report = (problem: Diagnostic): void => {
    const same = (d: Diagnostic): boolean =>
      d.code === problem.code && d.span?.start === problem.span?.start && d.span?.source === problem.span?.source;
    if (!diagnostics.some(same)) diagnostics.push(problem);
  };
  const elaborateOptions = options.entries === undefined ? {} : { entries: options.entries };
  const elaboration = elaborate(program, { overrides: options.overrides, ...elaborateOptions }, report);
  if (hasErrors(diagnostics))
    return { diagnostics, elaboration, entries: [], kernels: [], shaders: [], initialPlans: new Map(), manifest: null };

  const place = locator(options.sources ?? []);
  const legal = legaliser(options.target);
  const compileGraph = (graph: Graph, entry?: string): CompiledPlan => {
    const fused = optimise(graph, options.passes);
    const declared = (role: 'input' | 'store', name: string): Span | null =>
      role === 'store'
        ? (elaboration.stores.find((s) => s.used.store.path === name)?.used.store.declaration.span ?? null)
        : (program.entries.find((e) => e.name === entry)?.formals.find((f) => f.name === name)?.span ?? null);
    const { plan, contents, diagnostics: misfits } = schedule(fused, options.target, { place, declared });
    misfits.forEach(report);
    // A plan that does not fit the target has kernels that are not legal on it: nothing will run them.
    const legalised = misfits.length > 0 ? plan : { ...plan, kernels: plan.kernels.map(legal) };
    return { graph, fused, plan: legalised, contents };
  };
  const entries = elaboration.entries.map((elaborated): CompiledEntry => {
    const plain = compileGraph(elaborated.plain, elaborated.name);
    const full = elaborated.full === elaborated.plain ? plain : compileGraph(elaborated.full, elaborated.name);
    return { name: elaborated.name, elaborated, plain, full };
  });

  const table = new KernelTable();
  const stores = elaboration.stores.map((s) => s.used.store.path);
  const names = (inputs: readonly string[]) => ({
    input: (name: string): number => inputs.indexOf(name),
    store: (path: string): number => stores.indexOf(path),
  });
  const entrySpecs = entries.map((entry): EntrySpec => {
    const { inputs } = entry.elaborated;
    const known = names(inputs.map((i) => i.name));
    const plan = toManifestPlan(entry.plain.plan, table, known);
    return {
      name: entry.name,
      conditions: conditionsOf(entry.elaborated, place),
      inputs: inputs.map(inputSpec),
      plan,
      full: entry.full === entry.plain ? plan : toManifestPlan(entry.full.plan, table, known),
    };
  });
  const initialPlans = new Map<string, Plan>();
  const storeSpecs = elaboration.stores.map((store): VariableSpec => {
    const { initial } = store;
    if (initial === null || initial.kind === 'fill') return variableSpec(store, initial);
    const compiled = compileGraph(initial.graph).plan;
    initialPlans.set(store.used.store.path, compiled);
    const plan: PlanSpec = toManifestPlan(compiled, table, names([]));
    return variableSpec(store, { kind: 'plan', plan });
  });

  const kernels = hasErrors(diagnostics) ? [] : table.kernels;
  const texts = kernels.map(printWgsl);
  const shaders = [...new Set(texts)];
  const body: Omit<Manifest, 'hash'> = {
    schema: 1,
    moec: moecVersion,
    name: program.name,
    dynamic: elaboration.dynamic,
    requiredFeatures: [],
    requiredLimits: requiredLimits(kernels, entries),
    stores: storeSpecs,
    kernels: kernels.map((kernel, i) => toKernelSpec(kernel, shaders.indexOf(texts[i] ?? ''))),
    entries: entrySpecs,
  };
  const manifest = hasErrors(diagnostics) ? null : { ...body, hash: fingerprint(JSON.stringify([body, shaders])) };
  return { diagnostics, elaboration, entries, kernels, shaders, initialPlans, manifest };
}

/** Legalises kernels of a target; one of equal text, in several plans of a program, once. */
function legaliser(target: Target): (kernel: Kernel) => Kernel {
  const known = new Map<string, Kernel>();
  return (kernel) => {
    const text = printKernel(kernel);
    const legal = known.get(text) ?? legalise(kernel, target);
    known.set(text, legal);
    return legal;
  };
}

/** A parameter of an entry as the manifest describes it. */
export function inputSpec({ name, type, axes, within }: EntryInput): EntrySpec['inputs'][number] {
  return {
    name,
    element: type.element,
    axes: axes.map(axisSpec),
    within: within === null ? null : axisSpec(within),
  };
}

/** What the sizes of a run must satisfy. Divisions come first: other conditions may have them in their formulas. */
export function conditionsOf(
  { plain, full, conditions }: ElaboratedEntry,
  place: (span: Span) => string,
): readonly SizeConstraintSpec[] {
  const always = new Set(divisionsOf(plain).map((d) => sizeKey(d.divisor)));
  const divisions = divisionsOf(full).map(({ dividend, divisor, span }): SizeConstraintSpec => {
    const message = `${formatSize(dividend)} is divided by ${formatSize(divisor)}, which is 0`;
    const condition = { left: sizeFormula(divisor), relation: '!=', right: 0, message, place: place(span) } as const;
    return always.has(sizeKey(divisor)) ? condition : { ...condition, fullOnly: true };
  });
  const others = conditions.map(({ left, relation, right, message, span }): SizeConstraintSpec => {
    return { left: sizeFormula(left), relation, right: sizeFormula(right), message, place: place(span) };
  });
  return [...divisions, ...others];
}

/** What a device must allow beyond the defaults of WebGPU. */
function requiredLimits(
  kernels: readonly Kernel[],
  entries: readonly CompiledEntry[],
): Readonly<Record<string, number>> {
  const buffers = Math.max(0, ...kernels.map((k) => k.buffers.length));
  const threads = Math.max(0, ...kernels.map((k) => k.workgroupSize));
  const sizes = entries.flatMap((e) =>
    [...e.plain.plan.buffers, ...e.full.plan.buffers].map((b) => asNumber(b.elements)),
  );
  const bytes = sizes.reduce<number>((most, n) => Math.max(most, bytesPerWord * (n ?? 0)), 0);
  const { limits } = webgpuCore;
  return {
    ...(buffers > limits.maxStorageBuffersPerShaderStage ? { maxStorageBuffersPerShaderStage: buffers } : {}),
    ...(threads > limits.maxComputeInvocationsPerWorkgroup
      ? { maxComputeInvocationsPerWorkgroup: threads, maxComputeWorkgroupSizeX: threads }
      : {}),
    ...(bytes > limits.maxStorageBufferBindingSize ? { maxStorageBufferBindingSize: bytes } : {}),
    ...(bytes > limits.maxBufferSize ? { maxBufferSize: bytes } : {}),
  };
}

/** Every stored element is one 32-bit word. */
const bytesPerWord = 4;

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
