/**
 * What `moec verify` says of a run: of each result, step by step (is it what its own inputs make it?) and from end to end (is it
 * what the reference says?), and of the run as a whole.
 *
 * A result is *verified* if numbers of it were compared, none is off, and the bounds are far below the numbers. It is *wrong* if a
 * number is further off than rounding explains. Anything else is *not verified*, with a reason: nothing says that it is wrong,
 * and nothing that it is right.
 */
import { missing, noNumber } from '../../../dsl/diagnostics/invariants.ts';
import { locator } from '../../compile.ts';
import { isLibrary } from '../../../dsl/diagnostics/diagnostic.ts';
import type { NodeId, GraphOutput } from '../../graph/graph-ir.ts';
import { nodeOf, nodesOfOutput, usesOf } from '../../graph/node-uses.ts';
import type { BufferId } from '../../schedule/memory/plan.ts';
import type { Compared } from '../../verify/tally.ts';
import { fates, looseFrom, type Tally } from '../../verify/tally.ts';
import type { StepComparison } from '../../verify/step-comparer.ts';
import { fullName, type Comparison } from './compare.ts';
import type { Ready } from './execution.ts';
import { planOf } from './prepare.ts';
import type { Stepwise } from './stepwise.ts';

export type Status = 'verified' | 'not verified' | 'wrong';

export interface TensorComparison {
  readonly name: string;
  readonly shape: readonly number[];
  /** Where in the source it comes from. */
  readonly place: string;
  readonly status: Status;
  /** Why it is not verified or wrong. */
  readonly reason: string | null;
  /** Step by step. */
  readonly compared: number;
  readonly undecided: number;
  /** Numbers on whose way something left the range of f32. */
  readonly left: number;
  readonly worst: Compared | null;
  readonly bound: number;
  readonly looseness: number;
  /** From end to end; null where no bound can be derived (a function of the host). */
  readonly endToEnd: Comparison | null;
}

/** A value that is wrong or not verified, with its place. */
export interface ValueFault {
  readonly launch: string;
  readonly place: string;
  readonly tensor: string;
  readonly reason: string;
}

export interface FirstWrong extends Compared {
  readonly launch: string;
  /** In the source, as diagnostics write it; in the library also where the program uses it. */
  readonly place: string;
  readonly usedAt: string | null;
  /** What was computed, with its axes. */
  readonly tensor: string;
}

export interface RunComparison {
  readonly status: Status;
  readonly tensors: readonly TensorComparison[];
  readonly firstWrong: FirstWrong | null;
  /** Values inside the run that are not verified. */
  readonly unverified: readonly ValueFault[];
  readonly launches: {
    readonly values: number;
    readonly compared: number;
    readonly undecided: number;
    readonly left: number;
    readonly wrong: number;
  };
}

/** What comes of a run: `endToEnd` are the comparisons with the reference, or null. */
export function comparisonOf(ready: Ready, stepwise: Stepwise, endToEnd: readonly Comparison[] | null): RunComparison {
  const { plan, fused } = planOf(ready);
  const locations = locationsOf(ready);
  const ofBuffer = new Map(stepwise.comparisons.map((v) => [v.buffer, v] as const));
  const outputs = new Map(fused.graph.outputs.map((output) => [fullName(output), output] as const));
  const results = new Map(plan.results.map((r) => [`${r.group} ${r.name}`, r] as const));
  const left = stepwise.left > 0;
  const tensors = [...stepwise.results].map(([name, tensor]): TensorComparison => {
    const suffix = outputs.has(name) ? '' : (/\.(indices|weights)$/.exec(name)?.[0] ?? '');
    const output = outputs.get(suffix === '' ? name : name.slice(0, -suffix.length));
    const result = output === undefined ? undefined : results.get(`${output.role} ${output.name}`);
    const find = (buffer: BufferId) => ofBuffer.get(buffer) ?? null;
    const counts =
      result === undefined
        ? nothing
        : result.kind === 'tensor'
          ? ofTensor(find(result.buffer))
          : ofRoute(suffix, tensor, {
              present: find(result.present),
              weight: find(result.weight),
              rank: find(result.rank),
            });
    const against = endToEnd?.find((v) => v.name === name) ?? null;
    const total = tensor.shape.reduce((n, k) => n * k, 1);
    const { status, reason } = statusOf(counts, total, against, left);
    const location = locations.ofRoot(output);
    return { name, shape: tensor.shape, place: location, status, reason, ...counts, endToEnd: against };
  });
  for (const missing of endToEnd?.filter((v) => !stepwise.results.has(v.name)) ?? []) {
    const { name, shape } = missing;
    tensors.push({
      name,
      shape,
      place: '?',
      status: 'wrong',
      reason: 'the run did not give it',
      ...nothing,
      endToEnd: missing,
    });
  }
  const unverified = stepwise.comparisons.flatMap((v): ValueFault[] => {
    const reason = v.tally.wrong > 0 ? null : unverifiedReason(v.tally);
    return reason === null ? [] : [{ ...locations.ofComparison(v), reason }];
  });
  const { comparisons, compared, undecided, wrong, firstWrong } = stepwise;
  const isWrong = wrong > 0 || tensors.some((t) => t.status === 'wrong');
  const isVerified = compared > 0 && unverified.length === 0 && tensors.every((t) => t.status === 'verified');
  return {
    status: isWrong ? 'wrong' : isVerified ? 'verified' : 'not verified',
    tensors,
    firstWrong: firstWrong === null ? null : first(firstWrong, locations),
    unverified,
    launches: { values: comparisons.length, compared, undecided, left: stepwise.left, wrong },
  };
}

type Counts = Pick<TensorComparison, 'compared' | 'undecided' | 'left' | 'worst' | 'bound' | 'looseness'> & {
  readonly wrong: number;
};

const nothing: Counts = { compared: 0, undecided: 0, left: 0, wrong: 0, worst: null, bound: 0, looseness: 0 };

function ofTensor(comparison: StepComparison | null): Counts {
  if (comparison === null) return nothing;
  const { compared, undecided, left, wrong, worst, bound, looseness } = comparison.tally;
  return { compared, undecided, left, wrong, worst, bound, looseness };
}

/**
 * The three forms of a route: dense (a number for each point: its weight, or 0 where it is absent), and for each source its picks
 * and their weights. An absent point is compared as such; a pick where presence and rank of all points of its source are.
 */
function ofRoute(
  suffix: string,
  { shape, data }: { readonly shape: readonly number[]; readonly data: ArrayLike<number> },
  parts: {
    readonly present: StepComparison | null;
    readonly weight: StepComparison | null;
    readonly rank: StepComparison | null;
  },
): Counts {
  const { present, weight, rank } = parts;
  if (present === null || weight === null || rank === null) return nothing;
  const fate = { present: present.fate, weight: weight.fate, rank: rank.fate };
  const payload = weight.fate.length / Math.max(1, present.fate.length);
  const worstOf = suffix === '.indices' ? [present, rank] : [weight, present];
  const worst = worstOf.map((v) => v.tally.worst).reduce((a, b) => ((b?.ratio ?? -1) > (a?.ratio ?? -1) ? b : a), null);
  const tally = { compared: 0, undecided: 0, left: 0, wrong: 0 };
  const add = (f: number, n: number): void => {
    if (f === fates.right) tally.compared += n;
    else if (f === fates.wrong) {
      tally.compared += n;
      tally.wrong += n;
    } else if (f === fates.left) tally.left += n;
    else if (f === fates.undecided) tally.undecided += n;
  };
  const graver = (a: number, b: number): number => Math.max(a, b);
  if (suffix === '') {
    // Outside: an absent point, which presence settles.
    for (let i = 0; i < fate.weight.length; i++) {
      const point = Math.floor(i / payload);
      add(graver(fate.present[point] ?? noNumber(), fate.weight[i] ?? noNumber()), 1);
    }
  } else {
    const sources = shape
      .slice(0, shape.length - (suffix === '.weights' && payload > 1 ? 2 : 1))
      .reduce((n, k) => n * k, 1);
    const targets = fate.present.length / Math.max(1, sources);
    for (let s = 0; s < sources; s++) {
      let worstFate: number = fates.right;
      for (let t = s * targets; t < (s + 1) * targets; t++) {
        worstFate = graver(worstFate, graver(fate.present[t] ?? noNumber(), fate.rank[t] ?? noNumber()));
        if (suffix !== '.weights') continue;
        for (let y = 0; y < payload; y++) worstFate = graver(worstFate, fate.weight[t * payload + y] ?? noNumber());
      }
      add(worstFate, data.length / sources);
    }
  }
  const exact = suffix === '.indices';
  return { ...tally, worst, bound: exact ? 0 : weight.tally.bound, looseness: exact ? 0 : weight.tally.looseness };
}

function statusOf(
  counts: Counts,
  total: number,
  endToEnd: Comparison | null,
  left: boolean,
): { readonly status: Status; readonly reason: string | null } {
  if (counts.wrong > 0) return { status: 'wrong', reason: `${counts.wrong} numbers are off` };
  if (endToEnd !== null && !endToEnd.passed) {
    // What leaves f32 comes back as another number than in the reference, and rightly so.
    if (left) return { status: 'not verified', reason: 'a number on the way to it left the range of f32' };
    return { status: 'wrong', reason: 'every launch is right, and the reference says something else' };
  }
  if (total === 0) return { status: 'verified', reason: null };
  if (counts.compared === 0 && counts.undecided + counts.left === 0)
    return { status: 'not verified', reason: 'nothing was compared: it is the host’s, or comes after a wrong list' };
  const reason = unverifiedReason(counts);
  return reason === null ? { status: 'verified', reason: null } : { status: 'not verified', reason };
}

/** Why a value without a wrong number is not verified all the same; null if it is, or has no numbers. */
function unverifiedReason(tally: Pick<Tally, 'compared' | 'undecided' | 'left' | 'looseness'>): string | null {
  const { compared, undecided, left, looseness } = tally;
  if (left > 0) return `${left} numbers left the range of f32`;
  if (compared === 0 && undecided > 0)
    return 'nothing was compared: all of it hangs on choices that rounding could turn';
  if (looseness >= looseFrom) return `its bounds are as large as ${Math.round(100 * looseness)} % of it`;
  return null;
}

function first(
  { comparison, ...off }: NonNullable<Stepwise['firstWrong']>,
  locations: ReturnType<typeof locationsOf>,
): FirstWrong {
  return { ...off, ...locations.ofComparison(comparison), usedAt: locations.usedAt(comparison.node) };
}

/** Locations of values in the source. */
function locationsOf(ready: Ready) {
  const { fused } = planOf(ready);
  const locationOf = locator(ready.prepared.project.sources);
  const tensorOf = (v: StepComparison): string => (v.axes.length === 0 ? v.what : `${v.what}[${v.axes.join(', ')}]`);
  return {
    ofComparison: (v: StepComparison) => ({
      launch: v.label,
      place: v.span === null ? '?' : locationOf(v.span),
      tensor: tensorOf(v),
    }),
    ofRoot: (output: GraphOutput | undefined): string => {
      const [node] = output === undefined ? [] : nodesOfOutput(output);
      return node === undefined ? '?' : locationOf(nodeOf(fused.graph, node).span);
    },
    /** For a value of the library: the nearest value made of it that the program itself writes. */
    usedAt: (id: NodeId | null): string | null => {
      if (id === null || !isLibrary(nodeOf(fused.graph, id).span)) return null;
      const uses = usesOf(fused.graph);
      const seen = new Set<NodeId>([id]);
      for (const at of seen) {
        const { span } = nodeOf(fused.graph, at);
        if (!isLibrary(span) && span.source !== '') return locationOf(span);
        for (const user of uses[at] ?? missing('cli: uses of node', at)) seen.add(user);
      }
      return null;
    },
  };
}
