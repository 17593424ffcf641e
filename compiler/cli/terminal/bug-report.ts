/**
 * What is told of a bug of moec: what happened, at which stage, how to see it again, and which files somebody else needs
 * for that. Nothing is written to disk and nothing is sent: who reports decides what to give away.
 */
import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CompilerBug } from '../../../dsl/diagnostics/bug.ts';
import { parseFile } from '../../../dsl/syntax/parse-file.ts';
import { moecVersion } from '../../version.ts';

export interface Bug {
  readonly error: unknown;
  /** What was being done, where the error does not say. */
  readonly stage: string;
  /** The arguments of the command line, without node and script. */
  readonly args: readonly string[];
}

/** The lines below the headline of a report. */
export function bugReport({ error, stage, args }: Bug): readonly string[] {
  const stack = error instanceof Error ? (error.stack ?? '').split('\n').filter((l) => /^\s+at /.test(l)) : [];
  const cause = error instanceof Error && error.cause instanceof Error ? [`   = cause: ${error.cause.message}`] : [];
  const files = filesToAttach(args);
  const { platform, arch, version: node } = process;
  return [
    `   = this is a bug of moec, not of your model`,
    `   = stage: ${error instanceof CompilerBug ? error.stage : stage}`,
    ...cause,
    ...stack.slice(0, 6).map((l) => `   | ${l.trim()}`),
    `   = to see it again: moec ${args.map(quoteForShell).join(' ')}`,
    ...(files.length === 0 ? [] : [`   = attach: ${files.map(quoteForShell).join(' ')}`]),
    `   = moec ${moecVersion}, node ${node}, ${platform} ${arch}`,
  ];
}

/** Options whose file is written, not read. */
const outputs: ReadonlySet<string> = new Set(['-o', '--out', '--output']);

/** The files that the arguments name and that are there, and what model files among them import; each once. */
export function filesToAttach(args: readonly string[]): readonly string[] {
  const files = new Set<string>();
  const visit = (path: string): void => {
    if (files.has(path) || !isFile(path)) return;
    files.add(path);
    if (path.endsWith('.moe')) for (const from of importsOf(path)) visit(join(dirname(path), from));
  };
  args.forEach((arg, i) => {
    const [, option = '', value = ''] = /^(--?[\w-]+)=(.*)$/s.exec(arg) ?? [];
    if (outputs.has(option) || outputs.has(args[i - 1] ?? '')) return;
    visit(option === '' ? arg : value);
  });
  return [...files];
}

function isFile(path: string): boolean {
  try {
    return path !== '' && statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Paths of the files that a model file imports. The parser may be what is broken: then none are known. */
function importsOf(path: string): readonly string[] {
  try {
    const { file } = parseFile({ name: path, text: readFileSync(path, 'utf8') });
    return file.imports.map(({ from }) => from.value).filter((from) => /^\..*\.moe$/.test(from));
  } catch {
    return [];
  }
}

function quoteForShell(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}
