/** The runtime in a browser: the same module, the same numbers, under a policy that forbids evaluating text. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BrowserSession, findChromium, openBrowser } from '../support/browser.ts';

const program = findChromium();
let session: BrowserSession | null = null;

beforeAll(async () => {
  if (program !== null) {
    session = await openBrowser(program);
  } else if (process.env.MOEC_REQUIRE_BROWSER === '1') {
    throw new Error('a browser is required (MOEC_REQUIRE_BROWSER) and there is none');
  } else {
    process.stdout.write('!!! NO BROWSER: nothing in this file runs in one (install chromium, or set MOEC_CHROMIUM)\n');
  }
}, 60_000);
afterAll(() => session?.close());

describe('in a browser', () => {
  it('a model runs as it does in Node', async () => {
    if (session === null) return;
    const outcome: unknown = await session.page.evaluate("import('/test/browser/page.ts').then((page) => page.main())");
    expect(outcome).toEqual({
      y: [2, 8, 24, 64],
      z: [2, 6, 20, 72],
      s: [1.5, 1.5, 1.5, 1.5],
      failed: 'MOE0711: a value is too large at [T: 0, D: 0] (sample.moe:3:5)',
      lost: 'DeviceLostError',
    });
    expect(session.messages).toEqual([]);
  });
});
