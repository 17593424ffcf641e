/**
 * The verbs of the command line as a table: names, summaries, arguments and options, and which function each one calls. Its module
 * is loaded when it is called, so that `moec --version` and `moec --help` load nothing but this.
 */
import type { Command } from 'commander';
import { stages } from '../stages.ts';
import type { Session } from './terminal/session.ts';

export interface ArgumentRow {
  readonly name: string;
  readonly text: string;
  readonly default?: string;
}

export interface OptionRow {
  readonly flags: string;
  readonly text?: string;
  /**
   * How a value is read: `list`, the texts of an option that may stand several times; `names`, the same with commas between;
   * a whole number from 0; a seed, which has 32 bits. A text (or a flag, by its name) where nothing is said.
   */
  readonly value?: 'list' | 'names' | 'whole number' | 'seed';
  readonly choices?: readonly string[];
  readonly default?: string | number | readonly string[];
  /** How the help shows the default. */
  readonly shown?: string;
  readonly hidden?: true;
}

/** A session, made when a verb is called. */
export type OpenSession = () => Promise<Session>;

export interface VerbRow {
  readonly name: string;
  readonly summary?: string;
  readonly description?: string;
  readonly arguments: readonly ArgumentRow[];
  readonly options: readonly OptionRow[];
  readonly verbs?: readonly VerbRow[];
  /** What commander calls with the arguments and the options. */
  readonly action: (open: OpenSession) => Parameters<Command['action']>[0];
}

/** Sizes that a run decides, where nobody says them. */
export const usualSize = 16;

const model: ArgumentRow = { name: '<model>', text: 'a .moe file' };
const set: OptionRow = {
  flags: '--set <name=value>',
  text: 'a size or constant of the model; may stand several times',
  value: 'list',
  default: [],
  shown: 'none',
};
const modelName: OptionRow = { flags: '--model <name>', text: 'which model of the file, where there are several' };
const root: OptionRow = {
  flags: '--root <dir>',
  text: 'the folder that imports stay below; by default that of the model file',
};
const target: OptionRow = { flags: '--target <name>', text: 'what the kernels are for', default: 'webgpu-core' };
const json = (text: string): OptionRow => ({ flags: '--json', text });
const names = (flags: string, text: string): OptionRow => ({ flags, text, value: 'names', default: [], shown: 'none' });

const schedule: OptionRow = {
  flags: '--schedule <file>',
  text: 'lower the schedules of this file, as --emit=schedule prints them, instead of those that costs decide',
};

const tuned: OptionRow = {
  flags: '--tuned <file>',
  text: 'decide as the records of this file say, which moec tune writes, where they are of this program',
};

const weights: OptionRow = {
  flags: '--weights <path>',
  text: 'a safetensors file, or the folder of a checkpoint',
};
const missing: OptionRow = {
  flags: '--missing <what>',
  text: 'params that the weights lack: error, or initialise for those that have an initial value',
  choices: ['error', 'initialise'],
  default: 'error',
};
const entry: OptionRow = { flags: '--entry <name>', text: 'which entry to run; forward by default' };
const externs: OptionRow = {
  flags: '--extern <file>',
  text: 'a module whose exports are the functions of the host',
};
const seed: OptionRow = { flags: '--seed <number>', text: 'of draws', value: 'seed', default: 0 };
const clock: OptionRow = {
  flags: '--by <clock>',
  text: 'what times launches; by default timestamps where there are any',
  choices: ['timestamps', 'submissions'],
};

/** Of `run`, `verify` and `profile`. */
const runOptions: readonly OptionRow[] = [
  { flags: '--input <file>', text: 'inputs by parameter name, and controls by path (safetensors)' },
  weights,
  missing,
  entry,
  modelName,
  root,
  set,
  { flags: '--state <file>', text: 'values of states, as an earlier run wrote them' },
  { flags: '--losses', text: 'losses too, as loss.PATH' },
  { flags: '--outputs', text: 'outputs too, by path' },
  externs,
  seed,
  { flags: '--random', text: 'draw the inputs that are not given, and without --weights the parameters' },
  {
    flags: '--size <axis=n>',
    text: 'the size of an axis that no input shows, or with --random of any axis of the run; may stand several times',
    value: 'list',
    default: [],
    shown: `${usualSize} each with --random`,
  },
  target,
  schedule,
  tuned,
  json('a summary as JSON on stdout'),
];

/** Of `explain kernels`, `explain memory` and `explain schedule`. */
const planOptions: readonly OptionRow[] = [
  modelName,
  root,
  set,
  {
    flags: '--size <axis=n>',
    text: 'size of an axis that a run decides, for the numbers; may stand several times',
    value: 'list',
    default: [],
    shown: `${usualSize} each`,
  },
  { flags: '--entry <name>', text: 'which entry; all by default' },
  { flags: '--losses', text: 'with losses, outputs and updates' },
  target,
  json('as JSON'),
];

export const verbs: readonly VerbRow[] = [
  {
    name: 'init',
    summary: 'write a first model',
    description:
      'Writes model.moe, a small Mixture-of-Experts layer with comments, and a README. Never overwrites a file.',
    arguments: [{ name: '[dir]', text: 'folder; made if it is not there', default: '.' }],
    options: [json('the names of the files as JSON')],
    action: later(async () => (await import('./verbs/init.ts')).init),
  },
  {
    name: 'check',
    summary: 'tell every mistake of a program',
    description:
      'Reads, parses and checks programs, with the sizes they have by default or are given, and tells every mistake of each\n' +
      'in one run.',
    arguments: [{ name: '<files...>', text: '.moe files' }],
    options: [modelName, root, set, json('diagnostics as JSON on stdout')],
    action: later(async () => (await import('./verbs/check-verb.ts')).check),
  },
  {
    name: 'compile',
    summary: 'compile a model to a module',
    description:
      'Writes DIR/NAME.js, an ES module with the kernels of a model, NAME.CLASS.js with those for devices of a class, which the\n' +
      'module loads there, NAME.d.ts with the types of its inputs and results, NAME.manifest.json, and the runtime. The text is\n' +
      'a function of the program and the options alone.',
    arguments: [model],
    options: [
      { flags: '-o, --out <dir>', text: 'where the module goes' },
      modelName,
      root,
      set,
      names('--entry <names>', 'only these entries'),
      target,
      {
        flags: '--runtime <specifier>',
        text: 'import the runtime from there (moec/runtime) instead of copying it beside the module',
      },
      names('--emit <stages>', `print stages to stdout: ${stages.join(', ')}`),
      { flags: '--stop-after <stage>', text: 'go no further', choices: stages },
      names('--print-after <passes>', 'print the graph after passes to stderr; all for every one'),
      names('--skip-pass <passes>', 'leave passes out'),
      {
        flags: '--pass-limit <n>',
        text: 'run only the first n passes: to find the one that breaks something',
        value: 'whole number',
      },
      schedule,
      tuned,
      { flags: '--time', text: 'say how long each stage took' },
      json('what was written, and diagnostics, as JSON on stdout'),
    ],
    action: later(async () => (await import('./verbs/compile-verb.ts')).compile),
  },
  {
    name: 'run',
    summary: 'run a model',
    description:
      'Runs an entry once. Results are named as the program names them, a single one without a name `output`; a route is written\n' +
      'dense as NAME, with NAME.indices and NAME.weights in order of rank; losses as loss.PATH, new states as state.PATH.',
    arguments: [model],
    options: [
      ...runOptions,
      {
        flags: '--output <file>',
        text: 'where the results go (safetensors); without it a summary goes to stdout',
      },
      {
        flags: '--on <where>',
        text: 'what runs it: never another one than named here',
        choices: ['gpu', 'reference', 'kernels'],
        default: 'gpu',
      },
    ],
    action: later(async () => (await import('./verbs/run-verb.ts')).run),
  },
  {
    name: 'verify',
    summary: 'compare a run launch by launch, and its results with the reference',
    description:
      'Runs an entry on the GPU and compares every value in memory with what its own inputs make it in that run, by a bound derived\n' +
      'for every number; then the results by the reference interpreter, which evaluates the program by definition in float64.\n' +
      'Exit code 1 if any is off, with the first launch that is wrong and its place. Exit code 5 if something could not be\n' +
      'verified: nothing of it was compared, its bounds are near its own size, or numbers left the range of f32.',
    arguments: [model],
    options: [
      ...runOptions,
      { flags: '--on <where>', text: 'what is compared', choices: ['gpu', 'kernels'], default: 'gpu' },
    ],
    action: later(async () => (await import('./verbs/verify-verb.ts')).verify),
  },
  {
    name: 'profile',
    summary: 'time the launches of a run',
    description:
      'Runs an entry on the GPU and tells of each launch how long it takes, its share, what it does and touches, and how near that\n' +
      'comes to what the device reaches at most, measured in the same sitting. By timestamps where the adapter has them, else by a\n' +
      'submission for each launch.',
    arguments: [model],
    options: [
      ...runOptions,
      { flags: '--runs <number>', text: 'how often; medians are told', value: 'whole number', default: 5 },
      clock,
      { flags: '--trace <file>', text: 'one run in the trace event format, for chrome://tracing and Perfetto' },
      { flags: '--html <file>', text: 'one page with all of it' },
    ],
    action: later(async () => (await import('./verbs/profile-verb.ts')).profileModel),
  },
  {
    name: 'tune',
    summary: 'find a faster schedule on this machine',
    description:
      'Tries on the adapter at hand what the schedule of an entry may decide otherwise without adding up any sum in another order, and\n' +
      'appends to a file what is faster than the default beyond noise, for each combination of sizes. Launches near what the device\n' +
      'reaches at most, measured first, are left alone. --tuned takes the file. Ctrl-C keeps what has been found.',
    arguments: [model],
    options: [
      {
        flags: '--sizes <axis=n,...>',
        text: 'sizes of an axis that a run decides, each measured separately; may stand several times, for other axes',
        value: 'list',
        default: [],
        shown: `${usualSize} each`,
      },
      {
        flags: '-o, --out <file>',
        text: 'where records go, behind those that are there; NAME.tuned.jsonl beside the model by default',
      },
      { flags: '--budget <seconds>', text: 'how long something new is tried', value: 'whole number', default: 60 },
      weights,
      missing,
      entry,
      modelName,
      root,
      set,
      {
        flags: '--losses',
        text: 'the schedule with losses, outputs and updates, as run and verify have it, not that of results',
      },
      externs,
      seed,
      clock,
      target,
      json('what was found as JSON on stdout'),
    ],
    action: later(async () => (await import('./verbs/tune-verb.ts')).tuneModel),
  },
  {
    name: 'explain',
    summary: 'explain a diagnostic, or the kernels, the memory or the schedule of a model',
    description: 'Explains a diagnostic by its code; without a code, lists them all.',
    arguments: [{ name: '[code]', text: 'MOE and four digits' }],
    options: [json('as JSON')],
    verbs: [
      {
        name: 'kernels',
        description:
          'Lists the launches of a run: kernel, the points it runs over, work and bytes, as formulas and as numbers.',
        arguments: [model],
        options: planOptions,
        action: later(async () => (await import('./verbs/explain-plan.ts')).explainKernels),
      },
      {
        name: 'memory',
        description: 'Lists the buffers of a run: what each holds, how large it is, and which share memory.',
        arguments: [model],
        options: planOptions,
        action: later(async () => (await import('./verbs/explain-plan.ts')).explainMemory),
      },
      {
        name: 'schedule',
        description:
          'Says of each launch of a run what it leaves in memory, who reads that, how much it is, and why it is not computed where it\n' +
          'is read: the reason that the compiler had, from a closed list.',
        arguments: [model],
        options: planOptions,
        action: later(async () => (await import('./verbs/explain-schedule.ts')).explainSchedule),
      },
    ],
    action: later(async () => (await import('./verbs/explain.ts')).explain),
  },
  {
    name: 'inspect',
    summary: 'list the tensors of a checkpoint',
    description:
      'Lists the tensors of a safetensors file, or of a folder of them: type, shape, bytes. Reads headers only.',
    arguments: [{ name: '<path>', text: 'a .safetensors file, or a folder of a checkpoint' }],
    options: [{ flags: '--match <text>', text: 'only tensors whose name contains this' }, json('the list as JSON')],
    action: later(async () => (await import('./verbs/inspect.ts')).inspect),
  },
  {
    name: 'fmt',
    summary: 'lay out programs',
    description: 'Rewrites programs in their canonical layout. A file with syntax errors is left as it is.',
    arguments: [{ name: '<files...>', text: '.moe files, or - for stdin to stdout' }],
    options: [
      { flags: '--check', text: 'change nothing; exit with 1 if a file is not laid out' },
      json('what was done as JSON on stdout'),
    ],
    action: later(async () => (await import('./verbs/fmt.ts')).fmt),
  },
  {
    name: 'doctor',
    summary: 'look at the machine',
    description:
      'Says which GPU adapter a run would use, with its features and limits, and what to install if there is none.',
    arguments: [],
    options: [json('everything as JSON'), { flags: '--probe', hidden: true }],
    action: later(async () => (await import('./verbs/doctor.ts')).doctor),
  },
];

/** What a verb calls, loaded when it is called, with the session in front. */
function later<A extends readonly unknown[]>(
  load: () => Promise<(session: Session, ...args: A) => Promise<void> | void>,
): (open: OpenSession) => (...args: A) => Promise<void> {
  return (open) =>
    async (...args) => {
      const call = await load();
      await call(await open(), ...args);
    };
}
