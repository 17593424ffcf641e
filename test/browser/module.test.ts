/**
 * A generated module in a browser page: the files `moec compile` writes, served from a folder, under a policy that
 * forbids evaluating text; the same numbers as everywhere.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect } from 'vitest';
import { execute } from '../../compiler/cli/running/execute.ts';
import { moec } from '../cli/support.ts';
import { readCase } from '../goldens/golden-case.ts';
import { mappingsFor, requestFor } from '../goldens/harness.ts';
import { type Mapping, readMappings } from '../goldens/mapping.ts';
import type { ServedFiles } from '../support/browser.ts';
import { browserTest, inBrowser } from '../support/browser-test.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const caseFolder = join(root, 'test', 'goldens', 'cases', 'mixtral-e16-top4');
const golden = readCase(caseFolder);
const [mapping] = mappingsFor(golden, readMappings(join(root, 'examples')));

/** What a page does with a generated module: the README's lines. */
const pageScript = `
import { create, requiredLimits } from './model.js';
import { fromFetch, requestDevice } from './runtime/index.js';

export async function main(x) {
  const device = await requestDevice({ requiredLimits });
  const model = await create({ device, weights: await fromFetch('/model/case.safetensors') });
  const { results } = await model.run({ x: { data: Float32Array.from(x.data), shape: x.shape } });
  return [...results.get('output').data];
}
`;

/** What `moec compile` writes, and the case's weights, as the page finds them. */
async function compiledFiles(mapping: Mapping): Promise<ServedFiles> {
  const folder = await mkdtemp(join(tmpdir(), 'moec-page-'));
  try {
    const sets = [...requestFor(golden, mapping).sets].flatMap(([name, value]) => ['--set', `${name}=${value}`]);
    const ended = await moec(['compile', join(root, 'examples', 'mixtral', 'model.moe'), '-o', folder, ...sets]);
    expect(ended.code, ended.stderr).toBe(0);
    const served = readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) => {
      if (!entry.isFile() || !entry.name.endsWith('.js')) return [];
      const file = join(entry.parentPath, entry.name);
      const path = `/model/${file.slice(folder.length + 1).replaceAll('\\', '/')}`;
      return [[path, { type: 'text/javascript', bytes: readFileSync(file) }] as const];
    });
    const weights = readFileSync(join(caseFolder, 'case.safetensors'));
    return new Map([
      ...served,
      ['/model/page.js', { type: 'text/javascript', bytes: pageScript }],
      ['/model/case.safetensors', { type: 'application/octet-stream', bytes: weights }],
    ]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

describe('a generated module in a browser', () => {
  browserTest('gives the numbers of the reference', { timeout: 240_000 }, async () => {
    if (mapping === undefined) throw new Error('no example declares the case');
    const request = requestFor(golden, mapping);
    const x = request.inputs.get('x');
    if (x === undefined) throw new Error('the case has no input');
    const input = JSON.stringify({ data: [...x.data], shape: [...x.shape] });
    const expected = (await execute({ ...request, on: 'reference' })).get('output')?.data ?? [];
    const files = await compiledFiles(mapping);
    await inBrowser(async ({ page, messages }) => {
      const told: unknown = await page.evaluate(`import('/model/page.js').then((page) => page.main(${input}))`);
      const output = Array.isArray(told) ? told.map(Number) : [];
      expect(output.length).toBe(expected.length);
      // The tolerance of the case: its own f32 against ours.
      const { atol, rtol } = golden.tolerance.output;
      output.forEach((v, i) =>
        expect(Math.abs(v - (expected[i] ?? NaN))).toBeLessThanOrEqual(atol + rtol * Math.abs(expected[i] ?? NaN)),
      );
      expect(messages).toEqual([]);
    }, files);
  });
});
