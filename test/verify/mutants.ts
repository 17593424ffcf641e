/**
 * Mistakes that a compiler could make, planted one at a time in the plan of a compiled program: in the kernel of one launch, or in
 * the plan around it. A mutant looks for a place by what a launch computes (a node of the graph, a list) and by the shape of its
 * statements, so that it outlives changes of how kernels are written; one that finds no place to stand is an error.
 */
import type { CompiledPlan } from '../../compiler/compile.ts';
import type { Node } from '../../compiler/graph/graph-ir.ts';
import { nodeOf, operandsOf } from '../../compiler/graph/node-uses.ts';
import { add, binary, bitcast, f32, i32, mul, u32 } from '../../compiler/kernel/make-expressions.ts';
import type { KernelExpr, Kernel, KernelStmt } from '../../compiler/kernel/kernel-ir.ts';
import type { Compaction, CompactionPart } from '../../compiler/schedule/emitting/contents.ts';
import {
  accessOf,
  buffersOf,
  type BufferId,
  type KernelId,
  type Launch,
  type Plan,
} from '../../compiler/schedule/memory/plan.ts';
import { idOf } from '../../dsl/types/ids.ts';
import { asNumber, exact, sizeKey, substitute } from '../../dsl/types/size.ts';
import { inKernel, type OnExpr, type OnStmt } from './rewrite.ts';

/** Tokens of a run with a mutant: no multiple of a tile. */
export const mutantSizes: ReadonlyMap<string, number> = new Map([['T', 13]]);

export interface Mutant {
  readonly name: string;
  /** The plan with the mistake, and the steps of which the first wrong one has to be. Null: there is no place for it. */
  readonly plant: (compiled: CompiledPlan) => { readonly plan: Plan; readonly steps: readonly number[] } | null;
}

// --- finding a launch ---

interface Found {
  readonly step: number;
  readonly launch: Launch;
  readonly kernel: Kernel;
  /** The name, in the kernel, of the buffer that was looked for. */
  readonly out: string;
}

/** The last launch that computes such a node into memory. */
function computing({ plan, contents, fused }: CompiledPlan, fits: (node: Node) => boolean): Found | null {
  return last(plan, (buffer) => {
    const content = contents.buffers.get(buffer);
    return content?.kind === 'value' && fits(nodeOf(fused.graph, content.node));
  });
}

/** The last launch that writes such a part of an assignment list's rows or of a list. */
function compacting(
  { plan, contents }: CompiledPlan,
  part: CompactionPart,
  of: Compaction['of']['kind'],
): Found | null {
  return last(plan, (buffer) => {
    const content = contents.buffers.get(buffer);
    return (
      content?.kind === 'compaction' &&
      content.part === part &&
      contents.compactions[content.compaction]?.of.kind === of
    );
  });
}

function last(plan: Plan, fits: (buffer: BufferId) => boolean): Found | null {
  for (let step = plan.steps.length - 1; step >= 0; step--) {
    const launch = plan.steps[step];
    if (launch === undefined || launch.kind !== 'launch') continue;
    const kernel = plan.kernels[launch.kernel];
    const at = launch.buffers.findIndex((b) => accessOf(plan, launch).writes.includes(b) && fits(b));
    const out = kernel?.buffers[at]?.name;
    if (kernel !== undefined && out !== undefined) return { step, launch, kernel, out };
  }
  return null;
}

const isMap = (node: Node, op: string): boolean => node.kind === 'map' && node.op === op;

/** A product with an activation in it, which is computed in passing. */
const isActivated =
  ({ fused }: CompiledPlan) =>
  (node: Node): boolean =>
    isMap(node, 'mul') && operandsOf(fused.graph, node).some((id) => isMap(nodeOf(fused.graph, id), 'silu'));

/** A contraction of an expert: its rows are assignments. */
const isGrouped =
  ({ fused }: CompiledPlan) =>
  (node: Node): boolean =>
    node.kind === 'contract' && (fused.domains.get(node.id)?.presences.length ?? 0) > 0;

// --- changing it ---

/** The plan with another kernel for one step. Null if nothing in the kernel was changed. */
function withKernel(
  plan: Plan,
  found: Found | null,
  change: (found: Found) => { readonly expr?: OnExpr; readonly stmt?: OnStmt },
) {
  if (found === null) return null;
  const kernel = inKernel(found.kernel, change(found));
  if (JSON.stringify(kernel.body) === JSON.stringify(found.kernel.body)) return null;
  return withStep(plan, found.step, { ...found.launch, kernel: idOf<KernelId>(plan.kernels.length) }, [
    ...plan.kernels,
    kernel,
  ]);
}

function withStep(plan: Plan, step: number, launch: Launch, kernels: readonly Kernel[] = plan.kernels) {
  return { plan: { ...plan, kernels, steps: plan.steps.map((s, i) => (i === step ? launch : s)) }, steps: [step] };
}

/** What is stored into the buffer that was looked for. */
const stored =
  (value: (value: KernelExpr) => KernelExpr) =>
  ({ out }: Found) => ({
    stmt: (s: KernelStmt): KernelStmt => (s.kind === 'store' && s.buffer === out ? { ...s, value: value(s.value) } : s),
  });

/** What is added up inside loops: `x = x + y` becomes `x = f(x + y)`. */
const summed = (value: (sum: KernelExpr) => KernelExpr) => () => ({
  stmt: (s: KernelStmt, depth: number): KernelStmt =>
    depth > 0 && s.kind === 'assign' && s.value.type === 'f32' && s.value.kind === 'binary' && s.value.op === 'add'
      ? { ...s, value: value(s.value) }
      : s,
});

/** What every variable of a type begins with, if it is a literal. */
const begun = (type: 'f32' | 'i32' | 'u32', from: (value: number) => number) => () => ({
  stmt: (s: KernelStmt): KernelStmt =>
    (s.kind === 'var' || s.kind === 'assign') &&
    s.value.kind === 'literal' &&
    s.value.type === type &&
    typeof s.value.value === 'number'
      ? { ...s, value: { ...s.value, value: from(s.value.value) } }
      : s,
});

/** What starts at an infinity, which legal kernels make of its bits, starts at 0. */
const fromInfinity = () => ({
  stmt: (s: KernelStmt): KernelStmt =>
    s.kind === 'var' && s.value.kind === 'bitcast' && s.value.type === 'f32'
      ? { ...s, value: { kind: 'literal', type: 'f32', value: 0 } }
      : s,
});

/** Another index into every buffer of f32 that is read, kept inside it. */
const readAt =
  (index: (index: KernelExpr) => KernelExpr) =>
  ({ out }: Found) => ({
    expr: (e: KernelExpr): KernelExpr =>
      e.kind === 'load' && e.type === 'f32' && e.buffer !== out
        ? { ...e, index: binary('rem', index(e.index), { kind: 'buffer_length', type: 'u32', buffer: e.buffer }) }
        : e,
  });

/** The guard of a whole launch, or of its tiles, one too short. */
const shorter = () => ({
  stmt: (s: KernelStmt): KernelStmt =>
    s.kind === 'if' &&
    s.condition.kind === 'binary' &&
    s.condition.op === 'lt' &&
    s.condition.left.type === 'u32' &&
    storesIn(s.then)
      ? { ...s, condition: { ...s.condition, left: add(s.condition.left, u32(1)) } }
      : s,
});

function storesIn(body: readonly KernelStmt[]): boolean {
  return body.some((s) => s.kind === 'store' || (s.kind === 'for' && storesIn(s.body)));
}

const coarse = (e: KernelExpr): KernelExpr => bitcast('f32', binary('bit_and', bitcast('u32', e), u32(0xffffe000)));

/** Every loop one step shorter, those of none left alone. */
const withoutLast = () => ({
  stmt: (s: KernelStmt): KernelStmt =>
    s.kind === 'for' ? { ...s, to: binary('sub', binary('max', s.to, u32(1)), u32(1)) } : s,
});

const mutate =
  (find: (compiled: CompiledPlan) => Found | null, change: Parameters<typeof withKernel>[2]) =>
  (compiled: CompiledPlan) =>
    withKernel(compiled.plan, find(compiled), change);

const kind =
  (...kinds: readonly Node['kind'][]) =>
  (compiled: CompiledPlan) =>
    computing(compiled, (n) => kinds.includes(n.kind));

export const mutants: readonly Mutant[] = [
  // Scalar functions.
  {
    name: 'an activation times 1.5',
    plant: mutate(
      (c) => computing(c, isActivated(c)),
      stored((v) => mul(v, f32(1.5))),
    ),
  },
  {
    name: 'softmax wrong in its sixth digit',
    plant: mutate(
      (c) => computing(c, (n) => isMap(n, 'div')),
      stored((v) => mul(v, f32(1.00001))),
    ),
  },
  {
    name: 'rsqrt is sqrt of the inverse in f16',
    plant: mutate((c) => computing(c, (n) => isMap(n, 'rsqrt')), stored(coarse)),
  },
  // Accumulators.
  {
    name: 'the sum of an expert starts at 1',
    plant: mutate(
      (c) => computing(c, isGrouped(c)),
      begun('f32', (v) => (v === 0 ? 1 : v)),
    ),
  },
  {
    name: 'a dense contraction loses its last term',
    plant: mutate((c) => computing(c, (n) => n.kind === 'contract' && !isGrouped(c)(n)), withoutLast),
  },
  { name: 'an expert adds in f16', plant: mutate((c) => computing(c, isGrouped(c)), summed(coarse)) },
  {
    name: 'a running sum starts at 1',
    plant: mutate(
      kind('scan'),
      begun('f32', (v) => (v === 0 ? 1 : v)),
    ),
  },
  // Tile edges.
  { name: 'the tile of an expert is one too short', plant: mutate((c) => computing(c, isGrouped(c)), shorter) },
  { name: 'the guard of a map is one too short', plant: mutate((c) => computing(c, (n) => isMap(n, 'add')), shorter) },
  // Strides and offsets.
  {
    name: 'an expert reads one element too late',
    plant: mutate(
      (c) => computing(c, isGrouped(c)),
      readAt((i) => add(i, u32(1))),
    ),
  },
  {
    name: 'a look-up is one too late',
    plant: mutate(
      kind('gather'),
      readAt((i) => add(i, u32(1))),
    ),
  },
  // Lists.
  {
    name: 'the offsets of the experts are one too high',
    plant: mutate(
      (c) => compacting(c, 'offsets', 'rows'),
      stored((v) => add(v, u32(1))),
    ),
  },
  {
    name: 'the list of assignments in another order',
    plant: mutate(
      (c) => compacting(c, 'list', 'rows'),
      stored((v) => binary('bit_xor', v, u32(1))),
    ),
  },
  {
    name: 'the first of what was chosen is not summed',
    plant: mutate(
      (c) => computing(c, (n) => n.kind === 'reduce' && nodeOf(c.fused.graph, n.operand).kind === 'predicated'),
      () => ({ stmt: (s) => (s.kind === 'for' ? { ...s, from: u32(1) } : s) }),
    ),
  },
  {
    name: 'the row of a slot is the next one',
    plant: mutate(
      (c) => compacting(c, 'inverse', 'rows'),
      stored((v) => add(v, i32(1))),
    ),
  },
  // Masks.
  {
    name: 'a condition turned',
    plant: mutate(
      (c) => computing(c, (n) => n.kind === 'presence'),
      stored((v) => binary('bit_xor', v, u32(1))),
    ),
  },
  {
    name: 'absent is read as 0 in max',
    plant: mutate((c) => computing(c, (n) => n.kind === 'reduce' && n.op === 'max'), fromInfinity),
  },
  // Selections.
  {
    name: 'one pick too few',
    plant: mutate(kind('choose'), () => ({ stmt: roundsFrom1 })),
  },
  { name: 'ties go to the higher index', plant: mutate(kind('choose'), () => ({ expr: tied })) },
  {
    name: 'the first point counts as found',
    plant: mutate(
      kind('choose'),
      begun('i32', (v) => (v === -1 ? 0 : v)),
    ),
  },
  // Launches.
  { name: 'a launch left out', plant: (c) => launchOf(c, (l) => ({ ...l, invocations: exact(0) })) },
  { name: 'a launch of half its groups', plant: halved },
  { name: 'memory shared too early', plant: sharedTooEarly },
  { name: 'two weights swapped', plant: swappedWeights },
  // States and draws.
  { name: 'a draw that forgets the seed', plant: forgottenSeed },
  {
    name: 'an update that is not scaled',
    plant: mutate(
      updating,
      stored((v) => mul(v, f32(1.0001))),
    ),
  },
];

/** A loop around a loop begins a round too late. */
function roundsFrom1(s: KernelStmt): KernelStmt {
  return s.kind === 'for' && s.body.some((inside) => inside.kind === 'for') ? { ...s, from: u32(1) } : s;
}

/** In the comparison of equal keys, the positions behind the last one instead of those before it. */
function tied(e: KernelExpr): KernelExpr {
  if (e.kind !== 'binary' || e.op !== 'and' || e.left.kind !== 'binary' || e.left.op !== 'eq') return e;
  return e.right.kind === 'binary' && e.right.op === 'le' ? { ...e, right: { ...e.right, op: 'ge' } } : e;
}

/** The launch of the last contraction of an expert, changed. */
function launchOf(compiled: CompiledPlan, change: (launch: Launch) => Launch) {
  const found = computing(compiled, isGrouped(compiled));
  return found === null ? null : withStep(compiled.plan, found.step, change(found.launch));
}

/** The last launch that has more than one workgroup runs without the rest of them. */
function halved({ plan }: CompiledPlan) {
  for (let step = plan.steps.length - 1; step >= 0; step--) {
    const launch = plan.steps[step];
    if (launch?.kind !== 'launch') continue;
    const threads = asNumber(substitute(launch.invocations, mutantSizes)) ?? 0;
    const size = plan.kernels[launch.kernel]?.workgroupSize ?? 64;
    if (threads > size)
      return withStep(plan, step, { ...launch, invocations: exact(Math.ceil(threads / size / 2) * size - size / 2) });
  }
  return null;
}

/** Something that is read later loses its memory to a value that is written before that. */
function sharedTooEarly({ plan, contents }: CompiledPlan) {
  const isValue = (b: BufferId): boolean =>
    contents.buffers.get(b)?.kind === 'value' && plan.buffers[b]?.role.kind === 'scratch';
  const reads = plan.steps.map((s) => accessOf(plan, s).reads);
  const writes = plan.steps.map((s) => accessOf(plan, s).writes);
  for (let reader = plan.steps.length - 1; reader >= 0; reader--) {
    for (const kept of (reads[reader] ?? []).filter(isValue)) {
      const born = writes.findIndex((w) => w.includes(kept));
      for (let step = reader - 1; step > born; step--) {
        const thief = (writes[step] ?? []).find((b) => isValue(b) && !(reads[step] ?? []).includes(kept));
        const role = plan.buffers[kept]?.role;
        // The thief must be dead when the reader runs, or the launch would have both.
        if (thief === undefined || role?.kind !== 'scratch' || reads.slice(reader).some((r) => r.includes(thief)))
          continue;
        const buffers = plan.buffers.map((b, i) => (i === thief ? { ...b, role } : b));
        return { plan: { ...plan, buffers }, steps: plan.steps.map((_, i) => i).filter((i) => i > step) };
      }
    }
  }
  return null;
}

/** A launch reads another param of the same shape. */
function swappedWeights({ plan }: CompiledPlan) {
  const other = (buffer: BufferId): BufferId | null => {
    const mine = plan.buffers[buffer];
    if (mine?.role.kind !== 'store' || mine.role.store !== 'param') return null;
    const size = sizeKey(mine.elements);
    const found = buffersOf(plan).find(
      ([id, { role, elements }]) =>
        id !== buffer && role.kind === 'store' && role.store === 'param' && sizeKey(elements) === size,
    );
    return found === undefined ? null : found[0];
  };
  for (let step = plan.steps.length - 1; step >= 0; step--) {
    const launch = plan.steps[step];
    if (launch?.kind !== 'launch') continue;
    for (const [i, buffer] of launch.buffers.entries()) {
      const swapped = other(buffer);
      if (swapped !== null) return withStep(plan, step, { ...launch, buffers: launch.buffers.with(i, swapped) });
    }
  }
  return null;
}

function forgottenSeed(compiled: CompiledPlan) {
  const found = computing(compiled, (n) => n.kind === 'draw');
  if (found === null) return null;
  const uniforms = found.launch.uniforms.map((u) =>
    u.kind === 'seed' ? ({ kind: 'size', size: exact(99) } as const) : u,
  );
  return withStep(compiled.plan, found.step, { ...found.launch, uniforms });
}

/** The launch that writes the new value of a state. */
function updating({ plan }: CompiledPlan): Found | null {
  const buffers = plan.results.flatMap((r) => (r.kind === 'tensor' && r.group === 'update' ? [r.buffer] : []));
  return last(plan, (b) => buffers.includes(b));
}
