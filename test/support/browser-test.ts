/**
 * Tests in a browser. Without one they are skipped, which a report counts and one loud line says; with
 * MOEC_REQUIRE_BROWSER=1 the file fails instead.
 */
import { test } from 'vitest';
import { type BrowserSession, findChromium, openBrowser, type ServedFiles } from './browser.ts';

const program = findChromium();
if (program === null) {
  if (process.env.MOEC_REQUIRE_BROWSER === '1') {
    throw new Error('a browser is required (MOEC_REQUIRE_BROWSER) and there is none');
  }
  process.stdout.write('!!! NO BROWSER: nothing in this file runs in one (install chromium, or set MOEC_CHROMIUM)\n');
}

/** `test` for what needs a browser. */
export const browserTest = test.skipIf(program === null);

/** Does something with a page, and closes the browser however that ends. */
export async function inBrowser<T>(
  does: (session: BrowserSession) => Promise<T>,
  files: ServedFiles = new Map(),
): Promise<T> {
  if (program === null) throw new Error('there is no browser: a test that needs one is a `browserTest`');
  const session = await openBrowser(program, files);
  try {
    return await does(session);
  } finally {
    await session.close();
  }
}
