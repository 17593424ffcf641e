/**
 * A real browser for tests: Debian's Chromium, headless, on the software adapter it carries. Pages are served from this
 * machine's loopback; TypeScript files of the project are served as the JavaScript they stand for, one by one, so that
 * what runs is the runtime as it is written and not a bundle of it.
 */
import { existsSync, readFileSync } from 'node:fs';
import { type Server, createServer } from 'node:http';
import { join, normalize, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, type Page, chromium } from 'playwright-core';
import ts from 'typescript';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Flags under which headless Chromium has a software adapter for WebGPU. */
const FLAGS = ['--no-sandbox', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];

/** The browser's program: MOEC_CHROMIUM, or where distributions put it; null where there is none. */
export function findChromium(): string | null {
  const named = process.env.MOEC_CHROMIUM;
  if (named !== undefined && named !== '') return existsSync(named) ? named : null;
  return PLACES.find((path) => existsSync(path)) ?? null;
}

export interface BrowserSession {
  readonly page: Page;
  /** What the page printed and threw, one line each. */
  readonly messages: readonly string[];
  close(): Promise<void>;
}

/** Files of a test's own, by path (`/model/mixtral.js`), with their content type. */
export type ServedFiles = ReadonlyMap<string, { readonly type: string; readonly bytes: Uint8Array | string }>;

/** Opens an empty page from which every file of the project can be imported: `import('/runtime/index.ts')`. */
export async function openBrowser(program: string, files: ServedFiles = new Map()): Promise<BrowserSession> {
  const server = await serve(files);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  // A driver chosen for the tests of npm `webgpu` is not one for the browser, and a bad one leaves it without any.
  const { VK_DRIVER_FILES: _driver, VK_ICD_FILENAMES: _icd, LD_LIBRARY_PATH: _path, ...env } = process.env;
  let browser: Browser | undefined;
  try {
    browser = await chromium.launch({ executablePath: program, args: FLAGS, env: definedOnly(env) });
    const page = await browser.newPage();
    const messages: string[] = [];
    page.on('console', (message) => messages.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => messages.push(`error: ${error.message}`));
    await page.goto(`http://127.0.0.1:${address.port}/`);
    const opened = browser;
    const close = async (): Promise<void> => {
      await opened.close();
      server.close();
    };
    return { page, messages, close };
  } catch (error) {
    await browser?.close();
    server.close();
    throw error;
  }
}

function definedOnly(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

/** A strict policy: no inline script, no evaluation of text, nothing from elsewhere. */
const POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'";

function serve(files: ServedFiles): Promise<Server> {
  const server = createServer((request, response) => {
    const path = decodeURIComponent((request.url ?? '/').split('?')[0] ?? '/');
    if (path === '/') {
      response.writeHead(200, { 'content-type': 'text/html', 'content-security-policy': POLICY });
      response.end('<!doctype html><title>moec</title>');
      return;
    }
    const own = files.get(path);
    if (own !== undefined) {
      const bytes = typeof own.bytes === 'string' ? Buffer.from(own.bytes) : own.bytes;
      const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
      if (range === null) {
        response.writeHead(200, { 'content-type': own.type }).end(bytes);
        return;
      }
      const [from, to] = [Number(range[1]), Math.min(Number(range[2]), bytes.length - 1)];
      const head = { 'content-type': own.type, 'content-range': `bytes ${from}-${to}/${bytes.length}` };
      response.writeHead(206, head).end(bytes.subarray(from, to + 1));
      return;
    }
    const file = normalize(join(PROJECT, path));
    if (
      !file.startsWith(PROJECT.endsWith(sep) ? PROJECT : PROJECT + sep) ||
      !file.endsWith('.ts') ||
      !existsSync(file)
    ) {
      response.writeHead(404).end();
      return;
    }
    const { outputText } = ts.transpileModule(readFileSync(file, 'utf8'), {
      fileName: file,
      compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true },
    });
    response.writeHead(200, { 'content-type': 'text/javascript' }).end(outputText);
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}
