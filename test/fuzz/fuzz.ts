/**
 * `npm run fuzz -- --minutes N --seed S [--on reference,kernels,lavapipe,swiftshader,gpu] [--json] [--out FOLDER]`
 *
 * Random programs on every executor that is named, against the reference, number by number within derived bounds. Every other pair of
 * programs is scheduled by a random legal schedule (random-schedule.ts) instead of by costs. Findings are made small and written as
 * folders that stand alone (model.moe, values, model.schedule if another schedule is needed to show it, the command). Exit code 1 if there
 * is one, or if nothing was compared.
 *
 * The same seed gives the same programs. `--programs N` ends after N programs of each executor instead of after the time;
 * `--coverage` prints how many programs use each construct. Ctrl-C ends with the summary.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { childEnvironment } from '../support/adapters.mjs';
import { briefly } from '../support/node-flags.mjs';
import { findAdapters } from '../support/setup-gpu.mjs';
import type { On } from './examine.ts';
import { coverageTable } from './coverage.ts';
import type { Found } from './repro.ts';
import { seedOf, type Line, type Orders } from './orders.ts';

/** How long the program that is under way when the time is over may go on: milliseconds. Then it is left, and no finding. */
const grace = 20_000;

interface Tally {
  readonly executor: string;
  programs: number;
  agreed: number;
  stopped: Map<string, number>;
  refused: Map<string, number>;
  compared: number;
  undecided: number;
  findings: Found[];
  /** Programs that were under way when the time was over. */
  left: number[];
  /** Milliseconds. */
  time: number;
}

interface Executor {
  readonly name: string;
  readonly on: On;
  readonly environment: NodeJS.ProcessEnv;
}

const usage =
  'npm run fuzz -- --minutes N --seed S [--on reference,kernels,lavapipe,swiftshader,gpu] [--json] [--out FOLDER] [--programs N] [--coverage]';

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '1' },
      seed: { type: 'string', default: '1' },
      on: { type: 'string', default: 'kernels' },
      out: { type: 'string', default: '.cache/fuzz' },
      programs: { type: 'string' },
      json: { type: 'boolean', default: false },
      coverage: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`${usage}\n`);
    return 0;
  }
  const minutes = Number(values.minutes);
  const seed = Number(values.seed);
  if (!(minutes > 0) || !Number.isInteger(seed)) return misuse('--minutes is a number above 0, --seed a whole number');
  const programs = values.programs === undefined ? null : Number(values.programs);
  if (programs !== null && !(Number.isInteger(programs) && programs > 0)) return misuse('--programs is a whole number');
  if (values.coverage) {
    process.stdout.write(coverageTable(seed, programs ?? 1000));
    return 0;
  }
  const executors = await executorsOf(values.on.split(',').filter(Boolean));
  if (typeof executors === 'string') return misuse(executors);

  const until = Date.now() + minutes * 60_000;
  const tallies = executors.map(({ name }): Tally => ({
    executor: name, programs: 0, agreed: 0, stopped: new Map(), refused: new Map(), compared: 0, undecided: 0, findings: [], left: [], time: 0,
  })); // prettier-ignore
  const children = new Set<ChildProcess>();
  const session = { ended: false };
  process.on('SIGINT', () => {
    session.ended = true;
    for (const child of children) child.kill('SIGKILL');
  });
  const show = progress(tallies, until, values.json);
  await Promise.all(
    executors.map(async (executor, i) => {
      const tally = tallies[i];
      if (tally === undefined) return;
      const begun = Date.now();
      let first = 0;
      while (!session.ended && Date.now() < until && (programs === null || first < programs)) {
        const orders: Orders = {
          executor: executor.name, on: executor.on, seed, first, until, programs, out: values.out, shrinkTime: 90_000,
        }; // prettier-ignore
        const last = await runWorker(orders, executor, tally, children, session, show);
        if (last === null) break;
        first = last + 1;
      }
      tally.time = Date.now() - begun;
    }),
  );
  show.clear();
  const found = tallies.flatMap((t) => t.findings);
  if (values.json)
    process.stdout.write(`${JSON.stringify({ seed, executors: tallies.map(plain), findings: found }, null, 2)}\n`);
  else process.stdout.write(summary(seed, tallies));
  // What ran no program, or compared nothing, found nothing wrong for that.
  const empty = executors.some(
    ({ on }, i) => tallies[i]?.agreed === 0 || (on !== 'reference' && tallies[i]?.compared === 0),
  );
  if (empty) process.stderr.write('an executor compared nothing: that is a failure\n');
  return found.length > 0 || empty ? 1 : 0;
}

function misuse(text: string): number {
  process.stderr.write(`${text}\n${usage}\n`);
  return 2;
}

async function executorsOf(names: readonly string[]): Promise<readonly Executor[] | string> {
  const executors: Executor[] = [];
  for (const name of names) {
    if (name === 'reference' || name === 'kernels') executors.push({ name, on: name, environment: process.env });
    // What the environment has, whatever it is.
    else if (name === 'gpu') executors.push({ name, on: 'gpu', environment: process.env });
    else {
      const adapters = await findAdapters({ log: () => {} });
      const adapter = adapters.find((a) => a.name === name);
      if (adapter === undefined)
        return `no executor ${name} here: reference, kernels, gpu, ${adapters.map((a) => a.name).join(', ')}`;
      executors.push({ name, on: 'gpu', environment: childEnvironment(adapter) });
    }
  }
  return executors.length === 0 ? 'name an executor: --on kernels' : executors;
}

/** Runs one worker to its end; gives the index of the program at which it died, or null if it did all it was to do. */
function runWorker(
  orders: Orders,
  executor: Executor,
  tally: Tally,
  children: Set<ChildProcess>,
  session: { readonly ended: boolean },
  show: Progress,
): Promise<number | null> {
  return new Promise((resolve) => {
    const file = fileURLToPath(new URL('worker.ts', import.meta.url));
    const child = spawn(process.execPath, [...briefly, '--import', 'tsx', file, JSON.stringify(orders)], {
      env: executor.environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.add(child);
    let index = orders.first;
    let finished = false;
    let over = false;
    let hang: string | null = null;
    let whole: Found | null = null;
    let errors = '';
    const timer = setTimeout(
      () => {
        over = true;
        child.kill('SIGKILL');
      },
      orders.until + grace - Date.now(),
    );
    child.stderr.on('data', (data: Buffer) => (errors = (errors + data.toString()).slice(-4000)));
    createInterface({ input: child.stdout }).on('line', (text) => {
      const line = readLine(text);
      if (line === null) return;
      if (line.kind === 'begin') index = line.index;
      if (line.kind === 'end') finished = true;
      if (line.kind === 'hang') hang = line.message;
      // A finding that is not made small any more stays one.
      if (line.kind === 'shrinking') whole = line.found;
      if (line.kind === 'finding') whole = null;
      count(tally, line);
      show.draw();
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      children.delete(child);
      if (finished) return resolve(null);
      const seed = seedOf(orders.seed, index);
      const interrupted = hang === null && (over || session.ended);
      if (whole !== null) tally.findings.push(whole);
      else if (interrupted) tally.left.push(seed);
      else tally.findings.push(processFinding(orders, seed, hang, `${signal ?? code}`, errors));
      if (!interrupted || whole !== null) tally.programs += 1;
      resolve(interrupted ? null : index);
    });
  });
}

/** A program that took its process along, or hangs. */
function processFinding(orders: Orders, seed: number, hang: string | null, end: string, errors: string): Found {
  const told = errors.trim().split('\n').slice(-8).join('\n');
  const finding =
    hang === null
      ? ({ kind: 'internal error', key: 'process', message: `the process ended with ${end}: ${told}` } as const)
      : ({ kind: 'hang', key: 'process', message: hang } as const);
  return { executor: orders.executor, seed, finding, folder: '', text: '', sizes: [], profile: '' };
}

function readLine(text: string): Line | null {
  if (!text.startsWith('{"kind":')) return null;
  const line: Line = JSON.parse(text);
  return line;
}

function count(tally: Tally, line: Line): void {
  if (line.kind === 'finding') tally.findings.push(line.found);
  if (line.kind !== 'done') return;
  tally.programs += 1;
  tally.compared += line.compared;
  tally.undecided += line.undecided;
  if (line.outcome === 'agreed') tally.agreed += 1;
  if (line.outcome === 'stopped') tally.stopped.set(line.code, (tally.stopped.get(line.code) ?? 0) + 1);
  if (line.outcome === 'refused') tally.refused.set(line.code, (tally.refused.get(line.code) ?? 0) + 1);
}

interface Progress {
  readonly draw: () => void;
  readonly clear: () => void;
}

/** One line on a terminal that says how far it is; nothing elsewhere. */
function progress(tallies: readonly Tally[], until: number, quiet: boolean): Progress {
  if (quiet || !process.stderr.isTTY) return { draw: () => {}, clear: () => {} };
  const draw = (): void => {
    const left = Math.max(0, Math.ceil((until - Date.now()) / 1000));
    const each = tallies.map(
      (t) => `${t.executor} ${t.programs}${t.findings.length > 0 ? ` (${t.findings.length} found)` : ''}`,
    );
    process.stderr.write(`\r\x1b[K${each.join('  ')}  ${left} s left`);
  };
  return { draw, clear: () => void process.stderr.write('\r\x1b[K') };
}

const share = (t: Tally): string =>
  t.compared + t.undecided === 0 ? '' : `${((100 * t.undecided) / (t.compared + t.undecided)).toFixed(2)} % undecided`;

const codes = (map: ReadonlyMap<string, number>): string =>
  [...map]
    .sort()
    .map(([code, n]) => `${code} ${n}`)
    .join(', ');

function summary(seed: number, tallies: readonly Tally[]): string {
  const lines: string[] = [];
  for (const t of tallies) {
    const minutes = (t.time / 60_000).toFixed(1);
    lines.push(
      `${t.executor}: ${t.programs} programs in ${minutes} min from seed ${seed}, ${t.agreed} agree on ${t.compared} numbers (${share(t)}), ${t.findings.length} findings`,
    );
    if (t.stopped.size > 0) lines.push(`  errors of the run that both report: ${codes(t.stopped)}`);
    if (t.left.length > 0) lines.push(`  under way when the time was over, and left: program ${t.left.join(', ')}`);
    if (t.refused.size > 0) lines.push(`  refused by the compiler: ${codes(t.refused)}`);
    for (const { seed: own, finding, folder, text } of t.findings) {
      lines.push(
        '',
        `  ${finding.kind}, program ${own}${folder === '' ? '' : `, in ${folder}`}`,
        ...finding.message
          .split('\n')
          .slice(0, 4)
          .map((l) => `    ${l}`),
      );
      lines.push(
        ...text
          .split('\n')
          .slice(0, 40)
          .map((l) => `      ${l}`),
      );
    }
  }
  return `${lines.join('\n')}\n`;
}

const plain = (t: Tally): Readonly<Record<string, unknown>> => ({
  executor: t.executor,
  programs: t.programs,
  minutes: t.time / 60_000,
  agreed: t.agreed,
  compared: t.compared,
  undecided: t.undecided,
  stopped: Object.fromEntries(t.stopped),
  refused: Object.fromEntries(t.refused),
});

process.exitCode = await main();
