/**
 * The GPU adapters that tests can run on, as environments for child processes.
 *
 * What it is for: a software Vulkan driver is chosen by environment variables that have to be set before a process
 * starts, and a driver that misbehaves takes its process along. So an adapter is here a name and a set of variables,
 * every look at one happens in a child process, and the tests of an adapter are one run of the test runner.
 *
 * Invariants:
 * - An environment is only ever listed after a child process computed a sum on it and read the right number back.
 * - The cache (`.cache/gpu.json`) is data that anyone may have written: it is checked when read, and files it names
 *   have to exist. A bad cache is no cache.
 *
 * Shapes: Environment = { name: 'lavapipe' | 'swiftshader' | 'native', env: { [variable]: value }, info: AdapterReport }.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const projectRoot = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
export const cacheFolder = join(projectRoot, '.cache');
export const swiftshaderFolder = join(cacheFolder, 'swiftshader');
const cacheFile = join(cacheFolder, 'gpu.json');

/** Raise it when the meaning of the cache changes. */
const CACHE_SCHEMA = 2;

/** The two software adapters every complete test run covers. */
export const SOFTWARE_ADAPTERS = ['lavapipe', 'swiftshader'];

const NAMES = new Set([...SOFTWARE_ADAPTERS, 'native']);

/** Variables an environment may set: nothing else from a cache reaches a process. */
const VARIABLES = new Set(['VK_ICD_FILENAMES', 'LD_LIBRARY_PATH']);

/** Where Vulkan loaders look for driver manifests. */
const MANIFEST_FOLDERS = ['/usr/share/vulkan/icd.d', '/usr/local/share/vulkan/icd.d', '/etc/vulkan/icd.d'];

/** Where distributions keep the SwiftShader of their Chromium. */
const CHROMIUM_FOLDERS = ['/usr/lib/chromium', '/usr/lib/chromium-browser'];

/** Milliseconds a probe may take: a cold software driver compiles its first shader in a few seconds. */
const PROBE_DEADLINE = 60_000;

/**
 * The environment of a child process on an adapter: this process's own, with the adapter's variables in front, and a
 * runtime folder (Vulkan loaders complain on stderr without one).
 */
export function childEnvironment(environment) {
  const env = { ...process.env, ...environment.env };
  // A driver selection from outside would win over ours in newer loaders.
  if (environment.env.VK_ICD_FILENAMES !== undefined) delete env.VK_DRIVER_FILES;
  const ours = environment.env.LD_LIBRARY_PATH;
  const theirs = process.env.LD_LIBRARY_PATH;
  if (ours !== undefined && theirs) env.LD_LIBRARY_PATH = `${ours}:${theirs}`;
  if (!env.XDG_RUNTIME_DIR) env.XDG_RUNTIME_DIR = runtimeFolder();
  env.MOEC_ADAPTER = environment.name;
  return env;
}

/** A folder of this project that stands for the missing session folder; created with the owner's rights only. */
function runtimeFolder() {
  const folder = join(cacheFolder, 'xdg');
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return folder;
  } catch {
    return tmpdir();
  }
}

/**
 * Every environment that may work on this machine; nothing is tried yet. Named drivers come first, so that `native` is
 * left for what only the machine itself knows.
 */
export function candidates() {
  const list = [];
  for (const folder of MANIFEST_FOLDERS) {
    for (const file of listFolder(folder)) {
      if (/^lvp_icd.*\.json$/.test(file)) {
        list.push({ name: 'lavapipe', env: { VK_ICD_FILENAMES: join(folder, file) } });
      }
    }
  }
  const own = swiftshaderEnvironment();
  if (own !== null) list.push(own);
  for (const folder of CHROMIUM_FOLDERS) {
    const manifest = join(folder, 'vk_swiftshader_icd.json');
    if (existsSync(manifest)) list.push({ name: 'swiftshader', env: { VK_ICD_FILENAMES: manifest } });
  }
  list.push({ name: 'native', env: {} });
  return list;
}

/** SwiftShader as unpacked in the project's cache folder, with its own Vulkan loader; null where it is not there. */
export function swiftshaderEnvironment() {
  const manifest = join(swiftshaderFolder, 'vk_swiftshader_icd.json');
  const files = [manifest, join(swiftshaderFolder, 'libvk_swiftshader.so'), join(swiftshaderFolder, 'libvulkan.so.1')];
  if (!files.every((file) => existsSync(file))) return null;
  return { name: 'swiftshader', env: { VK_ICD_FILENAMES: manifest, LD_LIBRARY_PATH: swiftshaderFolder } };
}

function listFolder(folder) {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

/**
 * Tries the candidates of one list and keeps, for each name, the first that works. A native adapter that turns out to
 * be a software driver is listed under that driver's name.
 */
export async function probeAll(list = candidates()) {
  const found = new Map();
  for (const candidate of list) {
    if (found.has(candidate.name)) continue;
    const info = await probe(candidate);
    if (info.ok !== true) continue;
    const name = softwareName(info) ?? candidate.name;
    if (!found.has(name)) found.set(name, { name, env: candidate.env, info });
  }
  return ['native', ...SOFTWARE_ADAPTERS].flatMap((name) => (found.has(name) ? [found.get(name)] : []));
}

function softwareName(info) {
  const text = `${info.vendor} ${info.architecture} ${info.device} ${info.description}`.toLowerCase();
  if (text.includes('llvmpipe') || text.includes('lavapipe')) return 'lavapipe';
  if (text.includes('swiftshader')) return 'swiftshader';
  return null;
}

/**
 * Runs one computation on an adapter in a child process. Resolves with { ok: true, vendor, architecture, device,
 * description, features } or { ok: false, reason }; a crash or a hang of the driver is a reason, never ours.
 */
export function probe(environment) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [fileURLToPath(new URL('./probe-adapter.mjs', import.meta.url))], {
      cwd: projectRoot,
      env: childEnvironment(environment),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let out = '';
    let err = '';
    child.stdout.on('data', (data) => (out += data));
    child.stderr.on('data', (data) => (err += data));
    const timer = setTimeout(() => child.kill('SIGKILL'), PROBE_DEADLINE);
    child.on('error', (error) => {
      clearTimeout(timer);
      resolve({ ok: false, reason: String(error.message) });
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      const line = out.split('\n').find((text) => text.startsWith('{'));
      const report = line === undefined ? null : parseReport(line);
      if (report !== null && code === 0) return resolve(report);
      const last = err.trim().split('\n').at(-1) ?? '';
      resolve({ ok: false, reason: report?.reason ?? `the probe ended with ${signal ?? code}: ${last}` });
    });
  });
}

function parseReport(line) {
  try {
    const value = JSON.parse(line);
    return value !== null && typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}

/** The environments of the cache, or null where there is no cache that can be believed. */
export function readCache() {
  let value;
  try {
    value = JSON.parse(readFileSync(cacheFile, 'utf8'));
  } catch {
    return null;
  }
  if (value === null || typeof value !== 'object') return null;
  if (value.schema !== CACHE_SCHEMA || value.key !== cacheKey() || !Array.isArray(value.environments)) return null;
  return value.environments.every(isEnvironment) ? value.environments : null;
}

/** Written beside its place and renamed, so that a reader sees a whole file. */
export function writeCache(environments) {
  mkdirSync(cacheFolder, { recursive: true });
  const temporary = `${cacheFile}.${process.pid}`;
  writeFileSync(temporary, JSON.stringify({ schema: CACHE_SCHEMA, key: cacheKey(), environments }, null, 2) + '\n');
  renameSync(temporary, cacheFile);
}

/** What a cached answer depends on besides the files it names. */
function cacheKey() {
  let version = 'none';
  try {
    version = JSON.parse(readFileSync(join(projectRoot, 'node_modules', 'webgpu', 'package.json'), 'utf8')).version;
  } catch {
    // Without the package no adapter is found, and the next look has another key.
  }
  return [process.platform, process.arch, process.version, version].join(' ');
}

function isEnvironment(value) {
  if (value === null || typeof value !== 'object' || !NAMES.has(value.name)) return false;
  if (value.env === null || typeof value.env !== 'object' || value.info?.ok !== true) return false;
  return Object.entries(value.env).every(
    ([variable, text]) => VARIABLES.has(variable) && typeof text === 'string' && existsSync(text),
  );
}
