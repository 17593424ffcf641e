/** A finding as a folder that stands alone: the program, the values, the command that shows it, what was found. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tensorFile } from '../../compiler/cli/running/tensor-files.ts';
import type { NamedTensor } from '../../compiler/cli/running/execution.ts';
import type { WeightSource } from '../../runtime/weights/weight-source.ts';
import { prepareText } from '../language/support.ts';
import { drawnFor, hasLargeTiles, readyFor, targetOf, type Case, type Finding, type On } from './examine.ts';

export interface Found {
  readonly executor: string;
  readonly seed: number;
  readonly finding: Finding;
  readonly folder: string;
  /** The shrunk program. */
  readonly text: string;
  readonly sizes: readonly (readonly [string, number])[];
  readonly profile: string;
}

export async function appendRepro(
  out: string,
  executor: string,
  on: On,
  whole: Case,
  small: Case,
  finding: Finding,
): Promise<Found> {
  const folder = join(out, `${finding.kind.replace(/ /g, '-')}-${executor}-${whole.seed}`);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'model.moe'), small.text);
  await writeFile(join(folder, 'whole.moe'), whole.text);
  const files = await valueFiles(folder, small);
  const changes = await scheduleFile(folder, small);
  const sizes = [...small.sizes];
  const verb = on === 'reference' ? 'run' : 'verify';
  const command =
    `npx tsx compiler/cli/moec.ts ${verb} ${folder}/model.moe --on ${on} --losses --outputs --seed ${small.seed}` +
    files.map((f) => ` --${f === 'in' ? 'input' : f} ${folder}/${f}.safetensors`).join('') +
    (changes === null ? '' : ` --schedule ${folder}/${scheduleName}`);
  const told = {
    executor,
    seed: whole.seed,
    profile: small.profile,
    sizes,
    kind: finding.kind,
    message: finding.message,
    command,
    ...(changes === null ? {} : { changes, draw: small.schedule }),
    ...(hasLargeTiles(small.seed)
      ? {
          note: 'found with tileFrom and maxAsked 0 of the target: the command shows it where sizes of matrices and of sums have no part in it',
        }
      : {}),
  };
  await writeFile(join(folder, 'finding.json'), `${JSON.stringify(told, null, 2)}\n`);
  return { executor, seed: whole.seed, finding, folder, text: small.text, sizes, profile: small.profile };
}

const scheduleName = 'model.schedule';

/** Writes the schedules of the program, as `--schedule` reads them; gives what is decided otherwise than by costs, or null. */
async function scheduleFile(folder: string, given: Case): Promise<readonly string[] | null> {
  try {
    const { prepared } = prepareText(given.text, { name: 'model.moe', target: targetOf(given.seed) });
    const drawn = prepared === null ? null : drawnFor(prepared, given);
    if (drawn === null) return null;
    const texts = [...drawn.texts].map(([graph, text]) => `// graph ${graph}\n${text}`);
    await writeFile(join(folder, scheduleName), texts.join('\n'));
    return drawn.changes;
  } catch {
    // The finding may be that there is none.
    return null;
  }
}

/** Writes the inputs and the weights, if the program compiles; gives the names of what was written. */
async function valueFiles(folder: string, given: Case): Promise<readonly ('in' | 'weights')[]> {
  try {
    const { prepared } = prepareText(given.text, { name: 'model.moe' });
    if (prepared === null) return [];
    const { request } = readyFor(prepared, given);
    await writeFile(join(folder, 'in.safetensors'), tensorFile(request.inputs));
    if (request.weights === null) return ['in'];
    await writeFile(join(folder, 'weights.safetensors'), tensorFile(await allOf(request.weights)));
    return ['in', 'weights'];
  } catch {
    // The finding may be that it does not compile.
    return [];
  }
}

async function allOf(source: WeightSource): Promise<ReadonlyMap<string, NamedTensor>> {
  const tensors = new Map<string, NamedTensor>();
  for (const [name, { shape, dtype, byteLength }] of source.tensors) {
    const bytes = await source.read(name, 0, byteLength);
    const buffer = bytes.slice().buffer;
    if (dtype === 'I32') tensors.set(name, { element: 'i32', shape, data: new Int32Array(buffer) });
    else tensors.set(name, { element: 'f32', shape, data: new Float32Array(buffer) });
  }
  return tensors;
}
