/** Sizes as the manifest writes them: plain JSON, integers as numbers, dynamic axes as strings. */
import type { SizeFormula } from '../../runtime/contract/manifest.ts';
import type { Size } from '../../dsl/types/size.ts';

export function sizeFormula(size: Size): SizeFormula {
  switch (size.kind) {
    case 'exact': {
      const n = Number(size.numerator);
      if (size.denominator === 1n && Number.isSafeInteger(n)) return n;
      return { numerator: String(size.numerator), denominator: String(size.denominator) };
    }
    case 'real':
      return { real: size.value };
    case 'dynamic':
      return size.axis;
    case 'op':
      return { op: size.op, args: size.args.map(sizeFormula) };
  }
}
