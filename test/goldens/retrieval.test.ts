/** What a model asks of the host is sparse too: with a hard gate only the tokens that need documents are looked up. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { execute } from '../../compiler/cli/running/execute.ts';
import { loadExterns } from '../../compiler/cli/running/run-options.ts';
import type { HostCall, ExternFunction } from '../../runtime/contract/ask-host.ts';
import { readCase } from './golden-case.ts';
import { mappingsFor, requestFor } from './harness.ts';
import { readMappings } from './mapping.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const golden = readCase(join(root, 'test', 'goldens', 'cases', 'expertrag-gated-mixture'));
const hard = mappingsFor(golden, readMappings(join(root, 'examples'))).find(({ set }) => set.get('soft') === 'false');

test('the host searches for the tokens that need it, and no others', async () => {
  if (hard === undefined || hard.externFile === null) throw new Error('the example has a hard run with a host');
  const called: number[] = [];
  const counted = (search: ExternFunction): ExternFunction => {
    return (call: HostCall) => {
      called.push(call.operands.get('query')?.shape[0] ?? NaN);
      return search(call);
    };
  };
  const externs = new Map([...(await loadExterns(hard.externFile))].map(([name, search]) => [name, counted(search)]));
  await execute({ ...requestFor(golden, hard), externs, on: 'kernels' });
  const wanted = [...(golden.tensors.get('expected.retrieve')?.data ?? [])].filter((flag) => flag === 1);
  expect(wanted.length).toBeGreaterThan(0);
  expect(called).toEqual([wanted.length]);
});
