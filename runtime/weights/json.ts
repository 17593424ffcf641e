/**
 * A strict reader of JSON text, for data of unknown origin.
 *
 * What it is for: headers and indices of checkpoints. `JSON.parse` keeps the last of two equal keys without a word,
 * rounds whole numbers beyond 2^53, and puts names like `__proto__` on plain objects. Here a second key is a fault,
 * numbers stay text until somebody says what they should be, objects are `Map`s, and depth is bounded.
 *
 * Invariant: reading never recurses deeper than MOST_DEPTH, whatever the text.
 */

/** A number as it was written. */
export interface JsonNumber {
  readonly kind: 'number';
  readonly text: string;
}

export type JsonObject = ReadonlyMap<string, JsonValue>;
export type JsonValue = string | boolean | null | JsonNumber | readonly JsonValue[] | JsonObject;

/** Why a text was refused; `offset` counts characters from its start. */
export class JsonFault extends Error {
  readonly kind: 'syntax' | 'duplicate';
  readonly offset: number;

  constructor(kind: 'syntax' | 'duplicate', message: string, offset: number) {
    super(`${message} at offset ${offset}`);
    this.name = 'JsonFault';
    this.kind = kind;
    this.offset = offset;
  }
}

/** The formats read here need three levels. */
const MAX_DEPTH = 8;

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;

/** The single value that `text` is. Throws JsonFault. */
export function parseJson(text: string): JsonValue {
  const reader = new JsonReader(text);
  const value = reader.value(0);
  reader.end();
  return value;
}

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return value instanceof Map;
}

export function isJsonArray(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}

export function isJsonNumber(value: JsonValue | undefined): value is JsonNumber {
  return typeof value === 'object' && value !== null && 'kind' in value;
}

/** The whole number that a JSON number is, from 0 to 2^53 − 1 and written plainly; null for anything else. */
export function plainInteger(value: JsonValue | undefined): number | null {
  if (!isJsonNumber(value) || !/^(?:0|[1-9][0-9]{0,15})$/.test(value.text)) return null;
  const number = Number(value.text);
  return Number.isSafeInteger(number) ? number : null;
}

class JsonReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): JsonValue {
    if (depth > MAX_DEPTH) throw this.#fault('values are nested too deeply');
    this.#space();
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object(depth);
      case '[':
        return this.#array(depth);
      case '"':
        return this.#string();
      case 't':
        return this.#word('true', true);
      case 'f':
        return this.#word('false', false);
      case 'n':
        return this.#word('null', null);
      default: {
        const text = this.#match(NUMBER);
        if (text === null) throw this.#fault('a value is expected');
        return { kind: 'number', text };
      }
    }
  }

  end(): void {
    this.#space();
    if (this.#at < this.#text.length) throw this.#fault('nothing may follow the value');
  }

  #object(depth: number): JsonObject {
    const entries = new Map<string, JsonValue>();
    this.#at += 1;
    if (this.#take('}')) return entries;
    for (;;) {
      this.#space();
      const start = this.#at;
      if (this.#text[start] !== '"') throw this.#fault('a name in quotes is expected');
      const name = this.#string();
      if (entries.has(name)) throw new JsonFault('duplicate', `the name ${quoteName(name)} occurs twice, again`, start);
      this.#need(':');
      entries.set(name, this.value(depth + 1));
      if (this.#take('}')) return entries;
      this.#need(',');
    }
  }

  #array(depth: number): readonly JsonValue[] {
    const values: JsonValue[] = [];
    this.#at += 1;
    if (this.#take(']')) return values;
    for (;;) {
      values.push(this.value(depth + 1));
      if (this.#take(']')) return values;
      this.#need(',');
    }
  }

  /** Scanned by hand: a regular expression keeps a way back for every character, and names may be long. */
  #string(): string {
    const start = this.#at;
    let escaped = false;
    for (let at = start + 1; ; at++) {
      const code = this.#text.charCodeAt(at);
      if (code === 0x22) {
        this.#at = at + 1;
        break;
      }
      // NaN, past the end, is not >= 0x20.
      if (!(code >= 0x20)) throw this.#fault('a string is not closed');
      if (code === 0x5c) {
        escaped = true;
        at += 1;
      }
    }
    const quoted = this.#text.slice(start, this.#at);
    if (!escaped) return quoted.slice(1, -1);
    try {
      return String(JSON.parse(quoted));
    } catch {
      throw new JsonFault('syntax', 'a string holds a bad escape', start);
    }
  }

  #word<T>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) throw this.#fault('a value is expected');
    this.#at += word.length;
    return value;
  }

  #match(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found === null) return null;
    this.#at = pattern.lastIndex;
    return found[0];
  }

  #space(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at += 1;
    }
  }

  #take(character: string): boolean {
    this.#space();
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #need(character: string): void {
    if (!this.#take(character)) throw this.#fault(`${character} is expected`);
  }

  #fault(message: string): JsonFault {
    return new JsonFault('syntax', message, this.#at);
  }
}

/** A name from a file, made safe for a message: quoted, escaped (controls and what reorders a line too), cut to a length. */
export function quoteName(name: string): string {
  const quoted = JSON.stringify(name.length > 120 ? `${name.slice(0, 120)}…` : name);
  return quoted.replace(/[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, (c) => {
    return `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
