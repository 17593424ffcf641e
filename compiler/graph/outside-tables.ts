/**
 * What a graph under construction has besides nodes: its inputs, each once for its role and name, its calls of the host, and the
 * bodies of its recurrences.
 */
import { CompilerBug } from '../../dsl/diagnostics/bug.ts';
import { idOf } from '../../dsl/types/ids.ts';
import type { ExternCallId, ExternCall, Fold, FoldId, Graph, GraphInput, GraphInputId, NodeId } from './graph-ir.ts';

/** The inputs of a graph with their ids, in order. */
export function inputsOf({ inputs }: Pick<Graph, 'inputs'>): readonly (readonly [GraphInputId, GraphInput])[] {
  return inputs.map((input, i) => [idOf<GraphInputId>(i), input]);
}

/** The extern calls of a graph with their ids, in order. */
export function callsOf({ externs }: Pick<Graph, 'externs'>): readonly (readonly [ExternCallId, ExternCall])[] {
  return externs.map((call, i) => [idOf<ExternCallId>(i), call]);
}

export class OutsideTables {
  readonly #inputs: GraphInput[] = [];
  readonly #inputIndex = new Map<string, GraphInputId>();
  readonly #externs: ExternCall[] = [];
  readonly #folds: Fold[] = [];

  addInput(input: GraphInput): GraphInputId {
    const key = `${input.role} ${input.name}`;
    const known = this.#inputIndex.get(key);
    if (known !== undefined) return known;
    const id = idOf<GraphInputId>(this.#inputs.push(input) - 1);
    this.#inputIndex.set(key, id);
    return id;
  }

  inputOf(id: GraphInputId): GraphInput {
    const input = this.#inputs[id];
    if (input === undefined) throw new CompilerBug('graph', `no graph input ${id}`);
    return input;
  }

  setDefault(id: GraphInputId, defaultNode: NodeId | null): void {
    this.#inputs[id] = { ...this.inputOf(id), default: defaultNode };
  }

  addExtern(call: ExternCall): ExternCallId {
    return idOf<ExternCallId>(this.#externs.push(call) - 1);
  }

  resultOf(call: ExternCallId, result: number): ExternCall['results'][number] {
    const type = this.#externs[call]?.results[result];
    if (type === undefined) throw new CompilerBug('graph', `no result ${result} of extern call ${call}`);
    return type;
  }

  addFold(fold: Fold): FoldId {
    return idOf<FoldId>(this.#folds.push(fold) - 1);
  }

  foldOf(id: FoldId): Fold {
    const fold = this.#folds[id];
    if (fold === undefined) throw new CompilerBug('graph', `no fold ${id}`);
    return fold;
  }

  listed(): Pick<Graph, 'inputs' | 'externs' | 'folds'> {
    return { inputs: [...this.#inputs], externs: [...this.#externs], folds: [...this.#folds] };
  }
}
