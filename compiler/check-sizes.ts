/**
 * What only sizes show of a checked program: a range that leaves its axis, more selected than there are, what the default target
 * cannot hold, and where every expert runs though a route is there. What `compile` would refuse, `check` tells.
 */
import type { Program } from '../dsl/types/program.ts';
import { diagnostic, hasErrors, type Diagnostic } from '../dsl/diagnostics/diagnostic.ts';
import type { StaticValue } from '../dsl/meaning/instances.ts';
import type { SourceFile } from '../dsl/diagnostics/source-file.ts';
import { compileProgram, type CompiledEntry } from './compile.ts';
import { denseExperts } from './graph/dense-experts.ts';
import { webgpuCore } from './target.ts';

/** Mistakes that the sizes of a program show, or else notices of what is right and costs more than it seems. */
export function checkSizes(
  program: Program,
  overrides: ReadonlyMap<string, StaticValue>,
  sources: readonly SourceFile[],
): readonly Diagnostic[] {
  const { entries, diagnostics } = compileProgram(program, { overrides, target: webgpuCore, sources });
  return hasErrors(diagnostics) ? diagnostics : [...diagnostics, ...noticesOf(program, entries)];
}

function noticesOf(program: Program, entries: readonly CompiledEntry[]): readonly Diagnostic[] {
  const found = entries.flatMap(({ name, inference }) => {
    const main = program.entries.find((e) => e.name === name)?.span.source ?? '';
    return denseExperts(inference.fused, main).map(({ family, axis, span }) =>
      diagnostic('MOE0456', {
        severity: 'notice',
        span,
        message: `every expert of ${family} runs here, all along ${axis}, though a route says which are wanted`,
        help: `r @ ${family}(x) runs only what the route r chose; dense(r) and an index of ${axis} lose what it left out`,
      }),
    );
  });
  const start = ({ span }: Diagnostic): string => `${span?.source} ${span?.start}`;
  return found.filter((d, i) => found.findIndex((other) => start(other) === start(d)) === i);
}
