/**
 * What a run by the kernels has in memory before its first launch, as 32-bit words: inputs and controls by the runtime's own rules, params
 * and states from the source, or their initial values.
 */
import { at } from '../../../dsl/diagnostics/invariants.ts';
import type { PlanSpec, VariableSpec } from '../../../runtime/contract/manifest.ts';
import { planFor } from '../../../runtime/contract/regimes.ts';
import { elementCount, evaluateCount, evaluateShape, type Sizes } from '../../../runtime/contract/sizes.ts';
import { toWords } from '../../../runtime/contract/tensors.ts';
import { readFeeds } from '../../../runtime/running/feeds.ts';
import type { Words } from '../../schedule/executing/run-memory.ts';
import { Simulator, type Executable, type SimulatedRun } from '../../schedule/executing/simulate.ts';
import { CliError } from '../terminal/cli-error.ts';
import { wantsMore, type ExecuteRequest, type Prepared } from './execution.ts';
import { controlsOf, sizesOf } from './prepare.ts';

export type HostMemory = Pick<SimulatedRun, 'sizes' | 'feeds' | 'given' | 'variables'>;

/** The plan of a request as it ships: with losses, outputs and updates where one of them is asked for, for as many rows as the run has. */
export function executableOf(prepared: Prepared, request: ExecuteRequest): Executable {
  return withTables(prepared, planFor(planOfWant(prepared, request), sizesOf(prepared, request)));
}

function planOfWant({ manifest }: Prepared, { want }: ExecuteRequest): PlanSpec {
  const { plan, full } = at(manifest.entries, 0, 'cli: entry');
  return wantsMore(want) ? full : plan;
}

function withTables(
  { manifest, compilation }: Pick<Prepared, 'manifest' | 'compilation'>,
  plan: Executable['plan'],
): Executable {
  return { plan, stores: manifest.stores, kernelSpecs: manifest.kernels, kernels: compilation.kernels };
}

/** Throws InputError where inputs, controls and sizes do not fit. */
export async function hostMemory(prepared: Prepared, request: ExecuteRequest): Promise<HostMemory> {
  const { manifest } = prepared;
  const shaped = (tensors: ExecuteRequest['inputs']) =>
    new Map([...tensors].map(([name, { data, shape }]) => [name, { data, shape }] as const));
  const controls = controlsOf(prepared, request);
  const inputs = new Map([...request.inputs].filter(([name]) => !controls.has(name)));
  const { sizes, feeds, given } = readFeeds(manifest, at(manifest.entries, 0, 'cli: entry'), shaped(inputs), {
    controls: shaped(controls),
    sizes: sizesOf(prepared, request),
    checkFinite: false,
    plan: planOfWant(prepared, request),
  });
  const words = new Map<string, Words>();
  for (const [key, feed] of feeds) if (feed.kind === 'host') words.set(key, feed.words);
  return { sizes, feeds: words, given, variables: await variables(prepared, request.seed ?? 0) };
}

/** Params and states, by number. What an initial value reads of others stands before it, and is known. */
async function variables(prepared: Prepared, seed: number): Promise<ReadonlyMap<number, Words>> {
  const known = new Map<number, Words>();
  for (const [index, variable] of prepared.manifest.stores.entries()) {
    if (variable.kind === 'control') continue;
    const given = prepared.variables.get(variable.path);
    if (given !== undefined) {
      const limit =
        variable.within === null ? null : evaluateCount(variable.within.size, NO_SIZES, variable.within.name);
      known.set(index, toWords(declared(variable), given, limit));
    } else if (variable.initial?.kind === 'fill') {
      const numbers = new Float64Array(elementCount(evaluateShape(variable.axes, NO_SIZES))).fill(
        variable.initial.value,
      );
      known.set(index, toWords(declared(variable), numbers, null));
    } else if (variable.initial?.kind === 'plan') {
      known.set(index, await initialWords(prepared, variable.initial.plan, known, seed));
    }
  }
  return known;
}

const NO_SIZES: Sizes = new Map();

const declared = ({ path, element, axes, within }: VariableSpec) => ({ name: path, element, axes, within });

/** An initial value by its plan. */
async function initialWords(
  prepared: Prepared,
  plan: Executable['plan'],
  known: ReadonlyMap<number, Words>,
  seed: number,
): Promise<Words> {
  const [result] = plan.results;
  if (result?.kind !== 'tensor') throw new CliError(70, 'an initial value is no tensor');
  const { faults, words } = await new Simulator(withTables(prepared, plan)).run({
    sizes: NO_SIZES,
    feeds: new Map(),
    given: new Set(),
    asked: new Set(['result']),
    variables: known,
    seed,
    extern: (name) => {
      throw new CliError(70, `an initial value calls ${name} on the host`);
    },
  });
  const [fault] = faults;
  if (fault !== undefined) throw fault;
  return words(result.buffer);
}
