/**
 * PredicateSets of presences: when one says the same as another, and what one is made of.
 *
 * The same set of assignments is written in several ways: "where r and q hold", with q known under r only, and "where `r and then q`
 * holds", a presence of its own. An assignment list is built once for all of them.
 */
import { domainOf } from '../../graph/domains.ts';
import type { FusedGraph } from '../../graph/domains.ts';
import { implies } from '../../graph/implies.ts';
import type { Node, NodeId } from '../../graph/graph-ir.ts';
import { nodeOf } from '../../graph/node-uses.ts';

/** What is known of the conjunctions of one graph; answers are remembered, since layers ask the same again and again. */
export class PredicateSets {
  readonly #fused: FusedGraph;
  readonly #known = new Map<string, boolean>();

  constructor(fused: FusedGraph) {
    this.#fused = fused;
  }

  /** Whether `weak` is true wherever all of `strong` are. Syntactic: false means "not known". */
  holdsUnder(strong: readonly NodeId[], weak: NodeId): boolean {
    if (strong.includes(weak)) return true;
    if (strong.length === 0) return false;
    const key = `${strong.join()} > ${weak}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const holds = this.#derive(strong, weak);
    this.#known.set(key, holds);
    return holds;
  }

  #derive(strong: readonly NodeId[], weak: NodeId): boolean {
    const lookup = (id: NodeId) => nodeOf(this.#fused.graph, id);
    if (strong.some((s) => implies(s, weak, lookup))) return true;
    const node = lookup(weak);
    if (node.kind === 'presence') return this.holdsUnder(strong, node.mask);
    if (node.kind === 'predicated' && node.otherwise === 0) {
      return this.holdsUnder(strong, node.presence) && this.holdsUnder(strong, node.value);
    }
    return node.kind === 'map' && node.op === 'and' && node.operands.every((id) => this.holdsUnder(strong, id));
  }

  /** Whether two conjunctions are true at the same points. */
  same(a: readonly NodeId[], b: readonly NodeId[]): boolean {
    return b.every((s) => this.holdsUnder(a, s)) && a.every((s) => this.holdsUnder(b, s));
  }

  /** The conjunction without what the rest of it implies, in id order. */
  minimal(presences: readonly NodeId[]): readonly NodeId[] {
    const all = [...new Set(presences)].sort((a, b) => a - b);
    // Of two that say the same the earlier stays: it is known first.
    const drops = (other: NodeId, s: NodeId) =>
      this.holdsUnder([other], s) && (other < s || !this.holdsUnder([s], other));
    return all.filter((s) => !all.some((other) => other !== s && drops(other, s)));
  }

  /** The presences a conjunction is made of, in id order. */
  atomsOf(presences: readonly NodeId[]): readonly NodeId[] {
    const atoms = (id: NodeId): readonly NodeId[] => {
      const mask = this.#maskOf(id);
      if (mask.kind !== 'predicated' || mask.otherwise !== 0) return [id];
      const value = nodeOf(this.#fused.graph, mask.value);
      return [...atoms(mask.presence), ...(value.kind === 'presence' ? atoms(value.id) : [id])];
    };
    return [...new Set(presences.flatMap(atoms))].sort((a, b) => a - b);
  }

  /** The atoms among `atoms` that have to hold for this one to be known. */
  guardsAmong(atom: NodeId, atoms: readonly NodeId[]): readonly NodeId[] {
    const mask = this.#maskOf(atom);
    const predicated = mask.kind === 'predicated' ? [mask.presence] : [];
    const around = this.atomsOf([...domainOf(this.#fused, atom).presences, ...predicated]);
    return atoms.filter((a) => a !== atom && around.includes(a));
  }

  #maskOf(id: NodeId): Node {
    const node = nodeOf(this.#fused.graph, id);
    return node.kind === 'presence' ? nodeOf(this.#fused.graph, node.mask) : node;
  }
}
