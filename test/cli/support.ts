/**
 * Spawns the command line as users do. It is compiled once for a state of the sources, into the project's cache, since
 * compiling it anew for every call would take most of the time of these tests. Half of what is left would go into finding the
 * files of chevrotain and lodash, about a thousand: beside the compiled files lies chevrotain's own bundle.
 */
import { fork, spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { transformSync } from 'esbuild';
import { writeSafetensors, parseHeader, type WritableTensor } from '../../runtime/weights/safetensors.ts';
import { briefly } from '../support/node-flags.mjs';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

function sources(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? sources(path) : path.endsWith('.ts') && !path.endsWith('.d.ts') ? [path] : [];
  });
}

const tsconfigRaw = { compilerOptions: { verbatimModuleSyntax: true } };

/** The folder of the compiled command line. Types are tsc's business; here every file is only transpiled. */
function compiled(): string {
  const files = ['compiler', 'dsl', 'runtime']
    .flatMap(sources)
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
  const hash = createHash('sha256');
  for (const { path, text } of files) hash.update(`${path}\0${text}\0`);
  const parent = join(root, '.cache', 'cli-test');
  const folder = join(parent, hash.digest('hex').slice(0, 16));
  if (existsSync(folder)) return folder;
  mkdirSync(parent, { recursive: true });
  const staging = mkdtempSync(join(parent, 'new-'));
  for (const { path, text } of files) {
    const target = join(staging, path.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(target), { recursive: true });
    const { code } = transformSync(text, { loader: 'ts', target: 'es2022', sourcefile: path, tsconfigRaw });
    writeFileSync(target, code.replaceAll(/(from |import |import\()(['"]\.[^'"]*)\.ts(['"])/g, '$1$2.js$3'));
  }
  const chevrotain = join(staging, 'node_modules', 'chevrotain');
  mkdirSync(chevrotain, { recursive: true });
  copyFileSync(join(root, 'node_modules', 'chevrotain', 'lib', 'chevrotain.mjs'), join(chevrotain, 'chevrotain.mjs'));
  writeFileSync(join(chevrotain, 'package.json'), JSON.stringify({ name: 'chevrotain', exports: './chevrotain.mjs' }));
  try {
    renameSync(staging, folder);
  } catch {
    // Another test file was faster.
    rmSync(staging, { recursive: true, force: true });
  }
  for (const old of readdirSync(parent)) {
    const path = join(parent, old);
    if (path !== folder && !old.startsWith('new-')) rmSync(path, { recursive: true, force: true });
  }
  return folder;
}

let cli: string | undefined;

function entry(): string {
  cli ??= join(compiled(), 'compiler', 'cli', 'moec.js');
  return cli;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CallOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  /** Called with the child as soon as it runs. */
  readonly during?: (child: ReturnType<typeof spawn>) => void;
}

/** Runs `moec …` to its end, in a process of its own. */
export function moec(args: readonly string[], options: CallOptions = {}): Promise<Ended> {
  const script = entry();
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...args], {
      cwd: options.cwd ?? root,
      env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '', ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
    child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
    if (options.during !== undefined) options.during(child);
    else child.stdin.end(options.stdin ?? '');
  });
}

let kept: ChildProcess | undefined;

function keptProcess(): ChildProcess {
  if (kept?.connected === true) return kept;
  const args = [pathToFileURL(entry()).href];
  const env = { ...process.env, NO_COLOR: '1', FORCE_COLOR: '' };
  const child = fork(join(root, 'test', 'cli', 'kept-process.mjs'), args, { cwd: root, env, execArgv: [...briefly] });
  // It ends when the channel closes, and keeps nobody from ending.
  child.unref();
  child.channel?.unref();
  kept = child;
  return child;
}

/**
 * What `moec …` says and how it ends, from a process that has called it before (kept-process.mjs): a tenth of the time. For claims about
 * the process itself there is `moec`.
 */
export function callMoec(args: readonly string[], { cwd = root }: { readonly cwd?: string } = {}): Promise<Ended> {
  const child = keptProcess();
  return new Promise((resolve, reject) => {
    const died = (): void =>
      reject(new Error(`the process of the command line ended in the call of ${args.join(' ')}`));
    child.once('exit', died);
    child.once('message', (said: { readonly ended: Ended } | { readonly failed: string }) => {
      child.off('exit', died);
      if ('ended' in said) resolve(said.ended);
      else reject(new Error(said.failed));
    });
    child.send({ args, cwd });
  });
}

/** What `--json` answered. */
export function answer(ended: Ended): ReturnType<typeof JSON.parse> {
  return JSON.parse(ended.stdout);
}

/** A folder of its own for a test, gone afterwards. */
export function scratch(): {
  readonly path: string;
  readonly file: (name: string, text?: string | Uint8Array) => string;
  readonly remove: () => void;
} {
  const path = mkdtempSync(join(tmpdir(), 'moec-test-'));
  return {
    path,
    file: (name, text) => {
      const file = join(path, name);
      if (text !== undefined) writeFileSync(file, text);
      return file;
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}

/** A model with a route, a loss, an output, a state and a control: small enough for the reference. */
export const everything = `model Everything {
  axis T, D = 4, E = 3
  const K = 2

  input tilt: [E] = 0
  router gate(x: [T, D]) -> route[T -> E] {
    param w: [E, D]
    state seen: [E] = 0
    let s = softmax(w @ x + tilt, over: E)
    let r = top_k(s, K, over: E)
    update seen = seen + count(r, over: T)
    loss balance = mean(s * s, over: (T, E))
    output scores = s
    r
  }

  forward(x: [T, D]) -> (y: [T, D], r: route[T -> E]) {
    let r = gate(x)
    (y: x * sum(r, over: E), r: r)
  }
  plain(x: [T, D]) -> [T, D] { 2 * x }
}
`;

export const f32 = (name: string, shape: readonly number[], data: readonly number[]): WritableTensor => ({
  name,
  dtype: 'F32',
  shape,
  data: Float32Array.from(data),
});

export const tensorFile = (...tensors: readonly WritableTensor[]): Uint8Array => writeSafetensors(tensors);

/** Tensors of a file: dtype, shape and numbers by name. */
export function readTensors(path: string) {
  const bytes = new Uint8Array(readFileSync(path));
  const { tensors } = parseHeader(bytes, bytes.length, path);
  return new Map(
    [...tensors.values()].map(({ name, dtype, shape, byteOffset, byteLength }) => {
      const buffer = bytes.slice(byteOffset, byteOffset + byteLength).buffer;
      const data: readonly number[] = [...(dtype === 'I32' ? new Int32Array(buffer) : new Float32Array(buffer))];
      return [name, { dtype, shape, data }] as const;
    }),
  );
}

/** Where no adapter is: the loader finds no driver. */
export const noAdapter = { VK_ICD_FILENAMES: '/nonexistent/icd.json', VK_DRIVER_FILES: '/nonexistent/icd.json' };
