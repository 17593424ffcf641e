/**
 * `npm run demo`: from a clean clone to a Mixture-of-Experts layer on a GPU, in one command.
 *
 * In order: the packages and the build, if they are not there; an adapter (a real one, else a software one, which is set up
 * if the machine has none); a layer of Mixtral with the weights and the input of one of the golden cases; one run on the
 * adapter; the same run by the reference interpreter, judged number by number; the numbers of the original implementation
 * beside them. Then a picture: who went where, how much each expert got, what was launched, and how far off it is.
 *
 * Plain JavaScript: it runs before anything is installed. Colours and width follow the terminal; without one (or with
 * NO_COLOR) it is plain text. The same picture goes to .cache/demo as SVG and HTML.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { childEnvironment } from '../test/support/adapters.mjs';
import { findAdapters } from '../test/support/setup-gpu.mjs';
import { htmlPage, routingSvg } from './demo-picture.mjs';
import { makeTerminal } from './demo-terminal.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const cache = join(root, '.cache', 'demo');
const cli = join(root, 'dist', 'compiler', 'cli', 'moec.js');
const model = join('examples', 'mixtral', 'model.moe');
const golden = join('test', 'goldens', 'cases', 'mixtral-e16-top4');
const terminal = makeTerminal(process.stdout, process.env);
const { write, paint } = terminal;

const step = (text) => process.stderr.write(`${paint.dim('·')} ${text}\n`);

class DemoError extends Error {
  constructor(message, exitCode) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Runs a tool of the setup with its output on stderr. */
function setUp(title, name, args) {
  step(title);
  const { status, error } = spawnSync(name, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new DemoError(`${title} failed${error === undefined ? '' : `: ${error.message}`}`, 3);
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    throw new DemoError(`Node 20.19 or later is needed, this is ${process.version}`, 3);
  }
}

function installPackages() {
  const needed = ['typescript', 'webgpu', 'chevrotain', 'commander', 'picocolors'];
  if (needed.every((name) => existsSync(join(root, 'node_modules', name, 'package.json')))) return;
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  setUp('installing packages', npm, ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']);
}

/** Builds dist/ if it is missing or older than a source: whether types are right is for the tests to say. */
function build() {
  const newest = Math.max(...['compiler', 'dsl', 'runtime'].map((folder) => newestIn(join(root, folder))));
  if (existsSync(cli) && statSync(cli).mtimeMs >= newest) return;
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  setUp('building moec', process.execPath, [tsc, '-p', 'tsconfig.build.json', '--noCheck']);
}

function newestIn(folder) {
  return Math.max(
    0,
    ...readdirSync(folder, { withFileTypes: true }).map((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? newestIn(path) : /\.(ts|moe)$/.test(entry.name) ? statSync(path).mtimeMs : 0;
    }),
  );
}

/** A real adapter, else lavapipe, else SwiftShader; sets software ones up only where nothing is found. */
async function chooseAdapter() {
  const log = (text) => step(text);
  const found = await findAdapters({ install: false });
  const all = found.length > 0 ? found : await findAdapters({ install: true, fresh: true, log });
  const [adapter] = all;
  if (adapter === undefined) {
    throw new DemoError('no adapter was found and none could be set up: node dist/compiler/cli/moec.js doctor', 3);
  }
  return adapter;
}

/** Runs the command line on an adapter; resolves with its stdout. */
function moec(adapter, ...args) {
  return new Promise((resolve, reject) => {
    const env = { ...childEnvironment(adapter), NO_COLOR: '1' };
    const child = spawn(process.execPath, [cli, ...args], { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    let err = '';
    child.stdout.on('data', (data) => (out += data));
    child.stderr.on('data', (data) => (err += data));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) resolve(out);
      else reject(new DemoError(`moec ${args.join(' ')} ended with ${signal ?? code}\n${err}${out}`, code ?? 1));
    });
  });
}

/** What `moec … --json` answers: drivers may print lines of their own before it. */
const parseAnswer = (text) => JSON.parse(text.slice(text.search(/^\{/m)));

/** Tensors of a file by name: { shape, data }. */
async function readTensors(file) {
  const { parseHeader } = await import(pathToFileURL(join(root, 'dist', 'runtime', 'index.js')).href);
  const bytes = new Uint8Array(readFileSync(file));
  const { tensors } = parseHeader(bytes, bytes.length, file);
  return new Map(
    [...tensors].map(([name, { dtype, shape, byteOffset, byteLength }]) => {
      const buffer = bytes.slice(byteOffset, byteOffset + byteLength).buffer;
      const data = dtype === 'I32' ? new Int32Array(buffer) : new Float32Array(buffer);
      return [name, { shape, data }];
    }),
  );
}

async function writeInput(file, tensors) {
  const { writeSafetensors } = await import(pathToFileURL(join(root, 'dist', 'runtime', 'index.js')).href);
  const { shape, data } = tensors.get('input');
  replace(file, writeSafetensors([{ name: 'x', dtype: 'F32', shape, data }]));
}

/** A reader never sees half of a file. */
function replace(file, content) {
  writeFileSync(`${file}.${process.pid}`, content);
  renameSync(`${file}.${process.pid}`, file);
}

/** For each token, its experts and weights in order of rank; and how many tokens each expert got. */
function routingOf(results, experts) {
  const indices = results.get('gate.picks.indices');
  const weights = results.get('gate.picks.weights');
  const places = indices.shape.at(-1);
  const tokens = indices.data.length / places;
  const rows = Array.from({ length: tokens }, (_, token) => {
    const row = new Array(experts).fill(0);
    for (let k = 0; k < places; k++) {
      const expert = indices.data[token * places + k];
      if (expert >= 0) row[expert] = weights.data[token * places + k];
    }
    return row;
  });
  const loads = Array.from({ length: experts }, (_, e) => rows.filter((row) => row[e] > 0).length);
  return { rows, loads, places };
}

function largestDifference(a, b) {
  let most = 0;
  for (let i = 0; i < b.data.length; i++) most = Math.max(most, Math.abs(a.data[i] - b.data[i]));
  return a.data.length === b.data.length ? most : Infinity;
}

async function main() {
  checkNode();
  installPackages();
  build();
  const adapter = await chooseAdapter();
  mkdirSync(cache, { recursive: true });

  const { config } = JSON.parse(readFileSync(join(root, golden, 'case.json'), 'utf8'));
  const weights = join(golden, 'case.safetensors');
  const original = await readTensors(join(root, weights));
  await writeInput(join(cache, 'input.safetensors'), original);
  const file = (name) => relative(root, join(cache, name));
  const sets = [`D=${config.D}`, `F=${config.Ff}`, `E=${config.E}`, `K=${config.k}`].flatMap((text) => ['--set', text]);
  const run = [model, '--input', file('input.safetensors'), '--weights', weights, ...sets, '--losses', '--outputs'];

  step(`running on ${adapter.name}: moec run ${model}`);
  await moec(adapter, 'run', ...run, '--output', file('output.safetensors'));
  step('the same by the reference interpreter, in float64: moec verify');
  const verdict = parseAnswer(await moec(adapter, 'verify', ...run, '--json'));
  step('what is launched: moec explain kernels');
  const sizes = ['--size', `B=${config.B}`, '--size', `T=${config.T}`];
  const { entries } = parseAnswer(await moec(adapter, 'explain', 'kernels', model, ...sets, ...sizes, '--json'));

  const results = await readTensors(join(cache, 'output.safetensors'));
  const routing = routingOf(results, config.E);
  const away = largestDifference(results.get('output'), original.get('expected.output'));
  const device = adapter.info.description || adapter.info.device || adapter.info.vendor;

  terminal.title(
    'Mixtral',
    `${config.E} experts, the best ${config.k} for each of ${routing.rows.length} tokens, on ${device}`,
  );
  write(
    `\n${
      readFileSync(join(root, model), 'utf8')
        .match(/^ {2}forward.*$/m)?.[0]
        .trim() ?? ''
    }\n`,
  );
  terminal.routing(routing);
  terminal.launches(entries[0], { experts: config.E, places: config.k });
  terminal.errors(verdict.tensors, away);

  const title = `Mixtral: ${config.E} experts, top ${config.k}`;
  replace(join(cache, 'routing.svg'), routingSvg(title, routing));
  replace(join(cache, 'index.html'), htmlPage(title, device, routing, entries[0], verdict.tensors, away));
  write(
    `\n${paint.dim('the same as a picture:')} ${file('routing.svg')}${paint.dim(', as a page:')} ${file('index.html')}\n`,
  );
  write(`${paint.dim('next:')} node dist/compiler/cli/moec.js init my-model\n`);
  if (verdict.ok !== true) process.exitCode = 1;
}

try {
  await main();
} catch (error) {
  process.stderr.write(
    `${paint.red('demo:')} ${error instanceof DemoError ? error.message : (error?.stack ?? error)}\n`,
  );
  process.exitCode = error instanceof DemoError ? error.exitCode : 70;
}
