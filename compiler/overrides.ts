/** `--set NAME=VALUE`: values for constants and axes, exactly as written (decimals are rationals). */
import type { StaticValue } from '../dsl/meaning/instances.ts';
import { exact } from '../dsl/types/size.ts';

/** Numbers, `true`, `false`; anything else is a string (quotes around it are taken off). */
export function parseOverride(text: string): StaticValue {
  if (text === 'true' || text === 'false') return { kind: 'bool', value: text === 'true' };
  const number = /^([+-]?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,3}))?$/.exec(text);
  if (number !== null) {
    const [, sign = '', whole = '0', fraction = '', exponent = '0'] = number;
    const power = Number(exponent) - fraction.length;
    const digits = BigInt(`${whole}${fraction}`) * (sign === '-' ? -1n : 1n);
    const size = power >= 0 ? exact(digits * 10n ** BigInt(power)) : exact(digits, 10n ** BigInt(-power));
    return { kind: 'number', size };
  }
  const quoted = /^"(.*)"$/s.exec(text);
  return { kind: 'string', value: quoted?.[1] ?? text };
}

export function parseOverrides(sets: ReadonlyMap<string, string>): ReadonlyMap<string, StaticValue> {
  return new Map([...sets].map(([name, text]) => [name, parseOverride(text)]));
}
