/** A form of a class is written once for launches that are alike, and is for each of them what would be written for it. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { elaborate } from '../../compiler/elaborate/elaborate.ts';
import { analyse } from '../../compiler/front-end.ts';
import { optimise } from '../../compiler/passes/pass-list.ts';
import { KernelTable, type BoundKernel } from '../../compiler/schedule/emitting/kernel-table.ts';
import { schedule } from '../../compiler/schedule/schedule.ts';
import { webgpuCore } from '../../compiler/target.ts';
import type { SourceFile } from '../../dsl/diagnostics/source-file.ts';

/** Writes every form anew that it already has, and compares. */
class ComparingTable extends KernelTable {
  again = 0;

  override form(...[launch, of, shape, write]: Parameters<KernelTable['form']>): BoundKernel {
    let isFirst = false;
    const form = super.form(launch, of, shape, () => {
      isFirst = true;
      return write();
    });
    if (isFirst) return form;
    this.again += 1;
    const { kernel, buffers, uniforms } = write();
    expect(form).toEqual({ kernel, buffers, uniforms });
    return form;
  }
}

/** Lists by expert, dense rows, packed slots, several heads and layers, and plans with losses beside those without. */
const examples = ['moe-plus-plus', 'expert-choice', 'deepseek-v3', 'soft-moe', 'rexmoe', 'chain-of-experts'];

it.each(examples)('of %s', (name) => {
  const read = (file: string): SourceFile => ({
    name: file,
    text: readFileSync(fileURLToPath(new URL(`../../examples/${name}/${file}`, import.meta.url)), 'utf8'),
  });
  const { program } = analyse(read('model.moe'), { resolve: read });
  if (program === null) throw new Error(`${name} is not well formed`);
  const table = new ComparingTable();
  const { entries } = elaborate(program, { overrides: new Map() }, () => undefined);
  for (const { inference, withAux } of entries)
    for (const graph of new Set([inference, withAux])) schedule(optimise(graph), webgpuCore, { kernels: table });
  expect(table.again).toBeGreaterThan(0);
});
