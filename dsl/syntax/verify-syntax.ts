/** The verifiers of the first two stages: tokens and the tree. Both are about places, which everything that is told of a text rests on. */
import type { IToken } from 'chevrotain';
import { verified } from '../diagnostics/bug.ts';
import type { SourceFile } from '../diagnostics/source-file.ts';
import type { File, Span } from './ast.ts';
import type { SortedNode } from './child-keys.ts';
import { childrenOf } from './visit.ts';

/** Tokens say what stands at their places, and come in the order of the text, none inside another. */
export function verifyTokens(source: SourceFile, tokens: readonly IToken[]): void {
  let end = 0;
  const faults = tokens.flatMap(({ startOffset, image, tokenType }) => {
    const early = startOffset < end;
    end = startOffset + image.length;
    if (early) return [`${tokenType.name} at ${startOffset} begins before the one in front of it ends`];
    return source.text.startsWith(image, startOffset) ? [] : [`${tokenType.name} at ${startOffset} is not in the text`];
  });
  verified('tokens', `the list of tokens of ${source.name}`, faults);
}

/** Every node of a tree that was read without a mistake lies in the text of its file, and inside the node that holds it. */
export function verifyTree(source: SourceFile, file: File): void {
  const faults: string[] = [];
  const stack: { readonly at: SortedNode; readonly around: Span }[] = [
    { at: { sort: 'File', node: file }, around: { source: source.name, start: 0, end: source.text.length } },
  ];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { at, around } = next;
    const span = 'span' in at.node ? at.node.span : around;
    if (span.source !== around.source || span.start < around.start || span.end > around.end || span.start > span.end)
      faults.push(`${at.sort} at ${span.start} to ${span.end} is not inside ${around.start} to ${around.end}`);
    if (at.sort === 'Error') faults.push(`there is a hole at ${span.start}, and nothing was reported`);
    for (const child of childrenOf(at)) stack.push({ at: child, around: span });
  }
  verified('ast', `the tree of ${source.name}`, faults);
}
