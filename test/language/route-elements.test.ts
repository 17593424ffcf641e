/** The weights of a route are of its element type, on the reference and by the kernels. */
import { expect, test } from 'vitest';
import { elements, routeOf, wrongRoute } from './route-elements.ts';
import { onKernels, onReference } from './support.ts';

test.each(elements)('a route of %s', async (element) => {
  expect(wrongRoute(element, await onReference(routeOf(element)))).toEqual([]);
  expect(wrongRoute(element, await onKernels(routeOf(element)))).toEqual([]);
});
