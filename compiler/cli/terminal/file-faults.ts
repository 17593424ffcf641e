/** Failed operations on files: what the system's codes are called here. */

/** Codes of the operating system for files: what they are called here. */
const fileFaults: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'there is no such file or folder'],
  ['ENOTDIR', 'a part of the path is not a folder'],
  ['EISDIR', 'this is a folder'],
  ['EACCES', 'access is denied'],
  ['EPERM', 'this is not permitted'],
  ['EROFS', 'the file system is read-only'],
  ['ENOSPC', 'the disk is full'],
  ['EDQUOT', 'the disk quota is used up'],
  ['EMFILE', 'too many files are open'],
  ['ENFILE', 'too many files are open'],
  ['EEXIST', 'it is already there'],
  ['ENOTEMPTY', 'the folder is not empty'],
  ['ENAMETOOLONG', 'the name is too long'],
  ['ELOOP', 'too many links follow one another'],
  ['EXDEV', 'this would move a file to another volume'],
  ['ENXIO', 'nobody reads it, or no such device is there'],
  ['ENODEV', 'no such device is there'],
  ['EPIPE', 'its reader has gone'],
  ['EIO', 'the disk reports an error'],
  ['EFBIG', 'the file would be too large'],
  ['ETXTBSY', 'the file is in use'],
  ['EBUSY', 'it is in use'],
  ['ERR_FS_FILE_TOO_LARGE', 'the file is too large'],
]);

/** The system's code of a failed file operation, or null for any other error. */
export function fileFaultOf(error: unknown): { readonly code: string; readonly text: string } | null {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  if (typeof code !== 'string') return null;
  const text = fileFaults.get(code);
  return text === undefined ? null : { code, text };
}
