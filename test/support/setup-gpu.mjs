/**
 * Finds, and where allowed installs, the software GPUs that the tests run on. Plain JavaScript without dependencies:
 * it runs on a fresh clone.
 *
 * Three sources, in this order of preference:
 * - whatever adapter the machine has (`native`; never installed by us);
 * - lavapipe, Mesa's CPU driver. Dawn refuses versions before 23, so on Debian 12 it comes from the backports suite of
 *   the very mirror the machine is configured for. Installed only for root on Debian;
 * - SwiftShader, the CPU driver inside an npm package, unpacked to the project's cache with its own Vulkan loader: needs
 *   no rights and no system package.
 *
 * Command line: node test/support/setup-gpu.mjs [--install] [--json] [--run ADAPTER -- command …]
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import {
  SOFTWARE_ADAPTERS,
  cacheFolder,
  candidates,
  childEnvironment,
  probeAll,
  projectRoot,
  readCache,
  swiftshaderEnvironment,
  swiftshaderFolder,
  writeCache,
} from './adapters.mjs';

const SWIFTSHADER_PACKAGE = '@sparticuz/chromium@143.0.4';
const SWIFTSHADER_MEMBER = 'package/bin/swiftshader.tar.br';
/** The driver is native code that we load: only these very bytes are. */
const SWIFTSHADER_SHA256 = '1b4c63ac0f24bfedd469675c33b09c84f7d6d26acb30bed2ab8e875e084cf3a2';

/**
 * The usable environments, in the order native, lavapipe, swiftshader. With `install`, software adapters that are
 * missing are installed first where that is possible; what fails is logged, never thrown.
 */
export async function findAdapters({ install = false, fresh = false, log = () => {} } = {}) {
  const cached = fresh ? null : readCache();
  if (cached !== null && missing(cached).length === 0) return cached;
  let found = await probeAll();
  if (install && missing(found).length > 0) {
    const names = missing(found);
    if (names.includes('swiftshader')) attempt(log, 'swiftshader', installSwiftshader);
    if (names.includes('lavapipe')) attempt(log, 'lavapipe', installLavapipe);
    found = await probeAll(candidates());
  }
  writeCache(found);
  return found;
}

/** The software adapters a list lacks. A machine with a real GPU still wants both: they differ where bugs hide. */
export function missing(environments) {
  return SOFTWARE_ADAPTERS.filter((name) => !environments.some((environment) => environment.name === name));
}

function attempt(log, name, action) {
  try {
    log(`installing ${name}`);
    action(log);
  } catch (error) {
    log(`${name} could not be installed: ${error.message}`);
  }
}

/** Fetches the npm package with npm itself and unpacks the one archive wanted from it into the project's cache. */
export function installSwiftshader() {
  if (swiftshaderEnvironment() !== null) return;
  if (process.platform !== 'linux' || process.arch !== 'x64') throw new Error('it is built for Linux on x64 only');
  const staging = join(cacheFolder, `swiftshader.${process.pid}`);
  mkdirSync(staging, { recursive: true });
  try {
    command('npm', ['pack', SWIFTSHADER_PACKAGE, '--silent', '--pack-destination', staging]);
    const archive = readdirSync(staging).find((file) => file.endsWith('.tgz'));
    if (archive === undefined) throw new Error('npm pack left no archive');
    const packed = untar(gunzipSync(readFileSync(join(staging, archive)))).get(SWIFTSHADER_MEMBER);
    rmSync(join(staging, archive));
    if (packed === undefined) throw new Error(`the package has no ${SWIFTSHADER_MEMBER}`);
    const digest = createHash('sha256').update(packed).digest('hex');
    if (digest !== SWIFTSHADER_SHA256) throw new Error('the archive is not the one that was checked');
    for (const [name, bytes] of untar(brotliDecompressSync(packed)))
      writeFileSync(join(staging, basename(name)), bytes);
    rmSync(swiftshaderFolder, { recursive: true, force: true });
    renameSync(staging, swiftshaderFolder);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

/** The regular files of a tar archive: name → bytes. Knows ustar and the long names of GNU and pax. */
export function untar(archive) {
  const files = new Map();
  const text = (from, length) => {
    const end = archive.indexOf(0, from);
    return archive.toString('utf8', from, end < 0 || end > from + length ? from + length : end);
  };
  let longName = null;
  for (let at = 0; at + 512 <= archive.length && archive[at] !== 0;) {
    const size = Number.parseInt(text(at + 124, 12).trim() || '0', 8);
    const type = String.fromCharCode(archive[at + 156] ?? 0);
    const prefix = text(at + 257, 5) === 'ustar' ? text(at + 345, 155) : '';
    const body = archive.subarray(at + 512, at + 512 + size);
    if (!Number.isInteger(size) || body.length !== size) throw new Error('the tar archive is cut short');
    if (type === 'L') longName = body.toString('utf8').replace(/\0.*$/s, '');
    else if (type === 'x') longName = /\d+ path=(.*)\n/.exec(body.toString('utf8'))?.[1] ?? longName;
    else {
      const name = longName ?? (prefix ? `${prefix}/` : '') + text(at, 100);
      longName = null;
      if (type === '0' || type === '\0') files.set(name, body);
    }
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}

/**
 * Installs Mesa's Vulkan drivers with apt. Debian 12 takes them from backports: the suite is added beside the machine's
 * own sources, with the address and key those have.
 */
export function installLavapipe(log = () => {}) {
  if (process.getuid?.() !== 0) throw new Error('this needs root');
  const release = readRelease();
  if (release.get('ID') !== 'debian') throw new Error('this is done on Debian only');
  const codename = release.get('VERSION_CODENAME') ?? '';
  const apt = (...args) => command('apt-get', ['-qq', '-o', 'DPkg::Lock::Timeout=300', ...args]);
  const target = [];
  if (Number(release.get('VERSION_ID')) < 13) {
    const suite = `${codename}-backports`;
    addSuite(codename, suite, log);
    target.push('-t', suite);
  }
  apt('update');
  apt('install', '-y', '--no-install-recommends', ...target, 'mesa-vulkan-drivers', 'libvulkan1');
}

function readRelease() {
  const lines = readFileSync('/etc/os-release', 'utf8').split('\n');
  return new Map(
    lines.flatMap((line) => {
      const match = /^(\w+)="?([^"]*)"?$/.exec(line);
      return match === null ? [] : [[match[1], match[2]]];
    }),
  );
}

/** Writes a source for `suite`, unless one is there, after the model of the source the machine has for `codename`. */
function addSuite(codename, suite, log) {
  const sources = readSources();
  if (sources.some((source) => source.suites.includes(suite))) return;
  const model = sources.find((source) => source.suites.includes(codename) && source.components.includes('main'));
  if (model === undefined) throw new Error(`no source of this machine has ${codename} main`);
  const lines = ['Types: deb', `URIs: ${model.uri}`, `Suites: ${suite}`, 'Components: main'];
  if (model.signedBy !== null) lines.push(`Signed-By: ${model.signedBy}`);
  const file = `/etc/apt/sources.list.d/moec-${suite}.sources`;
  writeFileSync(file, lines.join('\n') + '\n');
  log(`added the suite ${suite} to this machine's sources`);
}

/** The machine's apt sources of both spellings: [{ uri, suites, components, signedBy }]. */
export function readSources(files = sourceFiles()) {
  const sources = [];
  for (const [name, content] of files) {
    if (name.endsWith('.sources')) {
      for (const paragraph of content.split(/\n\s*\n/)) {
        const field = (key) => new RegExp(`^${key}:[ \\t]*(.*)$`, 'mi').exec(paragraph)?.[1]?.trim() ?? '';
        if (/^no$/i.test(field('Enabled')) || !field('Types').split(/\s+/).includes('deb')) continue;
        for (const uri of field('URIs').split(/\s+/).filter(Boolean)) {
          const signedBy = field('Signed-By') || null;
          sources.push({ uri, suites: words(field('Suites')), components: words(field('Components')), signedBy });
        }
      }
    } else {
      for (const line of content.split('\n')) {
        const match = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+(.+)$/.exec(line.replace(/#.*$/, ''));
        if (match === null) continue;
        const signedBy = /signed-by=(\S+)/.exec(match[1] ?? '')?.[1] ?? null;
        sources.push({ uri: match[2], suites: [match[3]], components: words(match[4]), signedBy });
      }
    }
  }
  return sources;
}

const words = (text) => text.split(/\s+/).filter(Boolean);

function sourceFiles() {
  const folder = '/etc/apt/sources.list.d';
  const names = existsSync(folder) ? readdirSync(folder).sort() : [];
  const files = names.filter((name) => /\.(list|sources)$/.test(name)).map((name) => join(folder, name));
  if (existsSync('/etc/apt/sources.list')) files.unshift('/etc/apt/sources.list');
  return files.map((file) => [file, readFileSync(file, 'utf8')]);
}

/** Runs a command to its end; its output goes to our stderr, a failure throws. */
function command(name, args) {
  const result = spawnSync(name, args, {
    cwd: projectRoot,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    timeout: 600_000,
  });
  if (result.error !== undefined) throw result.error;
  if (result.status !== 0) throw new Error(`${name} ${args[0]} ended with ${result.signal ?? result.status}`);
}

/** Runs a command on an adapter, output inherited; resolves with its exit code. */
export function runOn(environment, name, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(name, args, { stdio: 'inherit', ...options, env: childEnvironment(environment) });
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
}

async function main(argv) {
  const split = argv.indexOf('--');
  const flags = split < 0 ? argv : argv.slice(0, split);
  const log = (text) => process.stderr.write(`setup-gpu: ${text}\n`);
  const install = flags.includes('--install');
  const found = await findAdapters({ install, fresh: flags.includes('--fresh') || install, log });
  const run = flags.indexOf('--run');
  if (run >= 0) {
    const environment = found.find(({ name }) => name === flags[run + 1]);
    if (environment === undefined) {
      log(`no adapter ${flags[run + 1] ?? ''} here; found: ${found.map(({ name }) => name).join(', ') || 'none'}`);
      return 3;
    }
    const [name, ...args] = split < 0 ? [] : argv.slice(split + 1);
    if (name === undefined) {
      log('what is to be run goes after --');
      return 2;
    }
    return runOn(environment, name, args);
  }
  if (flags.includes('--json')) {
    process.stdout.write(JSON.stringify(found, null, 2) + '\n');
  } else {
    for (const { name, info } of found)
      process.stdout.write(`${name}: ${info.description || info.device || info.vendor}\n`);
    for (const name of missing(found)) process.stdout.write(`${name}: missing${install ? '' : ' (try --install)'}\n`);
  }
  return found.length > 0 ? 0 : 3;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  process.exitCode = await main(process.argv.slice(2));
}
