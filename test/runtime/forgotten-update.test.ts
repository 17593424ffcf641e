/** A run that leaves a state behind that it reads and updates is told of, others are not. */
import { expect, test } from 'vitest';
import { forgottenUpdate } from '../../runtime/running/forgotten-update.ts';
import { prepareText } from '../language/support.ts';

function toldOf(body: string): string | null {
  const { prepared } = prepareText(
    `model M {\n  axis T\n  state seen: f32 = 0\n  forward(x: [T]) -> [T] { ${body} }\n}`,
  );
  const entry = prepared?.manifest.entries[0];
  if (prepared === null || entry === undefined) throw new Error('the text has a mistake');
  return forgottenUpdate(prepared.manifest, entry);
}

test('a state that is read and updated', () => {
  expect(toldOf('update seen = seen + sum(x, over: T)\n x + seen')).toContain(
    'forward reads and updates the state seen',
  );
});

test('a state that is only updated, or only read', () => {
  expect(toldOf('update seen = sum(x, over: T)\n x')).toBe(null);
  expect(toldOf('x + seen')).toBe(null);
});
