/** Values given from outside (`--set`): whether the model has what they name, and of that kind. */
import type { Program } from '../types/program.ts';
import { diagnostic, type Diagnostic } from '../diagnostics/diagnostic.ts';
import type { StaticValue } from './instances.ts';
import { asInteger } from '../types/size.ts';

/** The overrides that fit a constant or axis of the model; every other one is reported, and the model's own value stands. */
export function checkOverrides(
  program: Program,
  overrides: ReadonlyMap<string, StaticValue>,
  report: (problem: Diagnostic) => void,
): ReadonlyMap<string, StaticValue> {
  const names = new Map(
    program.declarations.filter((d) => d.kind === 'const' || d.kind === 'axis').map((d) => [d.name, d]),
  );
  const fitting = new Map<string, StaticValue>();
  for (const [name, value] of overrides) {
    const declaration = names.get(name);
    if (declaration === undefined) {
      report(
        diagnostic('MOE0354', {
          message: `the model has no constant or axis called ${name}`,
          help: `it has ${[...names.keys()].join(', ')}`,
        }),
      );
    } else if (declaration.kind === 'axis' && (declaration.of.kind === 'union' || declaration.of.kind === 'points')) {
      report(
        diagnostic('MOE0356', { message: `the size of ${name} is not chosen from outside`, span: declaration.span }),
      );
    } else if (declaration.kind === 'axis' && !(value.kind === 'number' && (asInteger(value.size) ?? -1) >= 0)) {
      report(
        diagnostic('MOE0356', {
          message: `${name} is an axis: its size is a whole number, 0 or more`,
          span: declaration.span,
        }),
      );
    } else if (declaration.kind === 'const' && declaration.type !== value.kind) {
      report(
        diagnostic('MOE0356', {
          message: `${name} is a ${declaration.type}, it was given a ${value.kind}`,
          span: declaration.span,
        }),
      );
    } else fitting.set(name, value);
  }
  return fitting;
}
