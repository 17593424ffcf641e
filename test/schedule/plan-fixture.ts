/** Graphs by hand for the scheduler's tests, run on the plan simulator and on the float64 graph interpreter. */
import { expect } from 'vitest';
import type { ElementType } from '../../dsl/types/program.ts';
import { exact, type Size } from '../../dsl/types/size.ts';
import { placeChecks, type Demanded } from '../../compiler/elaborate/place-checks.ts';
import { GraphBuilder } from '../../compiler/graph/graph-builder.ts';
import { everywhere, type Domain, type FusedGraph } from '../../compiler/graph/domains.ts';
import { interpretGraph, type GraphRun } from '../../compiler/graph/interpret-graph.ts';
import { inOrder } from '../../compiler/graph/tensor-points.ts';
import type { AxisId, Graph, NodeId, GraphOutput } from '../../compiler/graph/graph-ir.ts';
import { optimise } from '../../compiler/passes/pass-list.ts';
import { planOfClass, type Plan } from '../../compiler/schedule/memory/plan.ts';
import { schedule } from '../../compiler/schedule/schedule.ts';
import { simulatePlan, type PlanRun, type RanPlan } from '../support/simulate-plan.ts';
import { verifyPlan } from '../../compiler/schedule/memory/verify-plan.ts';
import { legalise } from '../../compiler/kernel/legalise/legalise.ts';
import { printWgsl } from '../../compiler/wgsl/print-wgsl.ts';
import { webgpuCore, type Target } from '../../compiler/target.ts';
import { validateWgsl } from '../support/null-device.ts';
import type { ResultValue } from '../../runtime/contract/results.ts';

export const fixed = (n: number): Size => exact(n);
export const dynamic = (axis: string): Size => ({ kind: 'dynamic', axis });

/** A deterministic stream of numbers in (-1, 1). */
export function stream(seed: number): () => number {
  let state = (seed * 2654435761 + 12345) >>> 0;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0;
    return Math.fround(((state ^ (state >>> 13)) >>> 8) / 2 ** 23 - 1);
  };
}

export class PlanFixture {
  readonly b = new GraphBuilder('test');
  readonly outputs: GraphOutput[] = [];
  readonly domains = new Map<NodeId, Domain>();
  readonly materialised = new Set<NodeId>();
  readonly sizes = new Map<string, number>();
  readonly inputs = new Map<string, number[]>();
  /** Of plans: the tests' matrices are small, and are to be computed as large ones are. */
  readonly target: Target = { ...webgpuCore, tileFrom: 0, maxAsked: 0 };
  /** Domains and memory by the passes instead of by hand. */
  sparsified = false;
  readonly #roles = new Map<string, string>();
  readonly #random = stream(7);

  axis(name: string, size: number): AxisId {
    return this.b.axis(name, fixed(size));
  }

  dynamicAxis(name: string, size: number): AxisId {
    this.sizes.set(name, size);
    return this.b.axis(name, dynamic(name));
  }

  sizeOf(axis: AxisId): number {
    const { size, name } = this.b.axisOf(axis);
    return size.kind === 'exact' ? Number(size.numerator) : (this.sizes.get(name) ?? NaN);
  }

  /** A graph input filled with random numbers unless they are given. */
  input(
    role: 'input' | 'param' | 'state',
    name: string,
    axes: readonly AxisId[],
    data?: readonly number[],
    element: ElementType = 'f32',
  ): NodeId {
    const count = axes.reduce((n, a) => n * this.sizeOf(a), 1);
    this.inputs.set(name, data === undefined ? Array.from({ length: count }, () => this.#random()) : [...data]);
    this.#roles.set(name, role);
    return this.b.input(this.b.addInput({ role, name, element, axes, within: null, default: null }));
  }

  /** Writes the supports of a value's domain; `memory`: it is materialised. */
  on(id: NodeId, presences: readonly NodeId[], memory = true): NodeId {
    this.domains.set(id, { presences, dense: null });
    if (memory) this.materialised.add(id);
    return id;
  }

  keep(id: NodeId): NodeId {
    this.materialised.add(id);
    return id;
  }

  output(name: string, node: NodeId, axes: readonly AxisId[]): void {
    this.outputs.push({ kind: 'tensor', name, role: 'result', node, axes });
  }

  /** The k largest of each group as a support; also each point's place. */
  topK(
    scores: NodeId,
    k: number,
    over: readonly AxisId[],
    sources: readonly AxisId[],
    targets: readonly AxisId[],
  ): { presence: NodeId; place: NodeId } {
    const { b } = this;
    const place = b.sortRank([{ node: scores, descending: true }], null, over, true);
    const mask = b.map('lt', [place, b.constant(k, 'i32')]);
    const rest = [...sources, ...targets].filter((a) => !over.includes(a));
    return { place, presence: b.presence(mask, sources, targets, [{ per: rest, atMost: fixed(k) }]) };
  }

  /** What must hold where something is needed. */
  readonly demanded: Demanded[] = [];

  /** Where a value is needed, indices must be points of an axis, or -1. */
  demandPoints(at: NodeId, ids: NodeId, axis: AxisId): void {
    const { b } = this;
    const inside = [b.map('ge', [ids, b.constant(-1, 'i32')]), b.map('lt', [ids, b.size(b.sizeOf(axis), 'i32')])];
    const message = `an index is no point of ${b.axisOf(axis).name}`;
    this.demanded.push({ at: [at], holds: b.map('and', inside), code: 'MOE0721', message, span: b.span });
  }

  graph(): Graph {
    return placeChecks(this.b.finish(this.outputs), this.demanded);
  }

  fused(): FusedGraph {
    if (this.sparsified) return optimise(this.graph());
    const graph = this.graph();
    const domains = new Map(graph.nodes.map((n) => [n.id, this.domains.get(n.id) ?? everywhere] as const));
    return { graph, domains, materialised: this.materialised };
  }

  plan(target: Target = this.target): Plan {
    const { plan, diagnostics } = schedule(this.fused(), target);
    expect(diagnostics).toEqual([]);
    expect(verifyPlan(plan, target)).toEqual([]);
    return plan;
  }

  run(): PlanRun {
    const of = (wanted: (role: string) => boolean) =>
      new Map([...this.inputs].filter(([name]) => wanted(this.#roles.get(name) ?? '')));
    return { inputs: of((r) => r === 'input'), stores: of((r) => r !== 'input'), sizes: this.sizes, seed: 5 };
  }

  async simulate(plan: Plan, more: Partial<PlanRun> = {}): Promise<RanPlan> {
    return simulatePlan(plan, { ...this.run(), ...more }, { races: true, counts: true });
  }

  /** Every class of devices gives the bits that the portable forms give. */
  async #agreeInClasses(plan: Plan, portable: ReadonlyMap<string, ResultValue>): Promise<void> {
    for (const name of classesOf(plan)) {
      const { faults, results } = await this.simulate(planOfClass(plan, name));
      expect([name, faults]).toEqual([name, []]);
      expect([name, results()]).toEqual([name, portable]);
    }
  }

  /** Runs both and compares every tensor result, and has every shader validated; gives what the simulator counted. */
  async agree(tolerance = 1e-5, graphRun: Partial<GraphRun> = {}): Promise<{ plan: Plan; simulated: RanPlan }> {
    const plan = this.plan();
    for (const kernel of plan.kernels) {
      const text = printWgsl(legalise(kernel, webgpuCore));
      expect(await validateWgsl(text), text).toEqual([]);
    }
    const simulated = await this.simulate(plan);
    const { values, errors } = interpretGraph(this.graph(), {
      inputs: this.inputs,
      sizes: this.sizes,
      seed: 5,
      ...graphRun,
    });
    expect(errors).toEqual([]);
    expect(simulated.faults).toEqual([]);
    const results = simulated.results();
    for (const output of this.outputs) {
      if (output.kind !== 'tensor') continue;
      const value = values[output.node];
      const result = results.get(output.name);
      if (value === undefined || result?.kind !== 'tensor') throw new Error(`no result ${output.name}`);
      closeTo([...result.data], [...inOrder(value, output.axes)], tolerance, output.name);
    }
    await this.#agreeInClasses(plan, results);
    return { plan, simulated };
  }
}

/** The classes of devices that some launch has a form for. */
export function classesOf({ steps }: Plan): readonly string[] {
  return [...new Set(steps.flatMap((step) => (step.kind === 'launch' ? step.forms.map((form) => form.class) : [])))];
}

/** Elementwise within `tolerance` of the larger of 1 and the magnitude. */
export function closeTo(actual: readonly number[], expected: readonly number[], tolerance: number, what: string): void {
  expect(actual.length, what).toBe(expected.length);
  for (const [i, e] of expected.entries()) {
    const a = actual[i] ?? NaN;
    const off = Math.abs(a - e) / Math.max(1, Math.abs(e));
    if (!(off <= tolerance)) throw new Error(`${what}[${i}] is ${a}, not ${e}`);
  }
}
