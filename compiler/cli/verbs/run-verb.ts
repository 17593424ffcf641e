/** `moec run MODEL`: one run of an entry, on the GPU, by the reference interpreter, or by the kernels on the CPU. */
import type { NamedTensor } from '../running/execution.ts';
import { checkWritable, writeFileAtomic } from '../terminal/io.ts';
import { executeOn, withRun, type RunVerbOptions } from '../running/run-options.ts';
import type { Session } from '../terminal/session.ts';
import { bytesText, numberText, table } from '../terminal/text-table.ts';

interface Options extends RunVerbOptions {
  readonly output?: string;
}

/** Throws CliError and the runtime's errors. */
export async function run(session: Session, modelFile: string, options: Options): Promise<void> {
  session.stage = 'run';
  if (options.output !== undefined) await checkWritable(options.output);
  const results = await withRun(session, modelFile, options, false, (ready) => executeOn(options.on, ready));
  const { summary, tensorFile } = await import('../running/tensor-files.ts');
  if (options.output !== undefined) {
    const bytes = tensorFile(results);
    await writeFileAtomic(options.output, bytes);
    if (!session.json) session.say(`wrote ${options.output}: ${results.size} tensors, ${bytesText(bytes.length)}`);
  }
  if (session.json) {
    const tensors = [...results].map(([name, t]) => ({ name, dtype: dtypeOf(t), shape: t.shape, ...summary(t) }));
    session.outJson({ ok: true, on: options.on, output: options.output ?? null, tensors, diagnostics: [] });
  } else if (options.output === undefined) {
    const rows = [...results].map(([name, t]) => {
      const { min, mean, max } = summary(t);
      return [name, dtypeOf(t), `[${t.shape.join(', ')}]`, numberText(min), numberText(mean), numberText(max)];
    });
    const aligns = ['left', 'left', 'left', 'right', 'right', 'right'] as const;
    session.out(`${table(['name', 'type', 'shape', 'min', 'mean', 'max'], rows, aligns).join('\n')}\n`);
  }
}

/** The type as files of tensors call it. */
export function dtypeOf({ element }: NamedTensor): string {
  return element.toUpperCase();
}
