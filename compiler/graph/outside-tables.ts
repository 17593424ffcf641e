/** What a graph under construction has from outside: its inputs, each once for its role and name, and its calls of the host. */
import { CompilerBug } from '../../dsl/diagnostics/bug.ts';
import type { ExternNode, Graph, GraphInput, NodeId } from './graph-ir.ts';

export class OutsideTables {
  readonly #leaves: GraphInput[] = [];
  readonly #leafIndex = new Map<string, number>();
  readonly #externs: ExternNode[] = [];

  addLeaf(leaf: GraphInput): number {
    const key = `${leaf.role} ${leaf.name}`;
    const known = this.#leafIndex.get(key);
    if (known !== undefined) return known;
    this.#leaves.push(leaf);
    this.#leafIndex.set(key, this.#leaves.length - 1);
    return this.#leaves.length - 1;
  }

  leafOf(index: number): GraphInput {
    const leaf = this.#leaves[index];
    if (leaf === undefined) throw new CompilerBug('graph', `no leaf ${index}`);
    return leaf;
  }

  setFallback(index: number, fallback: NodeId | null): void {
    this.#leaves[index] = { ...this.leafOf(index), fallback };
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

  listed(): Pick<Graph, 'leaves' | 'externs'> {
    return { leaves: [...this.#leaves], externs: [...this.#externs] };
  }
}
