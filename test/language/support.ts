/**
 * Texts of the language, checked and run: by the reference interpreter and by the kernels on the CPU, and compared within the
 * bounds that `compiler/cli/running/compare.ts` derives for every number.
 */
import { parseOverrides } from '../../compiler/overrides.ts';
import { compileProgram } from '../../compiler/compile.ts';
import { executeKernels, executeReference } from '../../compiler/cli/running/execute.ts';
import type { ExecuteRequest, NamedTensor, Prepared, Ready } from '../../compiler/cli/running/execution.ts';
import { compareResults, type Comparison } from '../../compiler/cli/running/compare.ts';
import { madeVariables, withRandomInputs } from '../../compiler/cli/running/made-values.ts';
import type { Regime } from '../../compiler/schedule/deciding/regimes.ts';
import { analyse } from '../../compiler/front-end.ts';
import { portableOf, webgpuCore, type Target } from '../../compiler/target.ts';
import { hasErrors, type Diagnostic } from '../../dsl/diagnostics/diagnostic.ts';
import type { SourceFile } from '../../dsl/diagnostics/source-file.ts';
import type { ExternFunction } from '../../runtime/contract/ask-host.ts';

export type { Ready };

/**
 * What texts are compiled for where nobody says it: forms of classes of devices are for who runs them, which is an adapter
 * (`MOEC_TEST_CLASSES` of the project `gpu` in vitest.config.ts), or who asks for them by `target`.
 */
export const usualTarget: Target = process.env['MOEC_TEST_CLASSES'] === 'all' ? webgpuCore : portableOf(webgpuCore);

export interface TextOptions {
  readonly name?: string;
  readonly sets?: ReadonlyMap<string, string>;
  readonly entry?: string;
  /** Files that the text may import, by the path it writes. */
  readonly files?: ReadonlyMap<string, string>;
  readonly target?: Target;
  /** One plan in the place of both, where only that is looked at. */
  readonly plans?: 'results' | 'all';
  /** The plan of one regime, for runs of any size. */
  readonly regime?: Regime;
  /** Schedules by the hash of their graph, instead of those that costs decide. */
  readonly schedules?: ReadonlyMap<string, string>;
}

/** Diagnostics of a text: of the checker, and if it has none of the compiler, which knows sizes. */
export function diagnosticsOf(text: string, options: TextOptions = {}): readonly Diagnostic[] {
  return prepareText(text, options).diagnostics;
}

export interface PreparedText {
  /** Null if there was a mistake. */
  readonly prepared: Prepared | null;
  readonly diagnostics: readonly Diagnostic[];
}

/** A text that has no mistakes, prepared; with mistakes it throws, since a test is of something else. */
export function preparedOf(text: string, options: TextOptions = {}): Prepared {
  const { prepared, diagnostics } = prepareText(text, options);
  if (prepared === null) throw new Error(diagnostics.map((d) => `${d.code} ${d.message}`).join('; '));
  return prepared;
}

/** Parses, checks and compiles one entry, `forward` or the first. Params have no values yet. */
export function prepareText(text: string, options: TextOptions = {}): PreparedText {
  const source: SourceFile = { name: options.name ?? 'example.moe', text };
  const resolve = (name: string): SourceFile | null => {
    const other = options.files?.get(name);
    return other === undefined ? null : { name, text: other };
  };
  const front = analyse(source, { resolve });
  const { program } = front;
  if (program === null) return { prepared: null, diagnostics: front.diagnostics };
  const names = program.entries.map((e) => e.name);
  const name = options.entry ?? (names.includes('forward') ? 'forward' : names[0]);
  if (name === undefined) return { prepared: null, diagnostics: front.diagnostics };
  const compilation = compileProgram(program, {
    overrides: parseOverrides(options.sets ?? new Map()),
    target: options.target ?? usualTarget,
    entries: [name],
    sources: front.sources,
    ...(options.plans === undefined ? {} : { plans: options.plans }),
    ...(options.regime === undefined ? {} : { regime: options.regime }),
    ...(options.schedules === undefined ? {} : { schedules: options.schedules }),
  });
  const diagnostics = [...front.diagnostics, ...compilation.diagnostics];
  const { manifest } = compilation;
  const entry = compilation.entries.find((e) => e.name === name);
  if (manifest === null || entry === undefined || hasErrors(diagnostics)) return { prepared: null, diagnostics };
  const project = { ...front, path: source.name };
  return { prepared: { project, program, compilation, manifest, entry, variables: new Map() }, diagnostics };
}

export interface Given {
  /** Parameters of the entry and controls, by name. What is missing of the entry's is drawn. */
  readonly inputs?: ReadonlyMap<string, NamedTensor>;
  /** Params and states by path. What is missing and has no initial value is drawn. */
  readonly stores?: ReadonlyMap<string, Float64Array>;
  /** Sizes of dynamic axes, for inputs that are drawn. */
  readonly sizes?: ReadonlyMap<string, number>;
  readonly seed?: number;
  readonly sets?: ReadonlyMap<string, string>;
  readonly externs?: ReadonlyMap<string, ExternFunction>;
}

/** Values for everything a run needs; losses, outputs and updates are asked for. */
export function ready(prepared: Prepared, given: Given = {}): Ready {
  const seed = given.seed ?? 1;
  const made = madeVariables(prepared, { random: true, seed });
  const stores = new Map([...made, ...(given.stores ?? [])]);
  const request: ExecuteRequest = {
    modelFile: prepared.project.path,
    sets: given.sets ?? new Map(),
    entry: prepared.entry.name,
    inputs: withRandomInputs(prepared, given.inputs ?? new Map(), given.sizes ?? new Map(), seed),
    weights: null,
    want: { losses: true, outputs: true, updates: true },
    on: 'reference',
    seed,
    ...(given.externs === undefined ? {} : { externs: given.externs }),
  };
  return { prepared: { ...prepared, variables: stores }, request };
}

export type Results = ReadonlyMap<string, NamedTensor>;

export const onReference = ({ prepared, request }: Ready): Promise<Results> => executeReference(prepared, request);
export const onKernels = ({ prepared, request }: Ready): Promise<Results> => executeKernels(prepared, request);

/** What differs between two runs of the same program, one line each: names, and numbers beyond their derived bounds. */
export function differences(run: Ready, kernels: Results, reference: Results): readonly string[] {
  const missing = [...kernels.keys()]
    .filter((name) => !reference.has(name))
    .map((name) => `the reference lacks ${name}`);
  return [...missing, ...compareResults(run, kernels, reference).flatMap(describeVerdict)];
}

function describeVerdict({ name, shape, passed, worst }: Comparison): readonly string[] {
  if (passed) return [];
  if (worst === null) return [`${name} [${shape.join(', ')}] is missing or has another shape`];
  return [
    `${name}[${worst.index.join(', ')}] is ${worst.actual}, the reference says ${worst.expected} (bound ${worst.bound})`,
  ];
}

/** A comparison without derived bounds, for what passes through functions of the host. */
export function relativeDifferences(actual: Results, expected: Results, tolerance: number): readonly string[] {
  const found: string[] = [];
  for (const [name, want] of expected) {
    const have = actual.get(name);
    if (have === undefined || have.shape.join() !== want.shape.join())
      found.push(`${name} is missing or has another shape`);
    else {
      want.data.forEach((w, i) => {
        const h = have.data[i] ?? NaN;
        if (!(Math.abs(h - w) <= tolerance * Math.max(1, Math.abs(w))))
          found.push(`${name}[${i}] is ${h}, the reference says ${w}`);
      });
    }
  }
  return found;
}
