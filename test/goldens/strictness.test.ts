/** What nobody answers for fails: a tensor that no rule compares, a key that no formula reads, a config that no run is for. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { Executor } from './executor.ts';
import type { Value } from './formula.ts';
import { type GoldenCase, readCase } from './golden-case.ts';
import { excuseFor, isDeclared, mappingsFor, runCase } from './harness.ts';
import type { NamedTensor } from './compare-numbers.ts';
import { type Mapping, readMappings } from './mapping.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const mappings = readMappings(join(root, 'examples'));
const caseNamed = (name: string): GoldenCase => readCase(join(root, 'test', 'goldens', 'cases', name));

const one: NamedTensor = { element: 'f32', shape: [1], data: Float32Array.of(1) };
const withTensor = (golden: GoldenCase, name: string): GoldenCase => ({
  ...golden,
  tensors: new Map(golden.tensors).set(name, one),
});
const withConfig = (golden: GoldenCase, entries: Readonly<Record<string, Value>>): GoldenCase => ({
  ...golden,
  config: new Map([...golden.config, ...Object.entries(entries)]),
});

/** Gives for every rule what the case expects: all that is compared is right, so only the rest can fail. */
const answers = (golden: GoldenCase, mapping: Mapping): Executor => ({
  name: 'reference',
  run: () => {
    const given = mapping.expected.flatMap((rule): readonly (readonly [string, NamedTensor])[] => {
      const found = golden.tensors.get(rule.tensor ?? rule.indices ?? '');
      const weights = golden.tensors.get(rule.weights ?? '');
      if (found === undefined) return [];
      if (rule.indices === undefined) return [[rule.is, found]];
      return [
        [`${rule.is}.indices`, found],
        [`${rule.is}.weights`, weights ?? found],
      ];
    });
    return Promise.resolve(new Map(given));
  },
});

async function unansweredOf(golden: GoldenCase, change: (mapping: Mapping) => Mapping = (m) => m): Promise<string> {
  const [mapping] = mappingsFor(golden, mappings).map(change);
  if (mapping === undefined) throw new Error('no example declares the case');
  const report = await runCase(() => golden, [mapping], answers(golden, mapping));
  expect(report.problem).toBeNull();
  expect(report.comparisons.filter((c) => !c.passed)).toEqual([]);
  expect(report.passed).toBe(report.unanswered.length === 0);
  return report.unanswered.join('; ');
}

describe('a case whose compared numbers are all right', () => {
  const dbrx = caseNamed('dbrx-e16-top4-p1');

  test('passes as it is', async () => {
    expect(await unansweredOf(dbrx)).toBe('');
  });

  test.each(['expected.grad.router', 'expected.objective', 'expected'])(
    'fails with %s, which nothing compares',
    async (name) => {
      expect(await unansweredOf(withTensor(dbrx, name))).toBe(`${name} is not compared`);
    },
  );

  test('passes when the mapping excuses the tensor by name', async () => {
    const excused = (mapping: Mapping): Mapping => ({
      ...mapping,
      ignore: new Map(mapping.ignore).set('expected.grad.router', 'gradients are not computed'),
    });
    expect(await unansweredOf(withTensor(dbrx, 'expected.grad.router'), excused)).toBe('');
    expect(await unansweredOf(withTensor(dbrx, 'expected.grad.other'), excused)).toContain('expected.grad.other');
  });

  test('fails with weights of picks whose indices it lacks', async () => {
    const mixtral = caseNamed('mixtral-e16-top4');
    const [mapping] = mappingsFor(mixtral, mappings);
    const rule = mapping?.expected.find(({ weights }) => weights !== undefined);
    if (rule?.indices === undefined || rule.weights === undefined) throw new Error('the example compares no picks');
    const tensors = new Map(mixtral.tensors);
    tensors.delete(rule.indices);
    expect(await unansweredOf({ ...mixtral, tensors })).toBe(`${rule.weights} is not compared`);
  });

  test('fails with a key that no formula reads', async () => {
    expect(await unansweredOf(withConfig(dbrx, { jitter: 0.1 }))).toBe('config key jitter is not mapped');
    expect(await unansweredOf(withConfig(dbrx, { gradients: true }))).toBe('config key gradients is not mapped');
  });

  test('fails with an entry of an object, or a part of a list, that no formula reads', async () => {
    const rexmoe = caseNamed('rexmoe-psr-r4-l4-n4-top3');
    const read = [...rexmoe.config.keys()].filter((key) => key.startsWith('psr.'));
    expect(read.length).toBeGreaterThan(0);
    const further = withConfig(rexmoe, { 'psr.warmup': 3 });
    const report = await runCase(() => further, mappingsFor(further, mappings), {
      name: 'reference',
      run: () => Promise.resolve(new Map()),
    });
    expect(report.unanswered.filter((line) => line.startsWith('config'))).toEqual([
      'config key psr.warmup is not mapped',
    ]);
    const listed = withConfig(dbrx, { layers: '[3,4]', 'layers.length': 2, 'layers.0': 3, 'layers.1': 4 });
    const reads =
      (formula: string) =>
      (mapping: Mapping): Mapping => ({ ...mapping, set: new Map(mapping.set).set('Z', formula) });
    expect(await unansweredOf(listed, reads('layers.0'))).toBe('config key layers.1 is not mapped');
    expect(await unansweredOf(listed, reads('layers'))).toBe('');
  });

  test('fails with a key that should follow from others and does not', async () => {
    const moepp = caseNamed('moepp-2layer-8ffn');
    const wrong = withConfig(moepp, { copy_index: 0 });
    const report = await runCase(() => wrong, mappingsFor(wrong, mappings), {
      name: 'reference',
      run: () => Promise.resolve(new Map()),
    });
    expect(report.unanswered.some((line) => line.startsWith('config says copy_index = 0'))).toBe(true);
  });
});

test('a case of a declared system that no run is for fails, one of another system is not covered', async () => {
  const megatron = caseNamed('megatron-router-extras');
  const other: GoldenCase = { ...megatron, config: new Map([['experts', 4]]) };
  expect(isDeclared(other, mappings)).toBe(true);
  const runs = mappingsFor(other, mappings);
  expect(runs).toEqual([]);
  const report = await runCase(() => other, runs, { name: 'reference', run: () => Promise.resolve(new Map()) });
  expect(report.passed).toBe(false);
  expect(report.problem).toContain('no run of an example');
  expect(excuseFor(other, mappings)).toBeNull();
  const quantizer = { name: 'q', system: 'MC-MoE', config: new Map<string, Value>([['bits', '[1,2]']]) };
  expect(excuseFor(quantizer, mappings)).toContain('quant');
  expect(isDeclared({ ...megatron, system: 'A system of tomorrow' }, mappings)).toBe(false);
});
