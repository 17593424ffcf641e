/**
 * What running a model file takes and gives, whoever runs it (execute.ts).
 *
 * Results by name; a route as NAME (dense, 0 where absent), NAME.indices and NAME.weights; losses as loss.PATH; states
 * as state.PATH; outputs by path.
 */
import type { ElementType, Program } from '../../../dsl/types/program.ts';
import type { ExternFunction } from '../../../runtime/contract/ask-host.ts';
import type { MissingParams } from '../../../runtime/weights/bind-weights.ts';
import type { Manifest } from '../../../runtime/contract/manifest.ts';
import type { WeightSource } from '../../../runtime/weights/weight-source.ts';
import type { Compilation, CompiledEntry } from '../../compile.ts';
import type { Regime } from '../../schedule/deciding/regimes.ts';
import type { Target } from '../../target.ts';
import type { GivenCompilation } from './given-tuning.ts';
import type { Project } from './project.ts';

export interface NamedTensor {
  readonly element: ElementType;
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array | Int32Array | Uint8Array;
}

export interface ExecuteRequest {
  readonly modelFile: string;
  readonly model?: string;
  /** The folder that imports stay below; that of the model file by default. */
  readonly root?: string;
  /** As `--set NAME=VALUE`. */
  readonly sets: ReadonlyMap<string, string>;
  /** `forward`, or the only entry, by default. */
  readonly entry?: string;
  /** Parameters of the entry and controls (by path), by name. */
  readonly inputs: ReadonlyMap<string, NamedTensor>;
  /** Sizes of dynamic axes, where they do not follow from the inputs. */
  readonly sizes?: ReadonlyMap<string, number>;
  /** Left open. */
  readonly weights: WeightSource | null;
  /** What about params that the weights lack but that have an initial value; 'error' unless given. */
  readonly missing?: MissingParams;
  /** Values of states, by path. */
  readonly states?: ReadonlyMap<string, NamedTensor>;
  readonly want: { readonly losses: boolean; readonly outputs: boolean; readonly updates?: boolean };
  readonly on: 'reference' | 'kernels' | 'gpu';
  readonly externs?: ReadonlyMap<string, ExternFunction>;
  readonly seed?: number;
  /** A file with schedules of the program, instead of those that costs decide. */
  readonly schedule?: string;
  /** A file with records of `moec tune`, of which those of the program are used. */
  readonly tuned?: string;
  /** The plan of one regime, whatever the sizes; else that for as many rows as there are. */
  readonly regime?: Regime;
  /** What the kernels are for: webgpu-core unless said. */
  readonly target?: Target;
  readonly signal?: AbortSignal;
}

/** A model file, compiled, with its weights read: what several runs can share. */
export interface Prepared {
  readonly project: Project;
  readonly program: Program;
  readonly compilation: Compilation;
  readonly manifest: Manifest;
  readonly entry: CompiledEntry;
  /** Numbers of every param and state that the source or the request has, by path. */
  readonly variables: ReadonlyMap<string, Float64Array>;
  /** What became of the records of `moec tune`; null where none were given. */
  readonly tuning?: GivenCompilation['tuning'];
}

/** Everything that is ready to be executed. */
export interface Ready {
  readonly prepared: Prepared;
  readonly request: ExecuteRequest;
}

/** Whether a run wants more than its results: losses, outputs or updates. Then it is one of the full graph and plan. */
export function wantsMore({ losses, outputs, updates }: ExecuteRequest['want']): boolean {
  return losses || outputs || updates === true;
}
