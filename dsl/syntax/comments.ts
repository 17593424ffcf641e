/**
 * Comments on their way through the printer.
 *
 * The tree has no comments; they are put back by place. Every printed thing of a list (a declaration, a statement, a
 * binding, a result) takes the comments before it, those inside it that nothing in it has taken, and one behind it on
 * its line. So each comment is printed exactly once, at the latest at the end of the file.
 */
import type { Comment } from './lex.ts';
import type { Span } from '../diagnostics/source-file.ts';

export class CommentQueue {
  readonly #comments: readonly Comment[];
  readonly #text: string;
  readonly #taken = new Set<Comment>();
  #next = 0;

  constructor(text: string, comments: readonly Comment[]) {
    this.#text = text;
    this.#comments = comments;
  }

  /** What begins before `offset` and has not been taken. */
  takeBefore(offset: number): readonly Comment[] {
    const result: Comment[] = [];
    for (let i = this.#next; i < this.#comments.length; i++) {
      const comment = this.#comments[i];
      if (comment === undefined || comment.span.start >= offset) break;
      this.#next = i + 1;
      if (this.#taken.has(comment)) continue;
      this.#taken.add(comment);
      result.push(comment);
    }
    return result;
  }

  /** The comment that follows `offset` on its line, with nothing but white space and commas between. */
  takeBehind(offset: number): Comment | undefined {
    let i = this.#next;
    for (; i < this.#comments.length; i++) {
      const candidate = this.#comments[i];
      if (candidate && candidate.span.start >= offset && !this.#taken.has(candidate)) break;
    }
    const comment = this.#comments[i];
    if (comment === undefined || !/^[ \t,]*$/.test(this.#text.slice(offset, comment.span.start))) return undefined;
    this.#taken.add(comment);
    return comment;
  }

  /** Whether a comment that has not been taken begins inside. */
  hasInside(span: Span): boolean {
    for (let i = this.#next; i < this.#comments.length; i++) {
      const comment = this.#comments[i];
      if (comment === undefined || comment.span.start >= span.end) return false;
      if (comment.span.start >= span.start && !this.#taken.has(comment)) return true;
    }
    return false;
  }
}
