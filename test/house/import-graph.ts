/** Who imports whom in the tree, and in circles. */
import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { root } from './files.ts';

export interface Import {
  /** Path from the root. */
  readonly to: string;
  readonly typeOnly: boolean;
}

/** Imports and re-exports of a file from others of the tree. */
export function importsOf(file: string, of = root): readonly Import[] {
  const text = readFileSync(join(of, file), 'utf8');
  const found = text.matchAll(/^\s*(?:import|export)\s+(type\s)?[^;'"]*?from\s+'(\.[^']*)'|^import\s+'(\.[^']*)'/gm);
  return [...found].map((m) => ({
    to: relative(of, join(of, dirname(file), m[2] ?? m[3] ?? '')),
    typeOnly: m[1] !== undefined,
  }));
}

/** Nodes that reach one another, by twos and more: strongly connected components (Tarjan 1972). */
export function circles(nodes: readonly string[], next: (node: string) => readonly string[]): readonly string[][] {
  const [index, low, open] = [new Map<string, number>(), new Map<string, number>(), [] as string[]];
  const found: string[][] = [];
  const lowOf = (node: string): number => low.get(node) ?? Infinity;
  const visit = (node: string): void => {
    index.set(node, index.size);
    low.set(node, index.size - 1);
    open.push(node);
    for (const other of next(node)) {
      if (!index.has(other)) visit(other);
      if (open.includes(other)) low.set(node, Math.min(lowOf(node), lowOf(other)));
    }
    if (lowOf(node) !== index.get(node)) return;
    const circle = open.splice(open.indexOf(node));
    if (circle.length > 1) found.push(circle.sort());
  };
  for (const node of nodes) if (!index.has(node)) visit(node);
  return found;
}
