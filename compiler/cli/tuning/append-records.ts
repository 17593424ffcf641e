/** Appends records to a file that others append to as well: each is one write of one line at the end. */
import { mkdir, open, type FileHandle } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { recordText, type TunedRecord } from '../running/tuned-records.ts';
import { ioError } from '../terminal/io.ts';

const NEWLINE = 0x0a;

/** Throws CliError 74 where it cannot be written. */
export async function appendRecords(path: string, records: readonly TunedRecord[]): Promise<void> {
  try {
    await mkdir(dirname(resolve(path)), { recursive: true });
    const file = await open(path, 'a+');
    try {
      for (const record of records) {
        const text = Buffer.from(`${(await endsInLine(file)) ? '' : '\n'}${recordText(record)}\n`);
        const { bytesWritten } = await file.write(text);
        if (bytesWritten < text.length) throw new Error(`only ${bytesWritten} of ${text.length} bytes were written`);
      }
      await file.datasync();
    } finally {
      await file.close();
    }
  } catch (error) {
    throw ioError('write', path, error);
  }
}

/** Whether a line begins where the file ends: it does not where a writer was stopped in the middle of one. */
async function endsInLine(file: FileHandle): Promise<boolean> {
  const { size } = await file.stat();
  if (size === 0) return true;
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] === NEWLINE;
}
