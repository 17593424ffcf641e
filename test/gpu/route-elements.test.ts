/** The weights of a route are of its element type on the adapter of this run. */
import { expect } from 'vitest';
import { executeGpu } from '../../compiler/cli/running/execute.ts';
import { elements, routeOf, wrongRoute } from '../language/route-elements.ts';
import { gpuTest } from '../support/gpu-test.ts';

gpuTest.each(elements)(
  'a route of %s',
  async (element) => {
    const { prepared, request } = routeOf(element);
    expect(wrongRoute(element, await executeGpu(prepared, { ...request, on: 'gpu' }))).toEqual([]);
  },
  120_000,
);
