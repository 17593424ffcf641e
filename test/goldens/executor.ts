/**
 * Who runs a model: the reference interpreter, the kernel interpreter or a GPU, all behind one interface, with results
 * under the names `moec run` writes them: results, outputs by path, `loss.PATH`, and for a route `NAME.indices` and
 * `NAME.weights`.
 */
import { CliError } from '../../compiler/cli/terminal/cli-error.ts';
import { execute } from '../../compiler/cli/running/execute.ts';
import { loadExterns } from '../../compiler/cli/running/run-options.ts';
import { renderAll } from '../../dsl/diagnostics/render.ts';
import type { WeightSource } from '../../runtime/weights/weight-source.ts';
import type { NamedTensor } from './judge.ts';

export type Place = 'reference' | 'kernels' | 'gpu';

export interface RunRequest {
  readonly modelFile: string;
  readonly externFile: string | null;
  /** As `--set NAME=VALUE`. */
  readonly sets: ReadonlyMap<string, string>;
  readonly entry: string;
  /** Parameters of the entry and controls, by name. */
  readonly inputs: ReadonlyMap<string, NamedTensor>;
  readonly weights: WeightSource;
  /** Whether losses and outputs are wanted beside the results. */
  readonly want: { readonly losses: boolean; readonly outputs: boolean };
}

export interface Executor {
  readonly name: Place;
  run(request: RunRequest): Promise<ReadonlyMap<string, NamedTensor>>;
}

export function executorOf(place: Place): Executor {
  return { name: place, run: (request) => run(place, request) };
}

async function run(place: Place, request: RunRequest): Promise<ReadonlyMap<string, NamedTensor>> {
  try {
    const externs = request.externFile === null ? {} : { externs: await loadExterns(request.externFile) };
    return await execute({ ...request, ...externs, on: place });
  } catch (error) {
    if (!(error instanceof CliError) || error.diagnostics.length === 0) throw error;
    throw new Error(renderAll(error.diagnostics, error.sources), { cause: error });
  }
}
