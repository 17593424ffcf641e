/** What a graph under construction has from outside: its inputs, each once for its role and name, and its calls of the host. */
import { CompilerBug } from '../../dsl/diagnostics/bug.ts';
import type { ExternNode, Graph, GraphInput, NodeId } from './graph-ir.ts';

export class OutsideTables {
  readonly #inputs: GraphInput[] = [];
  readonly #inputIndex = new Map<string, number>();
  readonly #externs: ExternNode[] = [];

  addInput(input: GraphInput): number {
    const key = `${input.role} ${input.name}`;
    const known = this.#inputIndex.get(key);
    if (known !== undefined) return known;
    this.#inputs.push(input);
    this.#inputIndex.set(key, this.#inputs.length - 1);
    return this.#inputs.length - 1;
  }

  inputOf(index: number): GraphInput {
    const input = this.#inputs[index];
    if (input === undefined) throw new CompilerBug('graph', `no graph input ${index}`);
    return input;
  }

  setFallback(index: number, fallback: NodeId | null): void {
    this.#inputs[index] = { ...this.inputOf(index), fallback };
  }

  addExtern(call: ExternNode): number {
    this.#externs.push(call);
    return this.#externs.length - 1;
  }

  resultOf(call: number, result: number): ExternNode['results'][number] {
    const type = this.#externs[call]?.results[result];
    if (type === undefined) throw new CompilerBug('graph', `no result ${result} of extern call ${call}`);
    return type;
  }

  listed(): Pick<Graph, 'inputs' | 'externs'> {
    return { inputs: [...this.#inputs], externs: [...this.#externs] };
  }
}
