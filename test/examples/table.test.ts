/** The table of examples/README.md says what the tree holds. Run with `-u` to write it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { expect, test } from 'vitest';
import { withTable } from './table.ts';

test('examples/README.md lists every example', async () => {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const file = join(root, 'examples', 'README.md');
  const text = withTable(readFileSync(file, 'utf8'), root);
  const options = await resolveConfig(file);
  await expect(await format(text, { ...options, filepath: file })).toMatchFileSnapshot(file);
});
