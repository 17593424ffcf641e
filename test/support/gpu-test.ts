/**
 * Tests on the adapter that the environment selects. Without one they are skipped, which a report counts: nothing here
 * passes for want of an adapter. Importing this opens it, so only files of `test/gpu` do.
 */
import { test } from 'vitest';
import { softwareAdapter } from './gpu.ts';

const opened = await softwareAdapter();

/** `test` for what needs the adapter. */
export const gpuTest = test.skipIf(opened === null);

/** The device on the adapter, one for each test file. */
export function gpuDevice(): GPUDevice {
  if (opened === null) throw new Error('there is no adapter: a test that needs one is a `gpuTest`');
  return opened;
}
