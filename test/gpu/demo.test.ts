/** `npm run demo`, the first thing a newcomer runs: it ends well on the adapter it chooses, and draws what it promises. */
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from '../house/files.ts';

it('the demo runs a layer, verifies it and draws its routing', { timeout: 300_000 }, () => {
  const begun = Date.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'examples/demo.mjs')], {
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  });
  expect(`${stdout}${stderr}`).toContain('every number within the bound derived for it');
  expect(status).toBe(0);
  for (const drawn of ['routing.svg', 'index.html']) {
    const file = join(root, '.cache/demo', drawn);
    expect(existsSync(file) && statSync(file).mtimeMs >= begun - 1000, drawn).toBe(true);
  }
});
