/**
 * Passes: pure functions from a graph to a graph with the same meaning, verified one by one.
 *
 * `runPasses` does no I/O and keeps no time of its own: what a command line wants to know (print after a pass, how long
 * it took, stop after the n-th to bisect) it learns through hooks.
 */
import { CompilerBug } from '../../dsl/diagnostics/bug.ts';
import type { Graph } from '../graph/graph-ir.ts';
import { verifyGraph } from '../graph/verify-graph.ts';

export interface Pass {
  readonly name: string;
  /** One line: what it does. */
  readonly summary: string;
  readonly run: (graph: Graph) => Graph;
}

export function definePass(pass: Pass): Pass {
  return pass;
}

export interface PassReport {
  readonly name: string;
  /** Counts from 0 over all passes of the run, skipped ones too. */
  readonly index: number;
  readonly skipped: boolean;
  /** In the unit of `now`; 0 without it. */
  readonly time: number;
}

export interface PassOptions {
  /** Passes that are left out, by name. */
  readonly skip?: ReadonlySet<string>;
  /** Only so many passes run: to find the one that breaks something. */
  readonly limit?: number;
  /** After each pass, with the graph it made. */
  readonly after?: (report: PassReport, graph: Graph) => void;
  readonly now?: () => number;
}

/** Whether a pass runs under these options. */
export function requested(name: string, index: number, options: PassOptions): boolean {
  return options.skip?.has(name) !== true && index < (options.limit ?? Infinity);
}

/** Runs a step that makes a value, and times it. */
export function timed<T>(options: PassOptions, run: () => T): { readonly value: T; readonly time: number } {
  const start = options.now?.() ?? 0;
  const value = run();
  return { value, time: (options.now?.() ?? 0) - start };
}

export function runPasses(graph: Graph, passes: readonly Pass[], options: PassOptions = {}, first = 0): Graph {
  return passes.reduce((current, pass, i) => {
    const index = first + i;
    if (!requested(pass.name, index, options)) {
      options.after?.({ name: pass.name, index, skipped: true, time: 0 }, current);
      return current;
    }
    const { value, time } = timed(options, () => named(pass, current));
    verifyGraph(value, `pass ${pass.name}`);
    options.after?.({ name: pass.name, index, skipped: false, time }, value);
    return value;
  }, graph);
}

/** A failure inside a pass says which pass. */
function named(pass: Pass, graph: Graph): Graph {
  const stage = `pass ${pass.name}` as const;
  try {
    return pass.run(graph);
  } catch (error) {
    if (error instanceof CompilerBug && error.stage === stage) throw error;
    throw new CompilerBug(stage, error instanceof Error ? error.message : String(error), { cause: error });
  }
}
