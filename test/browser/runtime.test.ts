/** The runtime in a browser: the same module, the same numbers, under a policy that forbids evaluating text. */
import { describe, expect } from 'vitest';
import { browserTest, inBrowser } from '../support/browser-test.ts';

describe('in a browser', () => {
  browserTest('a model runs as it does in Node', { timeout: 120_000 }, () =>
    inBrowser(async ({ page, messages }) => {
      const outcome: unknown = await page.evaluate("import('/test/browser/page.ts').then((page) => page.main())");
      expect(outcome).toEqual({
        y: [2, 8, 24, 64],
        z: [2, 6, 20, 72],
        s: [1.5, 1.5, 1.5, 1.5],
        failed: 'MOE0711: a value is too large at [T: 0, D: 0] (sample.moe:3:5)',
        lost: 'DeviceLostError',
      });
      expect(messages).toEqual([]);
    }),
  );
});
