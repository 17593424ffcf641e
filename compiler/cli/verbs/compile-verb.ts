/**
 * `moec compile MODEL -o DIR`: a model as an ES module with its types, its manifest and the runtime it needs. And a window
 * into the compiler: every stage as text, the graph after each pass, passes left out one by one.
 */
import { basename } from 'node:path';
import type { CompileOptions } from '../../compile.ts';
import { stages, isStage, type Stage } from '../../stages.ts';
import { programError, usageError } from '../terminal/cli-error.ts';
import { killable } from '../terminal/exit.ts';
import { writeFilesAtomic, type OutputFile } from '../terminal/io.ts';
import { parseSets, parseTarget, projectOptions } from '../running/command-options.ts';
import type { Project } from '../running/project.ts';
import type { Session } from '../terminal/session.ts';
import { bytesText, table } from '../terminal/text-table.ts';

interface Options {
  readonly out?: string;
  readonly model?: string;
  readonly root?: string;
  readonly set: readonly string[];
  readonly entry: readonly string[];
  readonly emit: readonly string[];
  readonly stopAfter?: string;
  readonly printAfter: readonly string[];
  readonly skipPass: readonly string[];
  readonly passLimit?: number;
  readonly schedule?: string;
  readonly tuned?: string;
  readonly time?: boolean;
  readonly target: string;
  readonly runtime?: string;
}

/** Throws CliError 1 for a program with errors, 2 for options that do not go together. */
export async function compile(session: Session, modelFile: string, options: Options): Promise<void> {
  session.stage = 'compile';
  const overrides = parseSets(options.set);
  const target = parseTarget(options.target);
  const emit = options.emit.map(readStage);
  const stop = options.stopAfter === undefined ? null : readStage(options.stopAfter);
  if (options.out === undefined && emit.length === 0 && stop === null) {
    throw usageError('nothing to do', `moec compile ${modelFile} -o DIR, or --emit=STAGE`);
  }
  if (session.json && emit.length > 0) throw usageError('--json and --emit both write to stdout');
  const passes = await passHooks(session, options);
  const reached = (stage: Stage): boolean => stop === null || stages.indexOf(stage) <= stages.indexOf(stop);
  const late = emit.find((stage) => !reached(stage));
  if (late !== undefined)
    throw usageError(`--emit=${late} comes after --stop-after=${stop}`, `stages: ${stages.join(', ')}`);
  const clock = new Clock();

  const { loadProject } = await import('../running/project.ts');
  const { frontText, isFrontStage, stageText } = await import('../running/stage-text.ts');
  clock.lap('loading moec');
  const project = await loadProject(modelFile, projectOptions(options));
  clock.lap('read, parse, check');
  for (const stage of emit)
    if (isFrontStage(stage) && (stage !== 'program' || project.program !== null))
      session.out(frontText(stage, project));
  if (stop === 'tokens' || stop === 'ast') return finish(session, project, options, clock, []);
  session.showDiagnostics(
    project.diagnostics.filter((d) => d.severity === 'warning'),
    project.sources,
  );
  const { program } = project;
  if (program === null)
    throw programError(
      project.diagnostics.filter((d) => session.json || d.severity === 'error'),
      project.sources,
    );
  if (stop === 'program') return finish(session, project, options, clock, []);
  const unknown = options.entry.filter((name) => !program.entries.some((e) => e.name === name));
  if (unknown.length > 0)
    throw usageError(
      `${program.name} has no entry ${unknown.join(', ')}`,
      `entries: ${program.entries.map((e) => e.name).join(', ')}`,
    );

  const { compileProgram } = await import('../../compile.ts');
  const { parseOverrides } = await import('../../overrides.ts');
  const { givenDecisions } = await import('../running/given-tuning.ts');
  const given = await givenDecisions(options);
  const request: CompileOptions = {
    overrides: parseOverrides(overrides),
    target,
    sources: project.sources,
    passes,
    ...(options.entry.length === 0 ? {} : { entries: options.entry }),
  };
  // Nothing is staged yet, so Ctrl-C may end the process at any moment of the work.
  const { compilation, tuning } = await killable(() =>
    given((also) => compileProgram(program, { ...request, ...also })),
  );
  clock.lap('elaborate, optimise, schedule, build, print');
  const { diagnostics, manifest, shaders } = compilation;
  if (tuning !== null) (await import('../running/run-options.ts')).tellTuning(session, tuning);
  session.showDiagnostics(
    diagnostics.filter((d) => d.severity === 'warning'),
    project.sources,
  );
  if (manifest === null) throw programError(diagnostics, project.sources);
  for (const stage of emit) if (!isFrontStage(stage)) session.out(stageText(stage, compilation));
  if (stop !== null && stop !== 'manifest') return finish(session, project, options, clock, []);
  if (options.out === undefined) return finish(session, project, options, clock, []);

  session.stage = 'emit';
  const { emitModule } = await import('../../emit/emit-module.ts');
  const runtime = options.runtime ?? './runtime/index.js';
  const module = emitModule(manifest, shaders, runtime, basename(modelFile).replace(/\.moe$/, ''));
  const copied =
    options.runtime === undefined ? await (await import('../running/runtime-files.ts')).runtimeFiles() : [];
  // What the module refers to goes first, the module itself last.
  const rank = (path: string): number => (path.endsWith('.js') ? 1 : 0);
  const own = module
    .map(({ path, text }): OutputFile => ({ path, bytes: text }))
    .sort((a, b) => rank(a.path) - rank(b.path));
  const files = [...copied, ...own];
  clock.lap('emit');
  await writeFilesAtomic(options.out, files);
  clock.lap('write');
  finish(session, project, options, clock, files);
}

/** What was done, in words or as JSON. */
function finish(
  session: Session,
  project: Project,
  options: Options,
  clock: Clock,
  files: readonly OutputFile[],
): void {
  if (options.time === true) session.say(clock.text());
  if (session.json) {
    const diagnostics = session.jsonDiagnostics(project.diagnostics, project.sources);
    session.outJson({ ok: true, out: options.out ?? null, files: files.map((f) => f.path), diagnostics });
  } else if (files.length > 0) {
    const own = files.filter((f) => !f.path.startsWith('runtime/'));
    const bytes = files.reduce((sum, f) => sum + f.bytes.length, 0);
    const runtime = own.length < files.length ? ' and runtime/' : '';
    session.say(`wrote ${options.out}: ${own.map((f) => f.path).join(', ')}${runtime} (${bytesText(bytes)})`);
  }
}

function readStage(name: string): Stage {
  if (isStage(name)) return name;
  throw usageError(`there is no stage ${name}`, `stages: ${stages.join(', ')}`);
}

/** `--print-after`, `--skip-pass`, `--pass-limit` and `--time` as the pass list takes them. */
async function passHooks(session: Session, options: Options): Promise<NonNullable<CompileOptions['passes']>> {
  const { passNames } = await import('../../passes/pass-list.ts');
  const { printGraph } = await import('../../graph/print-graph.ts');
  for (const name of [...options.skipPass, ...options.printAfter]) {
    if (name !== 'all' && !passNames.includes(name))
      throw usageError(`there is no pass ${name}`, `passes: ${[...new Set(passNames)].join(', ')}`);
  }
  const shows = (name: string): boolean => options.printAfter.includes(name) || options.printAfter.includes('all');
  const time = (name: string, ms: number): void => {
    if (options.time === true) session.say(`${name.padEnd(28)} ${ms.toFixed(1).padStart(9)} ms`);
  };
  return {
    skip: new Set(options.skipPass),
    ...(options.passLimit === undefined ? {} : { limit: options.passLimit }),
    now: () => performance.now(),
    after: (report, graph) => {
      if (!report.skipped) time(report.name, report.time);
      if (shows(report.name))
        session.say(
          `// after ${report.index} ${report.name}${report.skipped ? ' (skipped)' : ''}\n${printGraph(graph)}`,
        );
    },
    afterSparse: (name, sparse, ms) => {
      time(name, ms);
      const materialised = 'materialised' in sparse ? { materialised: sparse.materialised } : {};
      if (shows(name))
        session.say(`// after ${name}\n${printGraph(sparse.graph, { domains: sparse.domains, ...materialised })}`);
    },
  };
}

/** Times between marks. */
class Clock {
  #last = performance.now();
  readonly #laps: (readonly [string, number])[] = [];

  lap(name: string): void {
    const now = performance.now();
    this.#laps.push([name, now - this.#last]);
    this.#last = now;
  }

  text(): string {
    const rows = this.#laps.map(([name, ms]) => [name, `${ms.toFixed(1)} ms`]);
    return table(['stage', 'time'], rows, ['left', 'right']).join('\n');
  }
}
