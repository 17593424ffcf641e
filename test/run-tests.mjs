/**
 * `npm test`: every claim of this project, in one command, on a fresh clone. `npm test -- --all`, which continuous integration runs: each of
 * them on all programs. What the first leaves to the second test/support/sweeps.ts says, and the summary how much it was.
 *
 * First the packages (installed if they are not there) and the adapters. Then two processes at a time, in this order: the linter and the
 * types; the tests that need no GPU, in two parts; those in `test/gpu` on every adapter found, in two parts each; the layout of the text,
 * random programs, dead exports. An adapter that is missing is said loudly; with MOEC_REQUIRE_ADAPTERS (names with commas between) it is a failure.
 * MOEC_FUZZ_MINUTES is how many minutes random programs run, as many as there is time for; 0 leaves them out.
 *
 * The last line is `N passed, N failed`, the sum of all of it. What was skipped is said for each part; on an adapter that is
 * there nothing may be skipped.
 *
 * `npm run test:fast` (`--fast`) is the part that one runs fifty times a day: the types, and the tests that FAST names.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { cacheFolder, childEnvironment, projectRoot } from './support/adapters.mjs';
import { briefly } from './support/node-flags.mjs';
import { findAdapters, missing } from './support/setup-gpu.mjs';

/**
 * The fast tier, chosen here and nowhere else: what tells most about a change in under a minute on two cores. The front end
 * (texts, typing, diagnostics), the graph and its passes, the house rules, the golden text of plans made by hand, and one example end
 * to end. Tests that run many examples, spawn processes, interpret kernels at length or need a GPU are left to `npm test`.
 */
const FAST = [
  'test/house/',
  'test/syntax/lex',
  'test/syntax/parse',
  'test/syntax/print',
  'test/syntax/render',
  'test/syntax/wrong-texts',
  'test/check/typing',
  'test/check/wrong-programs',
  'test/check/options',
  'test/primitives/typing',
  'test/filetests/',
  'test/graph/graph',
  'test/graph/lowering',
  'test/passes/passes',
  'test/passes/sparsify',
  'test/schedule/plan',
  'test/wgsl/',
  'test/examples/one-example',
];

const all = process.argv.includes('--all');
const totals = { passed: 0, failed: 0, left: 0 };
const notes = [];

const heading = (text) => process.stdout.write(`\n=== ${text}\n`);

/** Runs a command with its output on ours; true if it ended well. */
function run(name, args, env = process.env) {
  const result = spawnSync(name, args, { cwd: projectRoot, stdio: 'inherit', env });
  if (result.error !== undefined) process.stdout.write(`${name}: ${result.error.message}\n`);
  return result.status === 0;
}

const tool = (path, ...args) => [
  process.execPath,
  [...briefly, join(projectRoot, 'node_modules', ...path.split('/')), ...args],
];

/** Runs a command and gives what it said, both streams in one, and whether it ended well. */
function told(name, args, env = process.env) {
  return new Promise((resolve) => {
    const child = spawn(name, args, { cwd: projectRoot, stdio: ['ignore', 'pipe', 'pipe'], env });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (data) => (text += data));
    child.on('error', (error) => resolve({ good: false, text: `${name}: ${error.message}\n` }));
    child.on('close', (code) => resolve({ good: code === 0, text }));
  });
}

/** Work of one core each: two at a time, begun in the order of the list, told as they end. */
async function atOnce(works) {
  const waiting = [...works];
  const lane = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { good, text } = await told(...next.command);
      heading(next.title);
      process.stdout.write(text);
      next.ended(good);
    }
  };
  await Promise.all([lane(), lane()]);
}

/** A check, which counts as one test. */
const checkOf = (title, command) => ({ title, command, ended: (good) => count(title, good) });

/** The compiler of TypeScript keeps what it knows of files that are as they were, and of all that depends on them. */
const incremental = ['--incremental', '--tsBuildInfoFile', '.cache/types.tsbuildinfo'];

function count(title, good) {
  totals[good ? 'passed' : 'failed'] += 1;
  notes.push(`${title}: ${good ? 'good' : 'FAILED'}`);
}

/** A check that counts as one test. */
function check(title, [name, args]) {
  heading(title);
  count(title, run(name, args));
}

/** A run of vitest, and the file that its own report is to be written to. */
function vitestCommand(name, args) {
  const report = join(cacheFolder, `report.${process.pid}.${name}.json`);
  mkdirSync(cacheFolder, { recursive: true });
  rmSync(report, { force: true });
  const flags = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  return { report, command: tool('vitest/vitest.mjs', 'run', ...flags, ...args) };
}

/** One run of vitest. */
function vitest(title, args) {
  heading(title);
  const { report, command } = vitestCommand('tests', args);
  countReport(title, report, run(...command));
}

/**
 * What an adapter's tests are given beside its environment. Mesa's driver would put every kernel through LLVM's passes, which is most of
 * the time of a run that has not been before; what the tests look at is the kernel, and the code without these passes does the same.
 * With GALLIVM_PERF set, empty too, it is as whoever sets it wants it.
 */
const forTests = ({ name }) => (name === 'lavapipe' ? { GALLIVM_PERF: process.env.GALLIVM_PERF ?? 'nopt' } : {});

/** Processes that share the files of one run: each of them works for one core. */
const SHARDS = 2;

/** The files of tests in a folder. */
const testsIn = (...folder) =>
  readdirSync(join(projectRoot, ...folder), { recursive: true })
    .map((name) => [...folder, ...String(name).split(sep)].join('/'))
    .filter((name) => name.endsWith('.test.ts'));

/** A run of vitest in parts; when all have ended, the files that `wanted` names must have run. */
function inParts({ title, name, args, env, wanted, maySkip }) {
  const seen = new Set();
  let left = SHARDS;
  return Array.from({ length: SHARDS }, (_, shard) => {
    const { report, command } = vitestCommand(`${name}.${shard}`, [...args, `--shard=${shard + 1}/${SHARDS}`]);
    const part = `${title}, part ${shard + 1} of ${SHARDS}`;
    const ended = (good) => {
      for (const file of countReport(part, report, good, { maySkip }))
        seen.add(relative(projectRoot, file).split(sep).join('/'));
      left -= 1;
      const missed = wanted.filter((file) => !seen.has(file));
      if (left > 0 || missed.length === 0) return;
      totals.failed += 1;
      notes.push(`no part of ${title} ran ${missed.join(', ')}: FAILED`);
    };
    return { title: part, command: [...command, { ...process.env, ...env, MOEC_TEST_WORKERS: '1' }], ended };
  });
}

const GPU = 'test/gpu/';
/** The demo chooses its adapter itself, the first of all: on the others it would do the same, in the same folder. */
const DEMO = 'test/gpu/demo.test.ts';

/** What a run is told of sweeps (test/support/sweeps.ts). */
const sweeps = (cut) => ({ MOEC_TEST_SWEEPS: all ? 'all' : cut });

/**
 * The tests that need no GPU. Where there is one, it has the numbers of all examples; where there is none, nothing is left of them here.
 */
const withoutGpu = (adapters) =>
  inParts({
    title: 'tests without a GPU',
    name: 'tests',
    args: ['--exclude', `${GPU}**`],
    env: sweeps(adapters.length > 0 ? 'covering' : 'all'),
    wanted: testsIn('test').filter((file) => !file.startsWith(GPU)),
    maySkip: true,
  });

/** The tests of `test/gpu` on one of the adapters. */
const onAdapter = (adapter, i, { length }) =>
  inParts({
    title: `tests on ${adapter.name}`,
    name: adapter.name,
    args: [GPU, ...(i === 0 ? [] : ['--exclude', DEMO])],
    env: { ...childEnvironment(adapter), ...forTests(adapter), ...sweeps(`${i + 1}/${length}`) },
    wanted: testsIn('test', 'gpu').filter((file) => i === 0 || file !== DEMO),
    maySkip: false,
  });

/** Counts a run by its report: one that ends without a report, or without a test, is a failure. The files that ran. */
function countReport(title, report, good, { maySkip = true } = {}) {
  const { passed, failed, skipped, left, files } = readReport(report);
  rmSync(report, { force: true });
  totals.passed += passed;
  totals.left += left;
  // A file that does not load has no failed tests and still fails the run.
  totals.failed += failed > 0 ? failed : good && passed > 0 ? 0 : 1;
  const broken = skipped > 0 && !maySkip;
  if (broken) totals.failed += 1;
  const not = [
    ...(left > 0 ? [`, ${left} left to --all`] : []),
    ...(skipped > 0 ? [`, ${skipped} SKIPPED${broken ? ', which FAILED' : ''}`] : []),
  ].join('');
  notes.push(`${title}: ${passed} passed, ${failed} failed${not}${good ? '' : ', the run FAILED'}`);
  return files;
}

/** The seed of the random programs: fixed, so that whoever runs the tests runs the same ones. */
const FUZZ_SEED = 20261;

/**
 * Programs of the share at most: all of them have been seen to agree, so that a fast machine does not fail of a program that no
 * change has to do with. Whoever says how long (MOEC_FUZZ_MINUTES) is looking for new ones, and gets as many as there is time for.
 */
const MOST_PROGRAMS = all ? 300 : 40;

/** Random programs on the kernels for some minutes: one check, which a finding fails. Its time is that of the clock. */
function randomPrograms() {
  const minutes = Number(process.env.MOEC_FUZZ_MINUTES || '1');
  if (minutes === 0) {
    process.stdout.write('\n!!! MOEC_FUZZ_MINUTES is 0: random programs do NOT run\n');
    notes.push('!!! MOEC_FUZZ_MINUTES is 0: random programs did NOT run');
    return [];
  }
  const title = `random programs, seed ${FUZZ_SEED}, ${minutes} min`;
  const most = process.env.MOEC_FUZZ_MINUTES ? [] : ['--programs', String(MOST_PROGRAMS)];
  const args = ['--minutes', String(minutes), '--seed', String(FUZZ_SEED), '--on', 'kernels', ...most];
  return [
    checkOf(title, [process.execPath, ['--import', 'tsx', join(projectRoot, 'test', 'fuzz', 'fuzz.ts'), ...args]]),
  ];
}

function readReport(file) {
  try {
    const report = JSON.parse(readFileSync(file, 'utf8'));
    const {
      numPassedTests: passed = 0,
      numFailedTests: failed = 0,
      numPendingTests: skipped = 0,
      numTodoTests: left = 0,
    } = report;
    return { passed, failed, skipped, left, files: report.testResults.map(({ name }) => name) };
  } catch {
    return { passed: 0, failed: 0, skipped: 0, left: 0, files: [] };
  }
}

async function main() {
  if (!existsSync(join(projectRoot, 'node_modules', 'vitest'))) {
    heading('packages');
    if (!run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'])) {
      process.stdout.write('\nnpm ci failed\n0 passed, 1 failed\n');
      return 1;
    }
  }

  if (process.argv.includes('--fast')) {
    check('types', tool('typescript/bin/tsc', '--noEmit', '-p', 'tsconfig.json', ...incremental));
    vitest('fast tests', FAST);
    return summary();
  }

  heading('adapters');
  const adapters = await findAdapters({ install: true, log: (text) => process.stdout.write(`${text}\n`) });
  const required = (process.env.MOEC_REQUIRE_ADAPTERS ?? '').split(',').filter(Boolean);
  for (const { name, info } of adapters) process.stdout.write(`${name}: ${info.description || info.device}\n`);
  for (const name of missing(adapters)) {
    process.stdout.write(`!!! MISSING: ${name}: its GPU tests do NOT run (root on Debian: npm run setup-gpu)\n`);
    notes.push(`!!! MISSING ADAPTER ${name}: its GPU tests did NOT run`);
  }
  if (!existsSync('/usr/bin/chromium') && !process.env.MOEC_CHROMIUM) {
    notes.push('!!! no Chromium in its usual place: the browser test may not have run (see MOEC_CHROMIUM)');
  }
  for (const name of required) {
    if (adapters.some((adapter) => adapter.name === name)) continue;
    totals.failed += 1;
    notes.push(`the adapter ${name} is required and not there: FAILED`);
  }

  // What vitest has transformed (vitest.config.ts): of files as they were, it would only grow.
  rmSync(join(cacheFolder, 'vitest'), { recursive: true, force: true });
  // What was good with the same content, options and version of the tool is not looked at again.
  const kept = (file) => ['--cache', '--cache-strategy', 'content', '--cache-location', `.cache/${file}`];
  await atOnce([
    checkOf('lint', tool('eslint/bin/eslint.js', '.', '--max-warnings', '0', ...kept('eslint/'))),
    checkOf('types', tool('typescript/bin/tsc', '--noEmit', '-p', 'tsconfig.json', ...incremental)),
    ...withoutGpu(adapters),
    ...adapters.flatMap(onAdapter),
    checkOf('layout', tool('prettier/bin/prettier.cjs', '--check', '--log-level=warn', '.', ...kept('prettier'))),
    ...randomPrograms(),
    checkOf('exports that nobody imports', tool('knip/bin/knip.js')),
  ]);
  if (totals.left > 0)
    notes.push(
      `!!! left to npm test -- --all: ${totals.left} tests of sweeps (examples beyond those that stand for all; on each adapter the ` +
        'programs that another one runs), golden plans of the former, two thirds of random draws, and most of the random programs: see test/support/sweeps.ts',
    );
  return summary(`adapters that ran: ${adapters.map(({ name }) => name).join(', ') || 'NONE'}`);
}

/** Tells what ran; the exit code. */
function summary(...lines) {
  heading('summary');
  for (const line of [...notes, ...lines]) process.stdout.write(`${line}\n`);
  process.stdout.write(`${totals.passed} passed, ${totals.failed} failed\n`);
  return totals.failed === 0 && totals.passed > 0 ? 0 : 1;
}

process.exitCode = await main();
