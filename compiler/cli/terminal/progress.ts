/**
 * One line on stderr that says what is being done, on a terminal only: in a log nothing is ever rewritten.
 */
export interface ProgressLine {
  /** Replaces the line. */
  readonly show: (text: string) => void;
  /** Takes it away. */
  readonly clear: () => void;
}

const silent: ProgressLine = { show: () => undefined, clear: () => undefined };

/** A line on `stream`; silent where the stream is no terminal. Fast updates are drawn at most every 50 ms. */
export function progressOn(stream: NodeJS.WriteStream): ProgressLine {
  if (!stream.isTTY || process.env.TERM === 'dumb') return silent;
  let drawn = 0;
  let visible = false;
  return {
    show: (text) => {
      const now = Date.now();
      if (visible && now - drawn < 50) return;
      drawn = now;
      visible = true;
      const width = Math.max(10, (stream.columns ?? 80) - 1);
      stream.write(`\r\x1b[2K${text.length > width ? `${text.slice(0, width - 1)}…` : text}`);
    },
    clear: () => {
      if (visible) stream.write('\r\x1b[2K');
      visible = false;
    },
  };
}
