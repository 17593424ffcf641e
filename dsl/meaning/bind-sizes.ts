/** Which sizes a run binds: the dynamic axes of an entry's parameters, read off the shapes of its inputs. */
import { at, get } from '../diagnostics/invariants.ts';
import type { ProgramAxisId } from '../types/ids.ts';
import type { CallableDeclaration, Program } from '../types/program.ts';
import { diagnostic, type Diagnostic } from '../diagnostics/diagnostic.ts';

/**
 * Sizes of dynamic axes by name; shapes that contradict one another or the sizes that were given, or have the wrong rank, are
 * reported.
 */
export function bindSizes(
  program: Program,
  entry: CallableDeclaration,
  shapes: ReadonlyMap<string, readonly number[]>,
  report: (problem: Diagnostic) => void,
  given: ReadonlyMap<string, number> = new Map(),
): ReadonlyMap<string, number> {
  const dynamic = new Map<ProgramAxisId, string>();
  for (const d of program.declarations) if (d.kind === 'axis' && d.of.kind === 'dynamic') dynamic.set(d.id, d.name);
  const sizes = new Map<string, { readonly size: number; readonly input: string }>();
  for (const [name, size] of given) sizes.set(name, { size, input: 'the list of sizes' });
  for (const formal of entry.formals) {
    const shape = shapes.get(formal.name);
    if (formal.type.kind !== 'tensor') continue;
    const axes = formal.type.axes;
    const names = axes.map((a) => get(program.axisNames, a.axis, 'sizes: name of axis') + "'".repeat(a.primes));
    if (shape === undefined) {
      report(diagnostic('MOE0706', { message: `the input ${formal.name}: [${names.join(', ')}] is missing` }));
      continue;
    }
    if (shape.length !== axes.length) {
      report(
        diagnostic('MOE0708', {
          message: `${formal.name} has axes [${names.join(', ')}], it was given the shape [${shape.join(', ')}]`,
        }),
      );
      continue;
    }
    axes.forEach((a, i) => {
      const name = dynamic.get(a.axis);
      const size = at(shape, i, 'sizes: extent');
      if (name === undefined) return;
      const known = sizes.get(name);
      if (known !== undefined && known.size !== size) {
        report(
          diagnostic('MOE0709', {
            message: `${name} is ${known.size} in ${known.input} and ${size} in ${formal.name}`,
          }),
        );
      } else if (known === undefined) sizes.set(name, { size, input: formal.name });
    });
  }
  return new Map([...sizes].map(([name, s]) => [name, s.size]));
}
