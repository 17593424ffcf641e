/** The set-up of software GPUs: archives and package sources are read as they are found on real machines. */
import { describe, expect, it } from 'vitest';
/** Plain JavaScript without types, since it runs before any package is installed. */
interface SetUp {
  readonly untar: (archive: Buffer) => ReadonlyMap<string, Buffer>;
  readonly readSources: (files: readonly (readonly [string, string])[]) => unknown;
}
const { untar, readSources }: SetUp = await import(new URL('../support/setup-gpu.mjs', import.meta.url).href);

/** A ustar header and its body, padded to blocks. */
function member(name: string, body: string, type = '0'): Uint8Array {
  const content = new TextEncoder().encode(body);
  const bytes = new Uint8Array(512 + Math.ceil(content.length / 512) * 512);
  const put = (text: string, at: number): void => bytes.set(new TextEncoder().encode(text), at);
  put(name, 0);
  put(content.length.toString(8).padStart(11, '0'), 124);
  put(type, 156);
  put('ustar', 257);
  bytes.set(content, 512);
  return bytes;
}

describe('tar archives', () => {
  it('give regular files by name, also by long names', () => {
    const long = 'x'.repeat(120);
    const parts = [
      member('a.txt', 'one'),
      member('folder/', '', '5'),
      member('@LongLink', `${long}\0`, 'L'),
      member('cut', 'two'),
    ];
    const files = untar(Buffer.concat([...parts, new Uint8Array(1024)]));
    expect([...files].map(([name, body]) => [name, body.toString()])).toEqual([
      ['a.txt', 'one'],
      [long, 'two'],
    ]);
  });

  it('that are cut short are refused', () => {
    expect(() => untar(Buffer.from(member('a', 'body').subarray(0, 514)))).toThrow(/short/);
  });
});

describe('package sources', () => {
  it('of both spellings', () => {
    const deb822 =
      'Types: deb deb-src\nURIs: http://mirror/debian\nSuites: bookworm bookworm-updates\nComponents: main\nSigned-By: /k.gpg\n\nEnabled: no\nTypes: deb\nURIs: http://off\nSuites: x\nComponents: main\n';
    const lines =
      '# deb http://comment x main\ndeb [arch=amd64 signed-by=/k.gpg] http://other/debian trixie main contrib # note\ndeb-src http://src x main\n';
    expect(
      readSources([
        ['a.sources', deb822],
        ['b.list', lines],
      ]),
    ).toEqual([
      {
        uri: 'http://mirror/debian',
        suites: ['bookworm', 'bookworm-updates'],
        components: ['main'],
        signedBy: '/k.gpg',
      },
      { uri: 'http://other/debian', suites: ['trixie'], components: ['main', 'contrib'], signedBy: '/k.gpg' },
    ]);
  });
});
