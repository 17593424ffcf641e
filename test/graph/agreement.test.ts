/**
 * Elaboration against the reference interpreter: every program of the collection, entry by entry, on random numbers.
 * The graph of elaboration and the optimised one, poisoned outside its domains, must both say what the program means.
 * All three compute in float64 and differ in the order of sums only.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Program } from '../../dsl/types/program.ts';
import type { ExternRun } from '../../dsl/interpret/float64-backend.ts';
import type { Axis } from '../../dsl/types/axis.ts';
import type { StaticValue } from '../../dsl/meaning/instances.ts';
import { asInteger, exact, substitute, type Size } from '../../dsl/types/size.ts';
import { interpretEntry, type InterpretedValue, type NumberTensor } from '../../dsl/interpret/interpret-entry.ts';
import { analyse } from '../../compiler/front-end.ts';
import { elaborate, type ElaboratedEntry, type Elaboration } from '../../compiler/elaborate/elaborate.ts';

import { interpretGraph } from '../../compiler/graph/interpret-graph.ts';
import { inOrder, type NodeNumbers } from '../../compiler/graph/tensor-points.ts';
import type { AxisId, ExternCall, Graph, GraphOutput, NodeId } from '../../compiler/graph/graph-ir.ts';
import type { Domain } from '../../compiler/graph/domains.ts';
import { optimise } from '../../compiler/passes/pass-list.ts';
import { slotMistakes, slotsChecked, slotsInOrder } from './slot-mistakes.ts';

const folder = fileURLToPath(new URL('../check/programs/', import.meta.url));
/** And one that chooses among what was chosen. */
const more = '../../fuzz/findings/choices-among-split-points.moe';
const files = [...readdirSync(folder).filter((f) => f.endsWith('.moe')), more];
const seed = 3;

/** Sizes of dynamic axes: small, and different from one another. */
const dynamicSizes = [2, 3, 4, 5];

/** Numbers between -1 and 1 that depend on a name, the same everywhere. */
function randomNumbers(name: string, count: number): Float64Array {
  let state = [...name].reduce((h, c) => Math.imul(h ^ c.charCodeAt(0), 0x01000193) >>> 0, 0x811c9dc5);
  return Float64Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.fround((state / 2 ** 32) * 2 - 1);
  });
}

interface Setting {
  readonly sizes: ReadonlyMap<string, number>;
  readonly inputs: ReadonlyMap<string, NumberTensor>;
  readonly variables: ReadonlyMap<string, Float64Array>;
}

function settingOf(elaboration: Elaboration, entry: ElaboratedEntry): Setting {
  const sizes = new Map(elaboration.dynamic.map((name, i) => [name, dynamicSizes[i % dynamicSizes.length] ?? 2]));
  const count = (size: Size): number => asInteger(substitute(size, sizes)) ?? 0;
  const numbers = (name: string, element: string, shape: readonly number[], within: number | null): Float64Array => {
    const data = randomNumbers(name, shape.reduce((n, s) => n * s, 1)); // prettier-ignore
    if (element === 'bool') return data.map((v) => (v > 0 ? 1 : 0));
    if (element !== 'i32') return data;
    return data.map((v) => Math.floor(((v + 1) / 2) * (within ?? 4)));
  };
  const inputs = entry.inputs.map((i): [string, NumberTensor] => {
    const shape = i.axes.map((a) => count(a.size));
    const within = i.within === null ? null : count(i.within.size);
    return [i.name, { shape, data: numbers(i.name, i.type.element, shape, within) }];
  });
  const variables = elaboration.variables.flatMap(({ used: { variable } }): [string, Float64Array][] => {
    if (variable.declaration.role === 'control') return [];
    const shape = [...variable.family, ...variable.declared].map((a) => count(a.size));
    const within = variable.within === null ? null : count(variable.within.size);
    return [[variable.path, numbers(variable.path, variable.element, shape, within)]];
  });
  return { sizes, inputs: new Map(inputs), variables: new Map(variables) };
}

// What the host of these tests answers: what it is given, summed over what is not carried, plus indices. Whole numbers
// stay whole, and it depends on everything it may depend on.

interface Numbers<A> {
  readonly axes: readonly A[];
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

function indexOf(point: number, shape: readonly number[]): readonly number[] {
  return shape.map((n, d) => Math.floor(point / shape.slice(d + 1).reduce((p, m) => p * m, 1)) % n);
}

function host<A>(
  args: readonly Numbers<A>[],
  around: readonly A[],
  result: Omit<Numbers<A>, 'data'>,
  instance: number,
): Float64Array {
  return Float64Array.from({ length: result.shape.reduce((n, m) => n * m, 1) }, (_, point) => {
    const index = indexOf(point, result.shape);
    const own = index.reduce((sum, i, d) => (around.some((a) => a === result.axes[d]) ? sum : sum + i), 0);
    return args.reduce((sum, arg) => {
      const fits = (at: readonly number[]): boolean =>
        arg.axes.every((a, d) => !around.includes(a) || at[d] === index[result.axes.indexOf(a)]);
      return [...Array.from(arg.data)].reduce((s, v, i) => (fits(indexOf(i, arg.shape)) ? s + v : s), sum);
    }, own + instance);
  });
}

function answer(run: ExternRun): readonly Float64Array[] {
  const shapeOf = (axes: readonly Axis[]): readonly number[] => axes.map((a) => asInteger(a.size) ?? 0);
  const args = run.args.map((a) => ({ ...a, shape: shapeOf(a.axes) }));
  const instance = run.instance.reduce((sum, i) => sum + i, 0);
  return run.results.map((r) => host(args, run.carried, { axes: r.axes, shape: shapeOf(r.axes) }, instance));
}

function answerGraph(
  call: ExternCall,
  operands: readonly NodeNumbers[],
  shapes: readonly (readonly number[])[],
): readonly Float64Array[] {
  const around = [...call.family, ...call.carried];
  return call.results.map((r, k) => {
    const shape = shapes[k] ?? [];
    const values = host(operands, around, { axes: r.axes, shape }, 0);
    const family = (point: number): number =>
      indexOf(point, shape).reduce((sum, i, d) => (call.family.some((a) => a === r.axes[d]) ? sum + i : sum), 0);
    return values.map((v, point) => v + family(point));
  });
}

/** Axes of published size are made small: nothing depends on it but time. */
function smaller(program: Program): ReadonlyMap<string, StaticValue> {
  return new Map(
    program.declarations.flatMap((d): [string, StaticValue][] => {
      if (d.kind !== 'axis' || d.of.kind !== 'sized' || d.of.size.kind !== 'number') return [];
      const { numerator, denominator } = d.of.size;
      return denominator === 1n && numerator > 64n ? [[d.name, { kind: 'number', size: exact(12) }]] : [];
    }),
  );
}

type Values = ReadonlyMap<string, readonly number[]>;

function valuesOfGraph(graph: Graph, setting: Setting, domains?: ReadonlyMap<NodeId, Domain>): Values {
  const inputs = new Map<string, ArrayLike<number>>([
    ...[...setting.inputs].map(([name, t]): [string, ArrayLike<number>] => [name, t.data]),
    ...setting.variables,
  ]);
  const poison = domains === undefined ? {} : { domains, poison: true };
  const { values } = interpretGraph(graph, { inputs, sizes: setting.sizes, seed, extern: answerGraph, ...poison });
  if (domains !== undefined) expect(slotMistakes(graph, values, setting.sizes)).toEqual([]);
  const read = (node: NodeId, axes: readonly AxisId[]): readonly number[] => {
    const value = values[node];
    if (value === undefined) throw new Error(`no value %${node}`);
    return [...inOrder(value, axes)];
  };
  const of = (output: GraphOutput): [string, readonly number[]] => {
    const name = `${output.role} ${output.name}`;
    if (output.kind === 'tensor') return [name, read(output.node, output.axes)];
    const support = [...output.sources, ...output.targets];
    return [
      name,
      route(
        read(output.present, support),
        read(output.rank, support),
        read(output.weight, [...support, ...output.payload]),
      ),
    ];
  };
  return new Map(graph.outputs.map(of));
}

/** Presence, and ranks and weights where present. */
function route(present: readonly number[], rank: readonly number[], weight: readonly number[]): readonly number[] {
  const width = weight.length / Math.max(present.length, 1);
  const at = (v: number, i: number, w: number): number => (present[Math.floor(i / w)] === 1 ? v : 0);
  return [...present, ...rank.map((v, i) => at(v, i, 1)), ...weight.map((v, i) => at(v, i, width))];
}

function valuesOfReference(
  values: ReadonlyMap<string, InterpretedValue>,
  group: string,
): [string, readonly number[]][] {
  return [...values].map(([name, v]) => [
    `${group} ${name}`,
    v.kind === 'tensor' ? [...v.data] : route([...v.present], [...v.rank], [...v.weight]),
  ]);
}

function compare(got: Values, wanted: Values, what: string): void {
  expect([...got.keys()].sort(), what).toEqual([...wanted.keys()].sort());
  for (const [name, numbers] of wanted) {
    const mine = got.get(name) ?? [];
    expect(mine.length, `${what}: ${name}`).toBe(numbers.length);
    numbers.forEach((w, i) => {
      const g = mine[i] ?? NaN;
      // Sums of at most a few thousand terms in float64, in another order.
      const near = Object.is(g, w) || Math.abs(g - w) <= 1e-10 * (1 + Math.abs(w));
      if (!near) expect.fail(`${what}: ${name}[${i}] is ${g}, the reference says ${w}`);
    });
  }
}

describe.each(files)('%s', (file) => {
  const text = readFileSync(folder + file, 'utf8');
  const { program, diagnostics } = analyse({ name: file, text });

  it('means in the graph what it means', async () => {
    expect(diagnostics.filter((d) => d.severity === 'error')).toEqual([]);
    if (program === null) return;
    // A state that two calls update is a mistake where updates are asked for: results are compared all the same.
    const problems: string[] = [];
    const twice = (): boolean => problems.splice(0).some((p) => p.includes('updated by several calls'));
    const overrides = smaller(program);
    const elaboration = elaborate(program, { overrides }, (d) => problems.push(d.message));
    const auxiliary = !twice();
    for (const entry of elaboration.entries) {
      const setting = settingOf(elaboration, entry);
      const reference = await interpretEntry({
        program,
        entry: entry.name,
        overrides,
        inputs: setting.inputs,
        variables: (path) => setting.variables.get(path) ?? null,
        seed,
        want: { losses: auxiliary, outputs: auxiliary, updates: auxiliary },
        extern: answer,
        report: (d) => problems.push(d.message),
      });
      expect(problems).toEqual([]);
      const results = valuesOfReference(reference.results, 'result');
      const more = [
        ...valuesOfReference(reference.outputs, 'output'),
        ...valuesOfReference(reference.losses, 'loss'),
        ...valuesOfReference(reference.states, 'update'),
      ];
      if (auxiliary) {
        compare(valuesOfGraph(entry.withAux, setting), new Map([...results, ...more]), `${entry.name}, elaborated`);
        const full = optimise(entry.withAux);
        compare(
          valuesOfGraph(full.graph, setting, full.domains),
          new Map([...results, ...more]),
          `${entry.name}, optimised`,
        );
      }
      const plain = optimise(entry.inference);
      compare(valuesOfGraph(plain.graph, setting, plain.domains), new Map(results), `${entry.name}, results only`);
    }
  });
});

it('slots of many masks were checked', () => {
  expect(slotsChecked()).toBeGreaterThan(1000);
  expect(slotsInOrder()).toBeGreaterThan(20);
});
