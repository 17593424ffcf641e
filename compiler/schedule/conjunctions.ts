/**
 * Conjunctions of supports: when one says the same as another, and what one is made of.
 *
 * The same set of assignments is written in several ways: "where r and q hold", with q known under r only, and "where `r and then q`
 * holds", a support of its own. A relation is built once for all of them.
 */
import { domainOf } from '../graph/domains.ts';
import type { FusedGraph } from '../graph/domains.ts';
import { implies } from '../graph/implies.ts';
import type { NodeId } from '../graph/ir.ts';
import { nodeOf } from '../graph/uses.ts';

/** Whether `weak` is true wherever all of `strong` are. Syntactic: false means "not known". */
export function holdsUnder(fused: FusedGraph, strong: readonly NodeId[], weak: NodeId): boolean {
  const lookup = (id: NodeId) => nodeOf(fused.graph, id);
  if (strong.some((s) => implies(s, weak, lookup))) return true;
  const node = lookup(weak);
  if (node.kind === 'support') return holdsUnder(fused, strong, node.mask);
  if (node.kind === 'masked' && node.otherwise === 0)
    return [node.support, node.value].every((id) => holdsUnder(fused, strong, id));
  return node.kind === 'map' && node.op === 'and' && node.operands.every((id) => holdsUnder(fused, strong, id));
}

/** Whether two conjunctions are true at the same points. */
export function sameConjunction(fused: FusedGraph, a: readonly NodeId[], b: readonly NodeId[]): boolean {
  return b.every((s) => holdsUnder(fused, a, s)) && a.every((s) => holdsUnder(fused, b, s));
}

/** The conjunction without what the rest of it implies, in id order. */
export function minimal(fused: FusedGraph, supports: readonly NodeId[]): readonly NodeId[] {
  const all = [...new Set(supports)].sort((a, b) => a - b);
  // From the last on: later supports are made from earlier ones and imply them.
  return all.filter((s, i) => !all.some((other, j) => j > i && holdsUnder(fused, [other], s)));
}

/** The supports a conjunction is made of, each listed after those that guard it. */
export function atomsOf(fused: FusedGraph, supports: readonly NodeId[]): readonly NodeId[] {
  const atoms = (id: NodeId): readonly NodeId[] => {
    const node = nodeOf(fused.graph, id);
    const mask = node.kind === 'support' ? nodeOf(fused.graph, node.mask) : node;
    if (mask.kind !== 'masked' || mask.otherwise !== 0) return [id];
    const value = nodeOf(fused.graph, mask.value);
    return [...atoms(mask.support), ...(value.kind === 'support' ? atoms(value.id) : [id])];
  };
  return [...new Set(supports.flatMap(atoms))].sort((a, b) => a - b);
}

/** The atoms among `atoms` that have to hold for this one to be known. */
export function guardsAmong(fused: FusedGraph, atom: NodeId, atoms: readonly NodeId[]): readonly NodeId[] {
  const node = nodeOf(fused.graph, atom);
  const mask = node.kind === 'support' ? nodeOf(fused.graph, node.mask) : node;
  const masked = mask.kind === 'masked' ? [mask.support] : [];
  const around = atomsOf(fused, [...domainOf(fused, atom).supports, ...masked]);
  return atoms.filter((a) => a !== atom && around.includes(a));
}
