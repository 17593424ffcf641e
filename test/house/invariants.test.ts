/**
 * Reads by an index that is meant to be valid have no default (DECISIONS, on look-ups that fail only if we are wrong): `x[i] ?? 0`
 * would make a wrong number of a mistake of ours. What may be absent by design stands here, with the reason.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CompilerBug, spell, unreachable } from '../../dsl/diagnostics/bug.ts';
import { at, get, indexIn, missing, noNumber } from '../../dsl/diagnostics/invariants.ts';
import { exact } from '../../dsl/types/size.ts';
import { root, sourceFiles } from './files.ts';

/** Files with such defaults, and why nothing is wrong where the default stands in. */
const absentByDesign: ReadonlyMap<string, string> = new Map([
  ['compiler/cli/running/comparisons.ts', 'the end of a name, if it has that end'],
  ['compiler/cli/terminal/bug-report.ts', 'the argument before the first'],
  ['compiler/cli/terminal/text-table.ts', 'rows may be shorter than the head'],
  ['compiler/cli/verbs/doctor.ts', 'a limit that an adapter does not name'],
  ['compiler/cli/verbs/verify-verb.ts', 'a full bar has no part of a character'],
  ['compiler/graph/graph-text.ts', 'text of a user'],
  ['compiler/graph/parse-graph.ts', 'text of a user'],
  ['compiler/passes/fold-constants.ts', 'a function of fewer than three numbers'],
  ['compiler/schedule/deciding/read-schedule.ts', 'text of a user'],
  ['compiler/verify/compactions.ts', 'words of a device, which may be wrong, and rows without a parent'],
  ['compiler/verify/evaluate.ts', 'words of a device, which may be wrong, and what no axis indexes'],
  ['compiler/verify/rows.ts', 'words of a device, which may be wrong'],
  ['compiler/verify/step-comparer.ts', 'an axis that a space lacks'],
  ['dsl/check/check-statics.ts', 'groups of a match that may be empty'],
  ['dsl/check/name-patterns.ts', 'text of a user'],
  ['dsl/check/types.ts', 'text of a user'],
  ['dsl/diagnostics/render.ts', 'text of a user'],
  ['dsl/diagnostics/source-file.ts', 'text of a user'],
  ['dsl/diagnostics/suggest.ts', 'the edge of a table of distances'],
  ['dsl/syntax/decode.ts', 'text of a user'],
  ['dsl/syntax/error-segments.ts', 'text of a user'],
  ['dsl/syntax/lex.ts', 'text of a user'],
  ['dsl/syntax/print-expressions.ts', 'a head that is not written'],
  ['dsl/tensors/sum-order.ts', 'a level that is still empty'],
  ['dsl/types/size.ts', 'a formula of one number'],
  ['runtime/running/device.ts', 'a limit that nobody asked for'],
  ['runtime/weights/layout-hints.ts', 'names of a checkpoint'],
  ['runtime/weights/member-hints.ts', 'names of a checkpoint'],
  ['runtime/weights/safetensors.ts', 'bytes of a file'],
]);

const defaultOfIndex = /\]\)?\s*\?\?\s*(?:0|-1|NaN|'')(?![.\w])/;

describe('a read by index', () => {
  const withDefault = sourceFiles(['dsl', 'compiler', 'runtime']).filter((file) =>
    defaultOfIndex.test(readFileSync(join(root, file), 'utf8')),
  );

  it('has no default, but where something may be absent by design', () => {
    expect(withDefault.filter((file) => !absentByDesign.has(file))).toEqual([]);
  });

  it('would be found with one', () => {
    for (const text of ['x[i] ?? 0', '(x[i + 1]) ?? NaN', 'names[k]\n  ?? -1', "texts[i] ?? ''"])
      expect(text).toMatch(defaultOfIndex);
    for (const text of ['x[i] ?? noNumber()', 'x ?? 0', 'x[i] ?? 0.5']) expect(text).not.toMatch(defaultOfIndex);
  });
});

describe('a look-up that misses', () => {
  it('is a bug that names the stage, what was looked up, and the index', () => {
    expect(() => at([1, 2], 2, 'graph: node')).toThrow(new CompilerBug('graph', 'there is no node [2 of 2]'));
    expect(() => at([1, 2], -1, 'graph: node')).toThrow('there is no node [-1 of 2]');
    expect(() => get(new Map([['a', 1]]), 'b', 'compile: input')).toThrow(
      new CompilerBug('compile', 'there is no input [b]'),
    );
    expect(() => get(new Map(), { name: 'T' }, 'graph: axis')).toThrow('there is no axis [T]');
    expect(() => indexIn(['x'], 'y', 'compile: store')).toThrow(new CompilerBug('compile', 'there is no store [y]'));
    expect(() => noNumber()).toThrow(CompilerBug);
  });

  it('is told whatever was looked up, sizes too, whose numbers are bigints', () => {
    const size = exact(3n, 2n);
    const text = '{"kind":"exact","numerator":"3n","denominator":"2n"}';
    expect(() => get(new Map(), size, 'sizes: name')).toThrow(new CompilerBug('sizes', `there is no name [${text}]`));
    expect(() => get(new Map(), 5n, 'sizes: name')).toThrow(new CompilerBug('sizes', 'there is no name [5]'));
    expect(() => missing('sizes: name', undefined)).toThrow('there is no name [undefined]');
    expect(spell({ args: [size] })).toBe(`{"args":[${text}]}`);
    expect(spell('x'.repeat(1000))).toHaveLength(200);
    // What an exhaustive `switch` did not expect comes from outside of the types.
    const unexpected = Object.assign(Object.create(null), { size }) as never;
    expect(() => unreachable(unexpected, 'graph')).toThrow(new CompilerBug('graph', `unhandled alternative {"size":${text}}`)); // prettier-ignore
  });

  it('gives what is there, a 0 and a NaN too', () => {
    expect([at([0], 0, 'graph: b'), at(Float64Array.of(NaN), 0, 'graph: b'), get(new Map([[1, 0]]), 1, 'graph: b')]).toEqual([0, NaN, 0]); // prettier-ignore
    expect(indexIn(['x', 'y'], 'y', 'graph: b')).toBe(1);
  });
});
