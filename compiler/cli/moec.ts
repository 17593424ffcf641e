#!/usr/bin/env node
/**
 * The command line: one verb a file, wired here and nowhere else.
 *
 * A verb loads what it needs when it runs, so that `moec --version` does not load the compiler. Exit codes are in exit.ts,
 * what goes to which stream in session.ts.
 */
import { Command, CommanderError } from 'commander';
import { checkVerb } from './check.ts';
import { compileVerb } from './compile.ts';
import { doctorVerb } from './doctor.ts';
import { exitCodes, runMain, usageError } from './exit.ts';
import { explainVerb } from './explain.ts';
import { fmtVerb } from './fmt.ts';
import { initVerb } from './init.ts';
import { inspectVerb } from './inspect.ts';
import { runVerb } from './run.ts';
import { Session } from './session.ts';
import { showText } from '../../dsl/diagnostics/columns.ts';
import { verifyVerb } from './verify.ts';
import { moecVersion as version } from '../version.ts';

function programOf(session: Session): Command {
  const program = new Command('moec')
    .description('Compiles Mixture-of-Experts models: a typed language in, WebGPU kernels and a typed module out.')
    .enablePositionalOptions()
    .version(version, '-V, --version')
    .addHelpText(
      'after',
      '\nExit codes: 0 good, 1 errors in the input, 2 usage, 3 environment, 4 device, 5 not verified, 70 bug of moec, 74 files.',
    )
    .hook('preAction', (_, verb) => {
      const options: { readonly json?: boolean } = verb.opts();
      session.json = options.json === true;
    });
  for (const verb of [
    initVerb,
    checkVerb,
    compileVerb,
    runVerb,
    verifyVerb,
    explainVerb,
    inspectVerb,
    fmtVerb,
    doctorVerb,
  ]) {
    program.addCommand(verb(session));
  }
  for (const command of everyCommand(program)) {
    command
      .exitOverride()
      .showHelpAfterError('(moec help tells more)')
      // Usage errors quote arguments. With --json they are the answer, told below.
      .configureOutput({ writeErr: (text) => void (session.json || process.stderr.write(showText(text))) });
  }
  return program;
}

function everyCommand(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(everyCommand)];
}

/** What commander says, without its `error: `; where it has shown the help instead, that a verb is wanted. */
function sentenceOf(error: CommanderError): string {
  return error.code === 'commander.help' ? 'a verb is wanted' : error.message.replace(/^error: /, '').trim();
}

const session = new Session();
// A call that cannot be read has still said how it wants to be answered.
const ownArguments = process.argv.slice(2);
session.json = ownArguments.slice(0, ownArguments.indexOf('--') >>> 0).includes('--json');

await runMain(
  async () => {
    try {
      await programOf(session).parseAsync();
    } catch (error) {
      if (!(error instanceof CommanderError)) throw error;
      if (error.exitCode === 0) return;
      if (session.json) throw usageError(sentenceOf(error), 'moec help tells more');
      // Commander has printed the help or what is wrong already.
      process.exitCode = exitCodes.usage;
    }
  },
  (error) => session.report(error),
);
