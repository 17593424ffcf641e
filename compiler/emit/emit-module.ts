/**
 * The files of a compiled model: an ES module, those of classes of devices, its types, and its manifest. Text is a function of the manifest and the
 * shaders alone, byte for byte. Names of the program appear as data (JSON) or, where TypeScript needs a name, through
 * `typeName` and quoted keys: nothing a program says can become code.
 */
import type {
  AxisSpec,
  EntrySpec,
  Manifest,
  ManifestElement,
  ResultSpec,
  SizeFormula,
  VariableSpec,
} from '../../runtime/contract/manifest.ts';
import { at } from '../../dsl/diagnostics/invariants.ts';
import { type ClassTexts, textsByClass } from './class-texts.ts';

export interface EmittedFile {
  readonly path: string;
  readonly text: string;
}

/** A JSON text that is also harmless inside a script: no line separators, no `</`, no `__proto__` keys by design. */
export function jsonLiteral(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent)
    .replaceAll('\u2028', '\\u2028')
    .replaceAll('\u2029', '\\u2029')
    .replaceAll('</', '<\\/');
}

const made = ({ moec }: Manifest): string =>
  `// Compiled by moec ${moec}. Made by a machine: compile the model again instead of editing.`;

/**
 * `runtime` is how the module names the runtime: `moec/runtime`, or a path beside it. The module itself comes after the files that
 * it loads.
 */
export function emitModule(
  manifest: Manifest,
  shaders: readonly string[],
  runtime: string,
  stem: string,
): readonly EmittedFile[] {
  const { portable, classes } = textsByClass(manifest);
  return [
    { path: `${stem}.d.ts`, text: emitTypes(manifest, runtime) },
    { path: `${stem}.manifest.json`, text: `${JSON.stringify(manifest, null, 1)}\n` },
    ...classes.map((own) => ({ path: classFile(stem, own), text: emitClass(manifest, shaders, own) })),
    { path: `${stem}.js`, text: emitScript(manifest, shaders.slice(0, portable), classes, runtime, stem) },
  ];
}

function emitScript(
  manifest: Manifest,
  portable: readonly string[],
  classes: readonly ClassTexts[],
  runtime: string,
  stem: string,
): string {
  const loaders = classes.map(
    (own) => `  ${jsonLiteral(own.name)}: () => import(${specifier(classFile(stem, own))}),\n`,
  );
  return `${made(manifest)}
import { createModel, planMemory } from ${jsonLiteral(runtime)};

/** Everything the model is, as data. */
export const manifest = ${jsonLiteral(manifest)};

/** WGSL of the kernels that run on every device, by number. */
export const shaders = [
${portable.map((s) => jsonLiteral(s)).join(',\n')}
];

/** WGSL of kernels for classes of devices, loaded when a model is made on one. */
const classes = {
${loaders.join('')}};

/** What to ask of a device: requestDevice({ requiredFeatures, requiredLimits }). */
export const requiredFeatures = manifest.requiredFeatures;
export const requiredLimits = manifest.requiredLimits;

/** Bytes of the model with one run, before anything is allocated. */
export function plan(options) {
  return planMemory(manifest, options);
}

/** Makes the model on a device, with its weights. */
export function create(options) {
  return createModel(manifest, shaders, options, classes);
}
`;
}

/** The texts that a class of devices runs besides, as the runtime takes them (`ClassShaders`). */
function emitClass(manifest: Manifest, shaders: readonly string[], { name, shaders: own }: ClassTexts): string {
  const texts = own.map((i) => `  ${i}: ${jsonLiteral(at(shaders, i, 'manifest: shader'))},\n`);
  return `${made(manifest)}
/** Of the compilation that the module beside this file is of. */
export const hash = ${jsonLiteral(manifest.hash)};

/** WGSL of the kernels for devices of the class ${name}, by number. */
export const shaders = {
${texts.join('')}};
`;
}

const classFile = (stem: string, { name }: ClassTexts): string => `${stem}.${name}.js`;

/** A file beside a module as the module names it. Files may be named with what means something else in a URL. */
function specifier(file: string): string {
  return jsonLiteral(`./${file.replace(/[%#?]/g, encodeURIComponent)}`);
}

function emitTypes(manifest: Manifest, runtime: string): string {
  const from = jsonLiteral(runtime);
  const model = typeName(manifest.name);
  const entries = manifest.entries.map((entry) => emitEntry(entry)).join('\n');
  const runs = manifest.entries
    .map((entry) => {
      const name = typeName(entry.name);
      const choice =
        manifest.entries.length === 1 || entry.name === 'forward'
          ? `entry?: ${jsonLiteral(entry.name)}`
          : `entry: ${jsonLiteral(entry.name)}`;
      return `  run(inputs: ${name}Inputs, options?: RunOptions & { readonly ${choice} }): Promise<ResultsOf<${name}Results>>;`;
    })
    .join('\n');
  const variables = manifest.stores.map((s) => ` * - ${describeVariable(s)}`).join('\n');
  return `${made(manifest)}
import type { CreateOptions, InputValue, Manifest, MemoryPlan, Model, Route, RunOptions, RunResult, Tensor } from ${from};

/** A tensor with its element type and shape; the labels of the tuple are its axes, outermost first. */
export type TensorOf<E extends Tensor['element'], S extends readonly number[]> = Tensor & { readonly element: E; readonly shape: S };

/** A run's results by name. */
export type ResultsOf<R> = Omit<RunResult, 'results'> & {
  readonly results: Omit<RunResult['results'], 'get'> & { get<K extends keyof R & string>(name: K): R[K] };
};

${entries}
/**
 * The model ${manifest.name} on a device. Its params, states and controls:
${variables === '' ? ' * none' : variables}
 */
export interface ${model} extends Omit<Model, 'run'> {
${runs}
}

export declare const manifest: Manifest;
/** WGSL of the kernels that run on every device. */
export declare const shaders: readonly string[];
export declare const requiredFeatures: readonly GPUFeatureName[];
export declare const requiredLimits: Record<string, number>;
export declare function plan(options?: {
  readonly entry?: ${manifest.entries.map((e) => jsonLiteral(e.name)).join(' | ') || 'never'};
  readonly sizes?: { ${manifest.dynamic.map((d) => `readonly ${jsonLiteral(d)}?: number`).join('; ')} };
  readonly full?: boolean;
}): MemoryPlan;
export declare function create(options: CreateOptions): Promise<${model}>;
`;
}

function emitEntry(entry: EntrySpec): string {
  const name = typeName(entry.name);
  const inputs = entry.inputs.map(
    (i) => `  /** ${describe(i.element, i.axes)} */\n  readonly ${jsonLiteral(i.name)}: InputValue;`,
  );
  const results = entry.full.results
    .filter((r) => r.group === 'result')
    .map((r) => `  /** ${describeResult(r)} */\n  readonly ${jsonLiteral(r.name)}: ${resultType(r)};`);
  const more = entry.full.results
    .filter((r) => r.group === 'loss' || r.group === 'output')
    .map((r) => ` * - ${r.group} ${comment(r.name)}: ${describeResult(r)}`);
  return `/** What \`${comment(entry.name)}\` takes. */
export interface ${name}Inputs {
${inputs.join('\n')}
}

/**
 * What \`${comment(entry.name)}\` returns.${more.length === 0 ? '' : ` When asked for, also:\n${more.join('\n')}`}
 */
export interface ${name}Results {
${results.join('\n')}
}
`;
}

function resultType(result: ResultSpec): string {
  if (result.kind === 'route') return "Route & { readonly kind: 'route' }";
  const shape = result.axes
    .map((a) => `${label(a.name)}: ${typeof a.size === 'number' ? a.size : 'number'}`)
    .join(', ');
  return `TensorOf<${jsonLiteral(result.element)}, readonly [${shape}]> & { readonly kind: 'tensor' }`;
}

function describe(element: ManifestElement, axes: readonly AxisSpec[]): string {
  return `${element}[${axes.map(describeAxis).join(', ')}]`;
}

function describeAxis(axis: AxisSpec): string {
  return axis.size === axis.name ? comment(axis.name) : `${comment(axis.name)} = ${formula(axis.size)}`;
}

function describeResult(result: ResultSpec): string {
  if (result.kind === 'tensor') return describe(result.element, result.axes);
  const list = (axes: readonly AxisSpec[]): string => axes.map(describeAxis).join(', ');
  return `route[${list(result.sources)} -> ${list(result.targets)}]${result.payload.length === 0 ? '' : ` of [${list(result.payload)}]`}, at most ${formula(result.most)} a source`;
}

function describeVariable(variable: VariableSpec): string {
  return `${variable.kind} ${comment(variable.path)}: ${describe(variable.element, variable.axes)}`;
}

function formula(size: SizeFormula): string {
  if (typeof size === 'number' || typeof size === 'string') return comment(String(size));
  if ('real' in size) return String(size.real);
  if ('numerator' in size) return `${size.numerator}/${size.denominator}`;
  return `${size.op}(${size.args.map(formula).join(', ')})`;
}

/** Names of a program are ASCII identifiers with primes; nothing else reaches a comment. */
function comment(text: string): string {
  return text.replace(/[^A-Za-z0-9_'.,()/ -]/g, '?').replaceAll('*/', '*?');
}

/** A tuple label: an identifier that is never a keyword. */
function label(name: string): string {
  return name
    .replaceAll("'", '_prime')
    .replace(/[^A-Za-z0-9_]/g, '_')
    .replace(/^(?=[a-z])/, '_');
}

/** `forward` → `Forward`; never a word of TypeScript, which begin in lower case. */
function typeName(name: string): string {
  const clean = name.replace(/[^A-Za-z0-9_]/g, '_');
  const first = clean.charAt(0);
  return /[a-z]/.test(first)
    ? first.toUpperCase() + clean.slice(1)
    : /[A-Z]/.test(first) && !reserved.has(clean)
      ? clean
      : `M_${clean}`;
}

/** Names the types file uses itself. */
const reserved = new Set([
  'TensorOf',
  'ResultsOf',
  'CreateOptions',
  'InputValue',
  'Manifest',
  'MemoryPlan',
  'Model',
  'Route',
  'RunOptions',
  'RunResult',
  'Tensor',
  'Record',
  'Omit',
  'Promise',
  'GPUFeatureName',
]);
