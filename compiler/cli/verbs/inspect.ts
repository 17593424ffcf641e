/** `moec inspect FILE|DIR`: the tensors of a checkpoint. Reads headers only, however large the files are. */
import { CliError } from '../terminal/cli-error.ts';
import { exitCodes } from '../terminal/exit.ts';
import { statOrNull } from '../terminal/io.ts';
import type { Session } from '../terminal/session.ts';
import { bytesText, table } from '../terminal/text-table.ts';

interface InspectOptions {
  readonly match?: string;
}

/** Throws CliError 74 for a path where nothing is. */
export async function inspect(session: Session, path: string, options: InspectOptions): Promise<void> {
  session.stage = 'inspect';
  const stats = await statOrNull(path);
  if (stats === null) throw new CliError(exitCodes.io, `cannot read ${path}: there is no such file or folder`);
  const { fromDirectory, fromFile } = await import('../../../runtime/node.ts');
  const source = await (stats.isDirectory() ? fromDirectory(path) : fromFile(path));
  try {
    await source.open?.(source.names ?? []);
    const tensors = [...source.tensors]
      .filter(([name]) => options.match === undefined || name.includes(options.match))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, { dtype, shape, byteLength }]) => ({ name, dtype, shape, bytes: byteLength }));
    const bytes = tensors.reduce((sum, t) => sum + t.bytes, 0);
    if (session.json) {
      session.outJson({ path, tensors, bytes });
      return;
    }
    const { bold, dim } = session.outColours;
    const rows = tensors.map((t) => [t.name, t.dtype, `[${t.shape.join(', ')}]`, bytesText(t.bytes)]);
    const lines = table(['name', 'type', 'shape', 'bytes'], rows, ['left', 'left', 'left', 'right']);
    session.out(`${lines.map((line, i) => (i === 0 ? bold(line) : line)).join('\n')}\n`);
    session.out(dim(`${tensors.length} tensors, ${bytesText(bytes)}\n`));
  } finally {
    await source.close();
  }
}
