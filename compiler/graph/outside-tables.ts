/** What a graph under construction has from outside: its inputs, each once for its role and name, and its calls of the host. */
import { CompilerBug } from '../../dsl/diagnostics/bug.ts';
import { idOf } from '../../dsl/types/ids.ts';
import type { ExternCallId, ExternCall, Graph, GraphInput, GraphInputId, NodeId } from './graph-ir.ts';

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

  listed(): Pick<Graph, 'inputs' | 'externs'> {
    return { inputs: [...this.#inputs], externs: [...this.#externs] };
  }
}
