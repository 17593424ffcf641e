/** Ceilings: the plain products of a case by the fastest forms of the sitting, timed in turns with it. */
import { operationsOf, type Product } from './cases.ts';
import { formsFor, type Form } from './products.ts';
import { decisive, sleep, timeInTurns, type DriverThreads, type Job, type Timing } from './timing.ts';

interface Compiled {
  readonly form: Form;
  readonly pipeline: GPUComputePipeline;
}

export interface Ceilings {
  readonly matrix: readonly Compiled[];
  readonly vector: readonly Compiled[];
}

/** A job for a case's products, and the part of its operations that were asked for: the rest is what sizes were rounded up to. */
export interface CeilingJob {
  readonly job: Job;
  readonly asked: number;
  readonly kernel: string;
  readonly release: () => void;
}

const STORAGE = 0x80;
const UNIFORM = 0x40;
const COPY_DST = 0x8;

const upTo = (size: number, of: number): number => Math.ceil(size / of) * of;

/** Fewer rows than this for each matrix are done as vectors, each by its own matrix. */
export const FEWEST_ROWS = 2;

/** Whether a product is done as rows times one matrix, or as vectors that each have a matrix. */
export function kindOf({ rows, matrices }: Product): Form['kind'] {
  return rows / matrices < FEWEST_ROWS ? 'vector' : 'matrix';
}

/** Compiles the forms for an adapter and keeps the two fastest of each kind, told by a product that is like those of the cases. */
export async function prepareCeilings(
  device: GPUDevice,
  driver: DriverThreads,
  { lanes, software }: { readonly lanes: number; readonly software: boolean },
): Promise<Ceilings> {
  const compiled: Compiled[] = [];
  for (const form of formsFor(lanes, software)) compiled.push({ form, pipeline: await pipelineOf(device, form) });
  const fastest = async (kind: Form['kind'], product: Product): Promise<readonly Compiled[]> => {
    const all = compiled.filter(({ form }) => form.kind === kind);
    const jobs = all.map((each) => jobOf(device, [product], () => each));
    for (const { job } of jobs) await job.run(0);
    const timings = await timeInTurns(
      jobs.map(({ job }) => job),
      driver,
      { budget: 1000, fewest: 3, most: 20 },
    );
    jobs.forEach(({ release }) => release());
    const time = (i: number): number => {
      const timing = timings[i];
      return timing === undefined ? Infinity : decisive(timing, software);
    };
    return all
      .map((each, i) => ({ each, time: time(i) }))
      .sort((a, b) => a.time - b.time)
      .slice(0, 2)
      .map(({ each }) => each);
  };
  return {
    matrix: await fastest('matrix', { rows: 128, columns: 512, depth: 256, matrices: 1 }),
    vector: await fastest('vector', { rows: 2, columns: 1024, depth: 512, matrices: 2 }),
  };
}

async function pipelineOf(device: GPUDevice, { code, name }: Form): Promise<GPUComputePipeline> {
  const module = device.createShaderModule({ label: name, code });
  return device.createComputePipelineAsync({ label: name, layout: 'auto', compute: { module, entryPoint: 'main' } });
}

/** The ceilings of a case: all its products one after the other, once by each of the forms that were kept. */
export function ceilingsOf(
  device: GPUDevice,
  { matrix, vector }: Ceilings,
  products: readonly Product[],
): readonly CeilingJob[] {
  const wanted = products.filter(({ rows, columns, depth }) => rows * columns * depth > 0);
  return [0, 1].flatMap((choice) => {
    const choose = (product: Product): Compiled | undefined => {
      const of = kindOf(product) === 'matrix' ? matrix : vector;
      return of[choice] ?? of[0];
    };
    return wanted.length === 0 ? [] : [jobOf(device, wanted, choose)];
  });
}

function jobOf(
  device: GPUDevice,
  products: readonly Product[],
  choose: (product: Product) => Compiled | undefined,
): CeilingJob {
  const made: GPUBuffer[] = [];
  const buffer = (elements: number, usage: number): GPUBuffer => {
    const one = device.createBuffer({ size: Math.max(16, 4 * elements), usage: usage | COPY_DST });
    made.push(one);
    return one;
  };
  let done = 0;
  const launches = products.flatMap((product) => {
    const compiled = choose(product);
    if (compiled === undefined) return [];
    const { form, pipeline } = compiled;
    const rows = upTo(product.rows, form.rows);
    const columns = upTo(product.columns, form.columns);
    const depth = upTo(product.depth, form.depth);
    const bindable = Math.floor(device.limits.maxStorageBufferBindingSize / (4 * columns * depth));
    const matrices = form.kind === 'matrix' ? 1 : Math.max(1, Math.min(product.matrices, bindable));
    // Rows beyond those asked for are the form's own affair: what they take is part of what the product costs.
    done += operationsOf([{ rows: product.rows, columns, depth, matrices }]);
    const sizes = buffer(4, UNIFORM);
    device.queue.writeBuffer(sizes, 0, new Uint32Array([rows, columns, depth, matrices]));
    const x = buffer(rows * depth, STORAGE);
    const w = buffer(matrices * columns * depth, STORAGE);
    for (const each of [x, w]) fill(device, each);
    const group = device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [sizes, x, w, buffer(rows * columns, STORAGE)].map((one, binding) => ({
        binding,
        resource: { buffer: one },
      })),
    });
    return [{ pipeline, group, grid: form.grid(rows, columns), name: form.name }];
  });
  return {
    asked: operationsOf(products) / done,
    kernel: [...new Set(launches.map(({ name }) => name))].join(', '),
    release: () => made.forEach((each) => each.destroy()),
    job: {
      name: 'ceiling',
      run: async (calm) => {
        const encoder = device.createCommandEncoder();
        const pass = encoder.beginComputePass();
        for (const { pipeline, group, grid } of launches) {
          pass.setPipeline(pipeline);
          pass.setBindGroup(0, group);
          pass.dispatchWorkgroups(...grid);
        }
        pass.end();
        device.queue.submit([encoder.finish()]);
        sleep(calm);
        await device.queue.onSubmittedWorkDone();
      },
    },
  };
}

const CHUNK = 1 << 18;
const numbers = Float32Array.from({ length: CHUNK }, (_, i) => ((i * 7919) % 31) / 31 - 0.5);

/** Numbers that are none of the special ones: some drivers are faster with zeros. */
function fill(device: GPUDevice, buffer: GPUBuffer): void {
  for (let at = 0; at < buffer.size; at += 4 * CHUNK)
    device.queue.writeBuffer(buffer, at, numbers, 0, Math.min(CHUNK, (buffer.size - at) / 4));
}

export interface Ceiling {
  readonly kernel: string;
  readonly timing: Timing;
  /** Milliseconds for the operations that the case asks for, by the number that decides. */
  readonly time: number;
}

/** The least of several ceilings. */
export function lowest(jobs: readonly CeilingJob[], timings: readonly Timing[], software: boolean): Ceiling | null {
  const all = jobs.flatMap(({ asked, kernel }, i): readonly Ceiling[] => {
    const timing = timings[i];
    return timing === undefined ? [] : [{ kernel, timing, time: asked * decisive(timing, software) }];
  });
  return all.reduce<Ceiling | null>((best, each) => (best === null || each.time < best.time ? each : best), null);
}
