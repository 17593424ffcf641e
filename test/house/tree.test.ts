/** Rules of the tree that a reader relies on, and that nobody should have to remember. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { moecVersion } from '../../compiler/version.ts';
import { catalogue } from '../../dsl/diagnostics/catalogue.ts';
import { errorCodes } from '../../runtime/contract/errors.ts';
import { allFiles, root, sourceFiles } from './files.ts';

const read = (file: string): string => readFileSync(join(root, file), 'utf8');

describe('the tree', () => {
  it('has only the agreed folders at the top', () => {
    const folders = new Set(
      allFiles()
        .filter((f) => f.includes('/'))
        .map((f) => f.split('/')[0] ?? ''),
    );
    const own = [...folders].filter((f) => !f.startsWith('.'));
    expect(own.toSorted()).toEqual(['compiler', 'dsl', 'examples', 'runtime', 'test']);
  });

  it('names no absolute path of a machine', () => {
    const text = allFiles().filter(
      (f) => /\.(ts|mjs|md|json|moe|yml|sh)$|^\.ci\//.test(f) && f !== 'package-lock.json',
    );
    const pattern = new RegExp(`(^|[^A-Za-z0-9_.])/(${['work', 'farm', 'root', 'home', 'opt'].join('|')})/[a-z]`);
    expect(text.filter((f) => pattern.test(read(f)))).toEqual([]);
  });

  it('silences no type', () => {
    const forbidden = /\bas any\b|: any\b(?! )|<any>|@ts-ignore|@ts-expect-error|as unknown as/;
    const broken = sourceFiles(['dsl', 'compiler', 'runtime']).filter((f) =>
      read(f)
        .split('\n')
        .some((line) => forbidden.test(line) && !/^\s*(\*|\/\/)/.test(line)),
    );
    expect(broken).toEqual([]);
  });

  it('begins every module with what it is for', () => {
    const broken = sourceFiles(['dsl', 'compiler', 'runtime']).filter((f) => !/^(#!.*\n)?\/\*\*/.test(read(f)));
    expect(broken).toEqual([]);
  });

  it('names no published system in the compiler or the language', () => {
    const systems = /mixtral|deepseek|qwen|olmoe|pangu|rexmoe|llama|gpt-?oss|moe\+\+|hunyuan|granite|jamba/i;
    const code = sourceFiles(['dsl', 'compiler', 'runtime']).filter((f) => f !== 'compiler/cli/verbs/init.ts');
    const broken = code.flatMap((f) =>
      read(f)
        .split('\n')
        .filter(
          (line) => systems.test(line) && !/^\s*(\/?\*|\/\/)/.test(line) && !/\/\/.*$/.exec(line)?.[0].match(systems),
        )
        .map((line) => `${f}: ${line.trim()}`),
    );
    expect(broken).toEqual([]);
  });

  it('spells WGSL in one place', () => {
    const broken = sourceFiles(['compiler', 'dsl', 'runtime']).filter(
      (f) => !f.startsWith('compiler/wgsl/') && /@compute|var<storage|@group\(/.test(read(f)),
    );
    expect(broken).toEqual([]);
  });

  it('has one version', () => {
    const { version } = JSON.parse(read('package.json')) as { version: string };
    expect(moecVersion).toBe(version);
  });

  it('knows every code of the runtime in the catalogue', () => {
    const missing = Object.keys(errorCodes).filter((code) => !(code in catalogue));
    expect(missing).toEqual([]);
  });

  it('says in ARCHITECTURE.md what every room is', () => {
    const text = read('ARCHITECTURE.md');
    expect(text.split('\n').length).toBeLessThanOrEqual(150);
    for (const top of ['dsl', 'compiler']) {
      for (const entry of readdirSync(join(root, top), { withFileTypes: true })) {
        if (entry.isDirectory()) expect(text, `${top}/${entry.name}`).toContain(`${top}/${entry.name}`);
      }
    }
  });

  it('has a model, a README, a picture and a golden mapping for every example', () => {
    const folders = readdirSync(join(root, 'examples'), { withFileTypes: true }).filter((e) => e.isDirectory());
    for (const { name } of folders) {
      for (const file of ['model.moe', 'README.md', 'flow.svg', 'golden.json']) {
        expect(existsSync(join(root, 'examples', name, file)), `examples/${name}/${file}`).toBe(true);
      }
    }
    expect(folders.length).toBeGreaterThanOrEqual(14);
  });
});
