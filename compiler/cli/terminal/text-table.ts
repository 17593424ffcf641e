/** Columns of text and numbers in units, for listings. */
import { showName } from '../../../dsl/diagnostics/columns.ts';

export type Align = 'left' | 'right';

/**
 * Lines of a table, the head first; two blanks between columns. Text is measured in characters. Cells hold names from files of
 * unknown origin: what could steer a terminal is shown by its number, so colours are for whole lines, afterwards.
 */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  aligns: readonly Align[] = [],
): readonly string[] {
  const all = [head, ...rows].map((row) => row.map(showName));
  const widths = head.map((_, i) => Math.max(...all.map((row) => row[i]?.length ?? 0)));
  return all.map((row) =>
    head
      .map((_, i) => {
        const cell = row[i] ?? '';
        const width = widths[i] ?? 0;
        return aligns[i] === 'right' ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
}

/** `1.5 MiB`. */
export function bytesText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit] ?? ''}`;
}

/** `12.3 M`, with decimal prefixes. */
export function countText(count: number): string {
  const units = ['', ' k', ' M', ' G', ' T', ' P'];
  let value = count;
  let unit = 0;
  while (Math.abs(value) >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? Number(value.toFixed(2)) : value >= 100 ? Math.round(value) : value.toFixed(1)}${units[unit] ?? ''}`;
}

/** A number in a few characters: `0`, `1.25`, `3.1e-7`. */
export function numberText(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e6) return String(value);
  return size >= 1e-3 && size < 1e5 ? String(Number(value.toPrecision(5))) : value.toExponential(2);
}
