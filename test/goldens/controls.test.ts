/** A control changes a run without another compilation: MoTE's experts at another strength. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { executorOf } from './executor.ts';
import { readCase } from './golden-case.ts';
import { mappingsFor, requestFor } from './harness.ts';
import type { NamedTensor } from './compare-numbers.ts';
import { readMappings } from './mapping.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const golden = readCase(join(root, 'test', 'goldens', 'cases', 'mote-override'));
const [mapping] = mappingsFor(golden, readMappings(join(root, 'examples')));

test.each(['reference', 'kernels'] as const)(
  'on %s an expert of strength 0 weighs nothing, one of 2 twice as much',
  async (place) => {
    if (mapping === undefined) throw new Error('no example declares the case');
    const request = requestFor(golden, mapping);
    const before = (await executorOf(place).run(request)).get('weights');
    if (before === undefined) throw new Error('the run gave no weights');
    const experts = before.shape.at(-1) ?? 0;
    const data = Float32Array.from({ length: experts }, (_, e) => e % 3);
    const strength: NamedTensor = { element: 'f32', shape: [experts], data };
    const inputs = new Map(request.inputs).set('gate.strength', strength);
    const after = (await executorOf(place).run({ ...request, inputs })).get('weights');
    expect([...(after?.data ?? [])]).toEqual([...before.data].map((w, i) => Math.fround(w * ((i % experts) % 3))));
  },
);
