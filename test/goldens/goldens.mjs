/**
 * `npm run goldens -- [DIR] [--on gpu|reference|kernels]`: finds an adapter, then runs run.ts in its environment.
 *
 * A software Vulkan driver is chosen by variables that have to be set before a process starts, hence a process of its own.
 * Without --on it is the GPU where there is one; where there is none, the kernels on the CPU, and that is said. With
 * --on gpu it is the GPU or nothing.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { childEnvironment, projectRoot } from '../support/adapters.mjs';
import { findAdapters } from '../support/setup-gpu.mjs';

const args = process.argv.slice(2);
const { values } = parseArgs({ args, allowPositionals: true, strict: false, options: { on: { type: 'string' } } });
let env = process.env;
if ((values.on ?? 'gpu') === 'gpu') {
  const adapters = await findAdapters();
  // A real GPU first; a driver that the caller chose stays chosen.
  const adapter = adapters.find(({ name }) => name === 'native') ?? adapters[0];
  if (adapter !== undefined) {
    if (env.VK_ICD_FILENAMES === undefined && env.VK_DRIVER_FILES === undefined) env = childEnvironment(adapter);
    process.stderr.write(`on ${adapter.info.description || adapter.info.device}\n`);
    if (values.on === undefined) args.push('--on', 'gpu');
  } else if (values.on === 'gpu') {
    process.stderr.write('there is no GPU adapter: npm run setup-gpu finds or installs one\n');
    process.exit(3);
  } else {
    process.stderr.write('!!! NO GPU ADAPTER: the kernels run on the CPU (npm run setup-gpu finds or installs one)\n');
    args.push('--on', 'kernels');
  }
}
const tsx = join(projectRoot, 'node_modules', 'tsx', 'dist', 'cli.mjs');
const run = spawnSync(process.execPath, [tsx, join(projectRoot, 'test', 'goldens', 'run.ts'), ...args], {
  stdio: 'inherit',
  env,
});
process.exitCode = run.status ?? 1;
