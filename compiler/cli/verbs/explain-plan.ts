/**
 * `moec explain kernels MODEL` and `moec explain memory MODEL`: what a run would launch and hold, without running. Formulas
 * of the sizes a run decides, and the numbers for one choice of them.
 */
import type { JsonDiagnostic } from '../../../dsl/diagnostics/render.ts';
import { hasErrors } from '../../../dsl/diagnostics/diagnostic.ts';
import { asNumber, formatSize, substitute, type Size } from '../../../dsl/types/size.ts';
import { planFor, type Compilation, type CompiledEntry, type CompiledPlan } from '../../compile.ts';
import { areFew, limitsText } from '../../schedule/deciding/regimes.ts';
import { programError, usageError } from '../terminal/cli-error.ts';
import { parseSets, parseSizes, parseTarget, projectOptions } from '../running/command-options.ts';
import type { Session } from '../terminal/session.ts';
import { bytesText, countText, table } from '../terminal/text-table.ts';
import { usualSize } from '../verbs.ts';

export interface PlanOptions {
  readonly model?: string;
  readonly root?: string;
  readonly set: readonly string[];
  readonly size: readonly string[];
  readonly entry?: string;
  readonly losses?: boolean;
  readonly target: string;
}

interface Look {
  readonly compilation: Compilation;
  readonly entries: readonly CompiledEntry[];
  readonly diagnostics: readonly JsonDiagnostic[];
  readonly sizes: ReadonlyMap<string, number>;
}

/** The plans of a model, and sizes for their numbers. */
export async function lookAt(session: Session, modelFile: string, options: PlanOptions): Promise<Look> {
  session.stage = 'explain';
  const sets = parseSets(options.set);
  const given = parseSizes(options.size);
  const { loadProject } = await import('../running/project.ts');
  const { compileProgram } = await import('../../compile.ts');
  const { parseOverrides } = await import('../../overrides.ts');
  const project = await loadProject(modelFile, projectOptions(options));
  if (project.program === null) throw programError(project.diagnostics, project.sources);
  const { entries } = project.program;
  if (options.entry !== undefined && !entries.some((e) => e.name === options.entry)) {
    throw usageError(
      `${project.program.name} has no entry ${options.entry}`,
      `entries: ${entries.map((e) => e.name).join(', ')}`,
    );
  }
  const compilation = compileProgram(project.program, {
    overrides: parseOverrides(sets),
    target: parseTarget(options.target),
    sources: project.sources,
    ...(options.entry === undefined ? {} : { entries: [options.entry] }),
  });
  // A model that is too large for the target is still worth explaining: that it is, is said beside.
  const { diagnostics } = compilation;
  if (hasErrors(diagnostics.filter((d) => !d.code.startsWith('MOE05'))))
    throw programError(diagnostics, project.sources);
  session.showDiagnostics(diagnostics, project.sources);
  const { dynamic } = compilation.elaboration;
  for (const name of given.keys()) {
    if (!dynamic.includes(name))
      throw usageError(
        `a run decides no size ${name}`,
        dynamic.length === 0 ? undefined : `it decides ${dynamic.join(', ')}`,
      );
  }
  return {
    compilation,
    entries: compilation.entries,
    diagnostics: session.jsonDiagnostics(diagnostics, project.sources),
    sizes: new Map(dynamic.map((name) => [name, given.get(name) ?? usualSize])),
  };
}

/** What is compiled of an entry for a run with these sizes. */
export function planAt(
  { inference, withAux }: CompiledEntry,
  { losses }: PlanOptions,
  sizes: Look['sizes'],
): CompiledPlan {
  return planFor(losses === true ? withAux : inference, sizes);
}

/** Which runs of an entry go by another plan than these sizes do; null: none. */
export function otherRegime({ inference, withAux }: CompiledEntry, { losses }: PlanOptions, sizes: Look['sizes']): string | null {
  const compiled = losses === true ? withAux : inference;
  const { few } = compiled;
  if (few === null) return null;
  const [isFew, limits] = [areFew(few.when, sizes), limitsText(few.when)];
  const other = isFew ? compiled : few.plan;
  return `${isFew ? `these are few rows, ${limits}; with more` : `with few rows, ${limits},`} it is ${other.plan.steps.length} launches`;
} // prettier-ignore

/** A formula and its number at the sizes. */
export function both(
  size: Size,
  sizes: ReadonlyMap<string, number>,
): { readonly formula: string; readonly number: number | null } {
  return { formula: formatSize(size), number: asNumber(substitute(size, sizes)) };
}

/** Lines of a launch. */
const ROWS = 6;

/** The launches of a run. */
export async function explainKernels(session: Session, modelFile: string, options: PlanOptions): Promise<void> {
  const { entries, sizes, diagnostics } = await lookAt(session, modelFile, options);
  const listed = entries.map((entry) => {
    const { plan } = planAt(entry, options, sizes);
    const launches = plan.steps.map((step, index) => {
      if (step.kind === 'extern') {
        return {
          index,
          kind: 'extern' as const,
          kernel: step.name,
          label: step.label,
          domain: '',
          points: null,
          threads: null,
          rounds: null,
          flops: null,
          bytes: null,
        };
      }
      return {
        index,
        kind: 'launch' as const,
        kernel: plan.kernels[step.kernel]?.name ?? '?',
        label: step.label,
        domain: step.work.domain,
        points: both(step.work.points, sizes),
        threads: both(step.invocations, sizes),
        rounds: both(step.work.tripCount, sizes),
        flops: both(step.work.flops, sizes),
        bytes: both(step.work.bytes, sizes),
      };
    });
    const sum = (key: 'flops' | 'bytes'): number => launches.reduce((n, l) => n + (l[key]?.number ?? 0), 0);
    const other = otherRegime(entry, options, sizes);
    return {
      entry: entry.name,
      other,
      kernels: plan.kernels.length,
      launches,
      flops: sum('flops'),
      bytes: sum('bytes'),
    };
  });
  if (session.json) {
    session.outJson({ ok: true, sizes: Object.fromEntries(sizes), entries: listed, diagnostics });
    return;
  }
  const { bold, dim } = session.outColours;
  for (const { entry, other, kernels, launches, flops, bytes } of listed) {
    session.out(
      `${bold(entry)}: ${launches.length} launches of ${kernels} kernels, at most ${countText(flops)} flops and ${bytesText(bytes)}${dim(sizesText(sizes))}\n${otherText(other, dim)}\n`,
    );
    const rows = launches.flatMap((l) => [
      [String(l.index), l.kernel, l.label, l.domain],
      ['', '', '  points', quantity(l.points, countText)],
      ['', '', '  threads', quantity(l.threads, countText)],
      ['', '', '  rounds', quantity(l.rounds, countText)],
      ['', '', '  flops', quantity(l.flops, countText)],
      ['', '', '  bytes', quantity(l.bytes, bytesText)],
    ]);
    const [head = '', ...lines] = table(['', 'kernel', 'value and place', 'over'], rows, ['right']);
    session.out(`${bold(head)}\n${lines.map((line, i) => (i % ROWS === 0 ? line : dim(line))).join('\n')}\n\n`);
  }
}

/** A line of its own. */
export const otherText = (other: string | null, dim: (text: string) => string): string =>
  other === null ? '' : `${dim(other)}\n`;

function quantity(
  value: { readonly formula: string; readonly number: number | null } | null,
  unit: (n: number) => string,
): string {
  if (value === null) return '';
  const number = value.number === null ? '?' : unit(value.number);
  return value.formula === String(value.number) ? number : `${value.formula}  =  ${number}`;
}

/** The sizes that numbers are for. */
export function sizesText(sizes: ReadonlyMap<string, number>): string {
  return sizes.size === 0 ? '' : `   for ${[...sizes].map(([name, n]) => `${name} = ${n}`).join(', ')}`;
}

/** The buffers of a run. */
export async function explainMemory(session: Session, modelFile: string, options: PlanOptions): Promise<void> {
  const { compilation, entries, sizes, diagnostics } = await lookAt(session, modelFile, options);
  const { planMemory } = await import('../../../runtime/running/memory-plan.ts');
  const { lifetimes } = await import('../../schedule/memory/assign-buffers.ts');
  const { accessOf, buffersOf } = await import('../../schedule/memory/plan.ts');
  const listed = entries.map((entry) => {
    const { plan } = planAt(entry, options, sizes);
    const touched = plan.steps.map((step) => {
      const { reads, writes } = accessOf(plan, step);
      return { buffers: [...reads, ...writes] };
    });
    const life = lifetimes(touched);
    const buffers = buffersOf(plan).map(([index, buffer]) => {
      const elements = both(buffer.elements, sizes);
      const lives = life.get(index) ?? null;
      const place =
        buffer.role.kind === 'scratch'
          ? `slot ${buffer.role.allocation}`
          : buffer.role.kind === 'store'
            ? buffer.role.store
            : buffer.role.kind;
      return {
        index,
        label: buffer.label,
        place,
        type: buffer.storageType,
        elements: elements.formula,
        bytes: elements.number === null ? null : 4 * elements.number,
        lives,
      };
    });
    const total =
      compilation.manifest === null
        ? null
        : planMemory(compilation.manifest, {
            entry: entry.name,
            sizes: Object.fromEntries(sizes),
            full: options.losses === true,
          });
    return { entry: entry.name, slots: plan.allocations, buffers, total };
  });
  if (session.json) {
    session.outJson({ ok: true, sizes: Object.fromEntries(sizes), entries: listed, diagnostics });
    return;
  }
  const { bold, dim } = session.outColours;
  for (const { entry, slots, buffers, total } of listed) {
    session.out(`${bold(entry)}: ${buffers.length} buffers, ${slots} shared slots${dim(sizesText(sizes))}\n\n`);
    const rows = buffers.map((b) => [
      String(b.index),
      b.label,
      b.place,
      `${b.type}[${b.elements}]`,
      b.bytes === null ? '?' : bytesText(b.bytes),
      b.lives === null ? '' : `${b.lives.first} to ${b.lives.last}`,
    ]);
    const [head = '', ...lines] = table(['', 'value and place', 'memory', 'elements', 'bytes', 'launches'], rows, [
      'right',
      'left',
      'left',
      'left',
      'right',
      'left',
    ]);
    session.out(`${bold(head)}\n${lines.join('\n')}\n\n`);
    if (total === null) continue;
    const { params, states, scratch, inputs, results, other, bytes } = total;
    const parts = { params, states, scratch, inputs, results, other };
    const text = Object.entries(parts)
      .map(([name, n]) => `${name} ${bytesText(n)}`)
      .join(', ');
    session.out(`${bold(bytesText(bytes))} in all: ${text}\n\n`);
  }
}
