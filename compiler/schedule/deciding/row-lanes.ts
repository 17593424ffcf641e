/** Who has a row of values or of a recurrence, by how much it holds and does (kernels/row.ts). */
import { THREAD_BYTES, type DeviceClass } from '../../target.ts';

const WORD_BYTES = 4;

/** Words that each of 64 threads may have of the workgroup memory that every target has. */
export const LONE_WORDS = 64;
/** Operations that one thread does alone, whatever the device. */
const LONE_WORK = 256;

/** `words`: null where a run decides how many. */
export function lanesOf(words: number | null, work: number): 'one' | 'group' {
  return words !== null && words <= LONE_WORDS && work <= LONE_WORK ? 'one' : 'group';
}

/** Whether a thread of a class has room for so many words of a row, of a workgroup that has so many bytes. */
export function hasRoomAlone({ threadArrays, subgroupSize }: DeviceClass, words: number, bytes: number): boolean {
  return threadArrays ? hasRoom(words, THREAD_BYTES) : hasRoom(words * subgroupSize, bytes);
}

/** Whether a workgroup that has so many bytes of memory has room for so many words. */
export function hasRoom(words: number, bytes: number): boolean {
  return WORD_BYTES * words <= bytes;
}
