/** A program compiled, given drawn weights, and ready to be run with so many tokens: as a module's user records it, and as one calls it. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withVariables, madeVariables, withRandomInputs } from '../../compiler/cli/running/made-values.ts';
import type { ExecuteRequest, NamedTensor, Prepared } from '../../compiler/cli/running/execution.ts';
import { executeReference } from '../../compiler/cli/running/execute.ts';
import { prepare } from '../../compiler/cli/running/prepare.ts';
import { planFor } from '../../runtime/contract/regimes.ts';
import { createModel } from '../../runtime/index.ts';
import type { Model } from '../../runtime/index.ts';
import type { Subject } from './cases.ts';
import { sleep, type Job } from './timing.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

const STORAGE = 0x80;
const COPY_SRC = 0x4;
const COPY_DST = 0x8;

export interface Loaded {
  readonly model: Model;
  /** Milliseconds of the compiler, and until the model had its weights and pipelines. */
  readonly compile: number;
  readonly create: number;
  readonly prepared: Prepared;
  readonly request: ExecuteRequest;
}

/** Seed of weights and inputs: the same numbers in each sitting. */
const seed = 1;

export async function load(subject: Subject, device: GPUDevice): Promise<Loaded> {
  const begun = performance.now();
  const asked: ExecuteRequest = {
    modelFile: join(root, subject.file),
    sets: new Map(Object.entries(subject.sets).map(([name, value]) => [name, String(value)])),
    inputs: new Map(),
    weights: null,
    want: { losses: false, outputs: false, updates: false },
    on: 'gpu',
    seed,
  };
  const compiled = await prepare(asked, 'device');
  const compile = performance.now() - begun;
  const made = madeVariables(compiled, { random: true, seed });
  const prepared = { ...compiled, variables: new Map([...made, ...compiled.variables]) };
  const weights = withVariables(null, compiled.manifest.stores, made);
  const created = performance.now();
  const model = await createModel(compiled.manifest, compiled.compilation.shaders, {
    device,
    ...(weights === null ? {} : { weights }),
  });
  const create = performance.now() - created;
  return {
    model,
    compile,
    create,
    prepared,
    request: { ...asked, weights },
  };
}

export interface Ready {
  /** Of the plan that a run of so many tokens has. */
  readonly launches: number;
  readonly kernels: number;
  /** A recorded run, from buffers of the device to buffers of the device. */
  readonly encoded: Job;
  /** A run as it is called, from numbers to numbers. */
  readonly called: Job;
  /** What the run gives, by name. */
  readonly results: () => Promise<ReadonlyMap<string, ArrayLike<number>>>;
  /** The same by the float64 reference. */
  readonly reference: () => Promise<ReadonlyMap<string, NamedTensor>>;
  readonly release: () => void;
}

/** A run of so many tokens. */
export function readyFor(loaded: Loaded, subject: Subject, tokens: number, device: GPUDevice): Ready {
  const { model, prepared, request } = loaded;
  const sizes = new Map(Object.entries({ ...subject.fixed, T: tokens }));
  const inputs = withRandomInputs(prepared, new Map(), sizes, seed);
  const [entry] = prepared.manifest.entries;
  if (entry === undefined) throw new Error(`${subject.name} has no entry`);
  const launches = planFor(entry.plan, sizes).steps.flatMap((step) => (step.kind === 'launch' ? [step.kernel] : []));
  const buffers = new Map<string, GPUBuffer>();
  for (const [name, { data }] of inputs) {
    const words = Float32Array.from(data);
    const buffer = device.createBuffer({ size: 4 * words.length, usage: STORAGE | COPY_SRC | COPY_DST });
    device.queue.writeBuffer(buffer, 0, words);
    buffers.set(name, buffer);
  }
  const shaped = new Map(
    [...inputs].map(([name, { data, shape }]) => [name, { data: Float32Array.from(data), shape }]),
  );
  const encode = (): void => {
    const encoder = device.createCommandEncoder();
    model.encode(encoder, { entry: entry.name, inputs: buffers, outputs: {}, sizes });
    device.queue.submit([encoder.finish()]);
  };
  const run = () => model.run(shaped, { entry: entry.name, sizes, update: false });
  return {
    launches: launches.length,
    kernels: new Set(launches).size,
    encoded: {
      name: 'encoded',
      run: async (calm) => {
        encode();
        sleep(calm);
        await device.queue.onSubmittedWorkDone();
      },
    },
    called: {
      name: 'called',
      run: async () => {
        await run();
      },
    },
    results: async () => {
      const { results } = await run();
      return new Map(
        [...results].flatMap(([name, value]) =>
          'data' in value ? [[name, Array.from(value.data, Number)] as const] : [],
        ),
      );
    },
    reference: () => executeReference(prepared, { ...request, inputs, sizes }),
    release: () => buffers.forEach((buffer) => buffer.destroy()),
  };
}

/** The largest difference of two runs, over the largest number of the reference. NaN where they have not the same results. */
export function largestError(
  given: ReadonlyMap<string, ArrayLike<number>>,
  reference: ReadonlyMap<string, NamedTensor>,
): number {
  let worst = 0;
  for (const [name, values] of given) {
    const wanted = reference.get(name)?.data;
    if (wanted === undefined || wanted.length !== values.length) return NaN;
    let difference = 0;
    let largest = 0;
    for (let i = 0; i < wanted.length; i++) {
      const [have = NaN, want = NaN] = [values[i], wanted[i]];
      if (!Number.isFinite(have)) return NaN;
      difference = Math.max(difference, Math.abs(have - want));
      largest = Math.max(largest, Math.abs(want));
    }
    worst = Math.max(worst, difference / Math.max(largest, 1e-30));
  }
  return worst;
}
