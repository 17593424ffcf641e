/** `moec run MODEL`: one run of an entry, on the GPU, by the reference interpreter, or by the kernels on the CPU. */
import { Command, Option } from 'commander';
import type { NamedTensor } from './execution.ts';
import { checkWritable, writeFileAtomic } from './io.ts';
import { addRunOptions, executeOn, withRun, type RunOptions } from './run-options.ts';
import type { Session } from './session.ts';
import { bytesText, numberText, table } from './table.ts';

interface Options extends RunOptions {
  readonly output?: string;
}

export function runVerb(session: Session): Command {
  const verb = new Command('run')
    .summary('run a model')
    .description(
      'Runs an entry once. Results are named as the program names them, a single one without a name `output`; a route is written\n' +
        'dense as NAME, with NAME.indices and NAME.weights in order of rank; losses as loss.PATH, new states as state.PATH.',
    );
  return addRunOptions(verb)
    .option('--output <file>', 'where the results go (safetensors); without it a summary goes to stdout')
    .addOption(
      new Option('--on <where>', 'what runs it: never another one than named here')
        .choices(['gpu', 'reference', 'kernels'])
        .default('gpu'),
    )
    .action(async (modelFile: string, options: Options) => {
      session.stage = 'run';
      if (options.output !== undefined) await checkWritable(options.output);
      const results = await withRun(session, modelFile, options, false, (ready) => executeOn(options.on, ready));
      const { summary, tensorFile } = await import('./tensor-files.ts');
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
    });
}

/** The type as files of tensors call it. */
export function dtypeOf({ element }: NamedTensor): string {
  return element.toUpperCase();
}
