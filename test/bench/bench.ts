/**
 * `npm run bench`: how fast compiled layers are on this machine's adapter, beside the ceilings of the same sitting. Everything it
 * needs stands in the repository; layers by other means run where somebody has installed them (`--peers`).
 */
import { spawn } from 'node:child_process';
import { arch, cpus, loadavg, platform, totalmem } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exitCodes, runMain } from '../../compiler/cli/terminal/exit.ts';
import { CliError, usageError } from '../../compiler/cli/terminal/cli-error.ts';
import { checkWritable, readBytes, writeFilesAtomic } from '../../compiler/cli/terminal/io.ts';
import { table } from '../../compiler/cli/terminal/text-table.ts';
import { moecVersion } from '../../compiler/version.ts';
import { candidates, childEnvironment } from '../support/adapters.mjs';
import { layers } from './cases.ts';
import { readOptions, usage, type BenchOptions } from './options.ts';
import { pageOf } from './page.ts';
import { runPeers } from './peers.ts';
import { compareReports, readReport, type Report } from './report.ts';
import { msText, sit } from './sitting.ts';
import { DriverThreads } from './timing.ts';

/** Milliseconds that a peer may take. */
const PEER_LIMIT = 150_000;

const say = (line: string): void => void process.stderr.write(`${line}\n`);

async function main(args: readonly string[]): Promise<void> {
  const options = readOptions(args);
  if (typeof options === 'string') throw usageError(options, 'npm run bench -- --help tells more');
  if (options.help) {
    process.stdout.write(usage);
    return;
  }
  const earlier = options.against === null ? null : await reportOf(options.against);
  if (options.page !== null && options.from.length > 0) {
    const reports: Report[] = [];
    for (const file of options.from) reports.push(await reportOf(file));
    const { folder, all } = pageFiles(options.page, reports);
    await writeFilesAtomic(folder, all);
    return;
  }
  for (const file of [options.out, options.page]) if (file !== null) await checkWritable(file);
  // A driver is chosen by variables that have to be there before the process begins.
  if (options.adapter !== null && process.env.MOEC_ADAPTER !== options.adapter) {
    process.exitCode = await again(options.adapter, args);
    return;
  }
  const report = await measureAll(options);
  if (report === null) return;
  const files = filesOf(options, report);
  for (const { folder, all } of files) await writeFilesAtomic(folder, all);
  process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : `${tableOf(report)}\n`);
  if (earlier !== null) process.stdout.write(`${differencesOf(report, earlier)}\n`);
  const wrong = report.rows.some(({ error }) => error !== null && !(error < WRONG));
  if (wrong) say('a result is far from the reference: moec verify tells where');
  if (wrong || report.rows.length === 0) process.exitCode = exitCodes.input;
}

/** No rounding explains a result that is so far off; `moec verify` has the bounds. */
const WRONG = 1e-3;

async function measureAll(options: BenchOptions): Promise<Report | null> {
  const driver = new DriverThreads();
  const { openAdapter } = await import('./adapter.ts');
  const opened = await openAdapter();
  if (opened === null) {
    say('no GPU adapter was found: npm run setup-gpu finds or installs a software driver');
    process.exitCode = exitCodes.environment;
    return null;
  }
  const { name, description, software, lanes } = opened;
  say(`${description}${software ? ': it computes on the CPU, so the CPU time of its threads decides' : ''}`);
  const began = performance.now();
  const [before = 0] = loadavg();
  const { rows, left } = await sit(opened, driver, options, say);
  const peers =
    options.peers === null
      ? { rows: [], left: [] }
      : await runPeers(
          resolve(options.peers),
          layers.map(({ subject }) => subject.name),
          PEER_LIMIT,
          say,
        );
  const decides = software && rows.some(({ encoded }) => (encoded.driver?.min ?? 0) > 0) ? 'driver' : 'wall';
  const [after = 0] = loadavg();
  opened.device.destroy();
  return {
    schema: 1,
    moec: moecVersion,
    date: new Date().toISOString(),
    quick: options.quick,
    seconds: Math.round((performance.now() - began) / 1000),
    machine: {
      cpu: cpus()[0]?.model ?? 'unknown',
      cores: cpus().length,
      memory: totalmem(),
      system: `${platform()} ${arch()}`,
      node: process.version,
      load: [before, after],
    },
    adapter: { name, description, software, lanes },
    decides,
    rows,
    peers: peers.rows,
    left: [...left, ...peers.left],
  };
}

/** The same call in a process with an adapter's variables; gives its exit code. A signal to the terminal reaches both. */
async function again(adapter: string, args: readonly string[]): Promise<number> {
  const environment = candidates().find(({ name }) => name === adapter);
  if (environment === undefined) {
    say(`there is no adapter ${adapter} here: npm run setup-gpu finds or installs software drivers`);
    return exitCodes.environment;
  }
  const child = spawn(process.execPath, [...process.execArgv, fileURLToPath(import.meta.url), ...args], {
    env: childEnvironment(environment),
    stdio: 'inherit',
  });
  process.once('exit', () => child.kill('SIGTERM'));
  return new Promise((done) => {
    child.on('error', () => done(exitCodes.internal));
    child.on('close', (code, signal) =>
      done(
        code ??
          (signal === 'SIGINT'
            ? exitCodes.interrupted
            : signal === 'SIGTERM'
              ? exitCodes.terminated
              : exitCodes.internal),
      ),
    );
  });
}

async function reportOf(file: string): Promise<Report> {
  const report = readReport(Buffer.from(await readBytes(file)).toString('utf8'));
  if (typeof report === 'string') throw new CliError(exitCodes.input, `${file}: ${report}`);
  return report;
}

interface Files {
  readonly folder: string;
  readonly all: readonly { readonly path: string; readonly bytes: string }[];
}

function filesOf(options: BenchOptions, report: Report): readonly Files[] {
  const json: readonly Files[] =
    options.out === null
      ? []
      : [
          {
            folder: dirname(resolve(options.out)),
            all: [{ path: basename(options.out), bytes: `${JSON.stringify(report, null, 2)}\n` }],
          },
        ];
  return options.page === null ? json : [...json, pageFiles(options.page, [report])];
}

function pageFiles(page: string, reports: readonly Report[]): Files {
  const { text, pictures } = pageOf(reports, picturesFolder(page));
  return {
    folder: dirname(resolve(page)),
    all: [...pictures.map(({ path, svg }) => ({ path, bytes: svg })), { path: basename(page), bytes: text }],
  };
}

/** Pictures of the page of the repository lie with the benchmark; those of another page beside it. */
function picturesFolder(page: string): string {
  const root = fileURLToPath(new URL('../../', import.meta.url));
  return resolve(page) === join(root, 'BENCHMARK.md') ? 'test/bench/charts' : `${basename(page, '.md')}-charts`;
}

function tableOf(report: Report): string {
  const rows = report.rows.map((row) => [
    row.key,
    msText(row.time),
    msText(row.encoded.wall.median),
    row.ceiling === null ? '' : msText(row.ceiling.time),
    row.share === null ? '' : row.share.toFixed(2),
    String(row.launches),
    row.error === null ? '' : row.error.toExponential(1),
  ]);
  const head = [
    'case',
    report.decides === 'driver' ? 'CPU' : 'least',
    'wall, median',
    'ceiling',
    'share',
    'launches',
    'error',
  ];
  const peers = report.peers.map((peer) => [`${peer.peer} ${peer.shape}`, '', msText(peer.median), '', '', '', '']);
  const left = report.left.map(({ key, reason }) => `not measured: ${key}: ${reason}`);
  return [
    ...table(head, [...rows, ...peers], ['left', 'right', 'right', 'right', 'right', 'right', 'right']),
    ...left,
  ].join('\n');
}

function differencesOf(now: Report, then: Report): string {
  const differences = compareReports(now, then);
  if (differences.length === 0) return 'the earlier file has none of these rows';
  const rows = differences.map(({ key, ratio, noise, outcome, ceilings }) => [
    key,
    ratio.toFixed(2),
    noise.toFixed(2),
    outcome,
    ceilings ? 'in units of the ceilings' : 'in milliseconds',
  ]);
  const other = now.adapter.description === then.adapter.description ? [] : [`then: ${then.adapter.description}`];
  return [
    '',
    ...other,
    ...table(['time, now over then', 'ratio', 'noise', '', ''], rows, ['left', 'right', 'right']),
  ].join('\n');
}

await runMain(
  () => main(process.argv.slice(2)),
  async (error) => {
    if (!(error instanceof CliError)) {
      say(error instanceof Error ? (error.stack ?? error.message) : String(error));
      return exitCodes.internal;
    }
    say(error.message);
    if (error.help !== null) say(error.help);
    return error.exitCode;
  },
);
