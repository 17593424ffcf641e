/** The sets of assignments that a plan lists: each once, however its conjunction is written. */
import { CompilerBug } from '../../../dsl/diagnostics/bug.ts';
import { idOf } from '../../../dsl/types/ids.ts';
import { apply, multiply, zero } from '../../../dsl/types/size.ts';
import type { Size } from '../../../dsl/types/size.ts';
import type { FusedGraph } from '../../graph/domains.ts';
import type { AxisId, NodeId } from '../../graph/graph-ir.ts';
import { nodeOf } from '../../graph/node-uses.ts';
import { boundOf, joinBounds, smaller } from '../../graph/presence-bounds.ts';
import type { AssignmentList, AssignmentListId } from '../memory/memory.ts';
import { isFew } from './list-forms.ts';
import type { PredicateSets } from './predicate-sets.ts';

/** The assignment lists of a plan, one for each set of assignments. */
export class AssignmentListTable {
  readonly all: AssignmentList[] = [];
  readonly #fused: FusedGraph;
  readonly #predicateSets: PredicateSets;

  constructor(fused: FusedGraph, predicateSets: PredicateSets) {
    this.#fused = fused;
    this.#predicateSets = predicateSets;
  }

  /** The assignment list of a conjunction of presences; made if there is none. */
  of(predicateSet: readonly NodeId[]): AssignmentList {
    const fused = this.#fused;
    const predicateSets = this.#predicateSets;
    const presences = predicateSets.minimal(predicateSet);
    const known = this.all.find((r) => predicateSets.same(r.presences, presences));
    if (known !== undefined) return known;
    // A presence that is guarded by others only refines their rows, if it has axes they lack.
    const atoms = predicateSets.atomsOf(presences);
    const axesOf = (ids: readonly NodeId[]) => new Set(ids.flatMap((id) => nodeOf(fused.graph, id).axes));
    const levels = new Map<NodeId, number>();
    for (const atom of atoms) {
      const guards = predicateSets.guardsAmong(atom, atoms).map((g) => levels.get(g) ?? 0);
      levels.set(atom, guards.length === 0 ? 0 : 1 + Math.max(...guards));
    }
    const top = Math.max(...levels.values());
    const below = atoms.filter((a) => (levels.get(a) ?? 0) < top);
    const refined = below.length > 0 && axesOf(below).size < axesOf(atoms).size;
    const parent = refined ? this.of(below) : null;
    const assignmentList = this.#make(
      presences,
      refined ? atoms.filter((a) => levels.get(a) === top) : presences,
      parent,
    );
    this.all.push(assignmentList);
    return assignmentList;
  }

  /**
   * The assignment list of a conjunction whose points are named; null where they are not, or not few of all there are. Such a list costs
   * nothing (list-forms.ts), and refines none.
   */
  ofNamed(predicateSet: readonly NodeId[]): AssignmentList | null {
    const presences = this.#predicateSets.minimal(predicateSet);
    const known = this.all.find((r) => this.#predicateSets.same(r.presences, presences));
    if (known !== undefined) return known;
    const list = this.#make(presences, presences, null);
    if (!isFew(this.#fused, list)) return null;
    this.all.push(list);
    return list;
  }

  #make(presences: readonly NodeId[], refinedBy: readonly NodeId[], parent: AssignmentList | null): AssignmentList {
    const { graph } = this.#fused;
    const sizeOf = (axis: AxisId): Size => {
      const size = graph.axes.get(axis)?.size;
      if (size === undefined) throw new CompilerBug('schedule', `no axis ${axis}`);
      return size;
    };
    const parts = presences.map((s) => {
      const node = nodeOf(graph, s);
      if (node.kind !== 'presence')
        throw new CompilerBug('schedule', `a domain names node ${s}, which is a ${node.kind}`);
      return node;
    });
    const above = parent?.axes ?? [];
    const fresh = [...new Set(parts.flatMap((p) => [...p.targets, ...p.axes]))].filter((a) => !above.includes(a));
    const targets = new Set(parts.flatMap((p) => p.targets));
    const majorAxes = fresh.filter((a) => targets.has(a));
    const minorAxes = fresh.filter((a) => !targets.has(a));
    const joined = joinBounds(parts, sizeOf);
    const capacity = boundOf(joined.bounds, [], joined.axes, sizeOf);
    const refinedCapacity = parent === null ? capacity : multiply([parent.capacity, ...fresh.map(sizeOf)]);
    return {
      id: idOf<AssignmentListId>(this.all.length),
      form: { kind: 'scanned' },
      presences,
      parent,
      refinedBy,
      majorAxes,
      minorAxes,
      axes: [...above, ...majorAxes, ...minorAxes],
      targets: [...majorAxes, ...(parent?.targets ?? [])],
      capacity: notNegative(smaller(capacity, refinedCapacity)),
      bounds: joined.bounds,
    };
  }
}

/** A bound may be a formula that can fall below 0 (`limit(to: T - 4)`): no rows then. */
function notNegative(size: Size): Size {
  const subtracts = (s: Size): boolean =>
    s.kind === 'op' ? s.op === 'sub' || s.args.some(subtracts) : s.kind === 'exact' && s.numerator < 0n;
  return subtracts(size) ? apply('max', size, zero) : size;
}
