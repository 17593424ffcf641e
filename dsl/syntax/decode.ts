/**
 * Bytes to text. Only UTF-8, and strictly: the usual decoders replace what they cannot read by U+FFFD without a word.
 */
import { diagnostic, type Diagnostic } from '../diagnostics/diagnostic.ts';
import { limits } from './text-limits.ts';
import type { SourceFile } from '../diagnostics/source-file.ts';

export type Decoded =
  | { readonly ok: true; readonly source: SourceFile }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** The text of a file; one byte order mark at the start is dropped. Errors: MOE0002 with the byte offset, MOE0010. */
export function decodeSource(name: string, bytes: Uint8Array): Decoded {
  if (bytes.length > limits.sourceBytes) return { ok: false, diagnostics: [tooLarge(name, bytes.length)] };
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return { ok: true, source: { name, text } };
  } catch {
    const offset = firstInvalidByte(bytes);
    const byte = bytes[offset];
    const found =
      byte === undefined
        ? 'the last character is cut off'
        : `byte 0x${byte.toString(16).padStart(2, '0')} at offset ${offset}`;
    const message = `${name} is not UTF-8: ${found}`;
    return { ok: false, diagnostics: [diagnostic('MOE0002', { message, help: 'save the file as UTF-8' })] };
  }
}

/** MOE0010, for a text of `bytes` bytes. */
export function tooLarge(name: string, bytes: number): Diagnostic {
  const message = `${name} has ${bytes} bytes; ${limits.sourceBytes} are the most`;
  return diagnostic('MOE0010', { message, help: 'split it into files: `import { … } from "…"`' });
}

/** Offset of the first byte at which no UTF-8 sequence (Unicode table 3-7) begins. */
function firstInvalidByte(bytes: Uint8Array): number {
  let at = 0;
  while (at < bytes.length) {
    const first = bytes[at] ?? 0;
    const length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    if (length === 0) return at;
    for (let i = 1; i < length; i++) {
      const next = bytes[at + i];
      if (next === undefined) return bytes.length;
      // The second byte is narrower after E0, ED, F0 and F4: no overlong forms, no surrogates, nothing past U+10FFFF.
      const low = i === 1 && first === 0xe0 ? 0xa0 : i === 1 && first === 0xf0 ? 0x90 : 0x80;
      const high = i === 1 && first === 0xed ? 0x9f : i === 1 && first === 0xf4 ? 0x8f : 0xbf;
      if (next < low || next > high) return at;
    }
    at += length;
  }
  return bytes.length;
}
