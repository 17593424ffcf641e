#!/usr/bin/env node
/**
 * The command line: the table of its verbs (verbs.ts) as commander takes it, and nothing else.
 *
 * Nothing is imported that the help and the version do not need: a verb, the session and what tells failures are loaded when they are
 * called, and a test counts. Exit codes are in exit.ts, what goes to which stream in session.ts.
 */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { moecVersion } from '../version.ts';
import { exitCodes, runMain } from './terminal/exit.ts';
import type { Session } from './terminal/session.ts';
import { verbs, type OptionRow, type VerbRow } from './verbs.ts';

/** What commander says of a wrong call; told when the call has ended. */
const complaints: string[] = [];

// A call that cannot be read has still said how it wants to be answered.
const ownArguments = process.argv.slice(2);
let json = ownArguments.slice(0, ownArguments.indexOf('--') >>> 0).includes('--json');
let session: Session | null = null;

async function openSession(): Promise<Session> {
  if (session === null) {
    const { Session } = await import('./terminal/session.ts');
    session = new Session(json);
  }
  return session;
}

function programOf(): Command {
  const program = new Command('moec')
    .description('Compiles Mixture-of-Experts models: a typed language in, WebGPU kernels and a typed module out.')
    .enablePositionalOptions()
    .version(moecVersion, '-V, --version')
    .addHelpText(
      'after',
      '\nExit codes: 0 good, 1 errors in the input, 2 usage, 3 environment, 4 device, 5 not verified, 70 bug of moec, 74 files.',
    )
    .hook('preAction', (_, verb) => {
      const options: { readonly json?: boolean } = verb.opts();
      json = options.json === true;
    });
  for (const row of verbs) program.addCommand(commandOf(row));
  for (const command of everyCommand(program)) {
    command
      .exitOverride()
      .showHelpAfterError('(moec help tells more)')
      .configureOutput({ writeErr: (text) => void complaints.push(text) });
  }
  return program;
}

function commandOf(row: VerbRow): Command {
  const command = new Command(row.name);
  if (row.summary !== undefined) command.summary(row.summary);
  if (row.description !== undefined) command.description(row.description);
  for (const argument of row.arguments) command.argument(argument.name, argument.text, argument.default);
  for (const option of row.options) command.addOption(optionOf(option));
  // As for moec itself: --json belongs to the verb it follows, be it `explain` or one of its own.
  if (row.verbs !== undefined) command.enablePositionalOptions();
  for (const inner of row.verbs ?? []) command.addCommand(commandOf(inner));
  return command.action(row.action(openSession));
}

function optionOf(row: OptionRow): Option {
  const option = new Option(row.flags, row.text);
  switch (row.value) {
    case undefined:
      break;
    case 'list':
      option.argParser(collect);
      break;
    case 'names':
      option.argParser(collectNames);
      break;
    case 'whole number':
      option.argParser(wholeNumber);
      break;
    case 'seed':
      option.argParser(seedNumber);
      break;
  }
  if (row.choices !== undefined) option.choices(row.choices);
  if (row.default !== undefined) option.default(row.default, row.shown);
  return row.hidden === true ? option.hideHelp() : option;
}

/** Gathers the values of an option that may stand several times. */
function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

/** `a,b` and repeated options alike. */
function collectNames(value: string, before: readonly string[]): readonly string[] {
  const names = value.split(',').map((name) => name.trim());
  return [...before, ...names.filter((name) => name !== '')];
}

/** A whole number from 0 on. */
function wholeNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) throw new InvalidArgumentError('a whole number is wanted');
  return value;
}

/** A whole number of 32 bits, as draws are seeded with. */
function seedNumber(text: string): number {
  const value = wholeNumber(text);
  if (value >= 2 ** 32) throw new InvalidArgumentError('a whole number below 2^32 is wanted');
  return value;
}

function everyCommand(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(everyCommand)];
}

/** What commander says, without its `error: `; where it has shown the help instead, that a verb is wanted. */
function sentenceOf(error: CommanderError): string {
  return error.code === 'commander.help' ? 'a verb is wanted' : error.message.replace(/^error: /, '').trim();
}

/** A call that commander cannot read. It quotes arguments: what could steer a terminal is shown by its number. */
async function refuse(error: CommanderError): Promise<void> {
  if (json) {
    const { usageError } = await import('./terminal/cli-error.ts');
    throw usageError(sentenceOf(error), 'moec help tells more');
  }
  const { showText } = await import('../../dsl/diagnostics/columns.ts');
  process.stderr.write(complaints.map(showText).join(''));
  process.exitCode = exitCodes.usage;
}

/** Tells a failure; gives its exit code. */
async function fail(error: unknown): Promise<number> {
  const session = await openSession();
  const { CliError } = await import('./terminal/cli-error.ts');
  if (error instanceof CliError && error.exitCode !== exitCodes.internal && error.cause === undefined) {
    session.tellFailure(error);
    return error.exitCode;
  }
  const { tellAnyFailure } = await import('./terminal/failures.ts');
  return tellAnyFailure(session, error);
}

await runMain(async () => {
  try {
    await programOf().parseAsync();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode !== 0) await refuse(error);
  }
}, fail);
