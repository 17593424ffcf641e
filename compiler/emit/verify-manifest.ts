/**
 * The verifier of manifests: every number in one is an index into a list that has so many, and what a launch binds is what its kernel
 * declares. The runtime takes a manifest at its word, so this is the last place where a mistake of ours has a name.
 */
import { verified } from '../../dsl/diagnostics/bug.ts';
import type {
  BufferSpec,
  EntrySpec,
  FaultSpec,
  Manifest,
  PlanSpec,
  ResultSpec,
  SizeFormula,
  StepSpec,
} from '../../runtime/contract/manifest.ts';
import { portableTexts, regimesOf } from './class-texts.ts';

export function verifyManifest(manifest: Manifest, shaders: readonly string[]): void {
  verified('manifest', `the manifest of ${manifest.name}`, manifestFaults(manifest, shaders));
}

/** What is wrong with a manifest, one sentence each; empty if nothing is. */
export function manifestFaults(manifest: Manifest, shaders: readonly string[]): readonly string[] {
  const paths = manifest.stores.map((s) => s.path);
  return [
    ...repeated('entry', manifest.entries.map((e) => e.name)), // prettier-ignore
    ...repeated('store', paths),
    ...manifest.kernels.flatMap((k) => within(k.shader, shaders.length, `shader of kernel ${k.name}`)),
    ...shaders.flatMap((_, i) => (manifest.kernels.some((k) => k.shader === i) ? [] : [`no kernel has shader ${i}`])),
    ...misplacedTexts(manifest),
    ...undeclaredSizes(manifest),
    ...manifest.entries.flatMap((entry) => [
      ...regimeFaults(manifest, entry.plan, entry, entry.name),
      ...(entry.full === entry.plan ? [] : regimeFaults(manifest, entry.full, entry, `${entry.name}, in full`)),
    ]),
    ...manifest.stores.flatMap(({ path, initial }) =>
      initial?.kind === 'plan' ? planFaults(manifest, initial.plan, null, `initial value of ${path}: `) : [],
    ),
  ];
}

/** Of a plan and of the one for few rows, which gives the same results and takes nothing more. */
function regimeFaults(manifest: Manifest, plan: PlanSpec, entry: EntrySpec, where: string): readonly string[] {
  const own = planFaults(manifest, plan, entry, `${where}: `);
  if (plan.few === undefined) return own;
  const { when, plan: few } = plan.few;
  const inFew = `${where}, for few rows: `;
  const resultsOf = ({ results }: PlanSpec): string => results.map(({ group, name }) => `${group} ${name}`).join(', ');
  const given = new Set(plan.buffers.map(givenKey));
  return [
    ...own,
    ...planFaults(manifest, few, entry, inFew),
    ...(when.length === 0 ? [`${inFew}no size says when`] : []),
    ...(few.few === undefined ? [] : [`${inFew}it has another one`]),
    ...(resultsOf(few) === resultsOf(plan) ? [] : [`${inFew}its results are ${resultsOf(few)}`]),
    ...few.buffers.flatMap((buffer) => (given.has(givenKey(buffer)) ? [] : [`${inFew}only it takes ${buffer.label}`])),
  ];
}

/** What tells what a run is given apart; null of what it is not. */
function givenKey(buffer: BufferSpec): string | null {
  if (buffer.kind === 'input') return `input ${buffer.input}`;
  return buffer.kind === 'store' ? `store ${buffer.store}` : null;
}

function planFaults(manifest: Manifest, plan: PlanSpec, entry: EntrySpec | null, where: string): readonly string[] {
  const faults: string[] = [];
  for (const buffer of plan.buffers) {
    if (buffer.kind === 'scratch') faults.push(...within(buffer.slot, plan.slots, `slot of ${buffer.label}`));
    if (buffer.kind === 'input')
      faults.push(...within(buffer.input, entry?.inputs.length ?? 0, `input of ${buffer.label}`));
    if (buffer.kind === 'store')
      faults.push(...within(buffer.store, manifest.stores.length, `store of ${buffer.label}`));
  }
  const controls = new Set(manifest.stores.flatMap((s) => (s.kind === 'control' ? [s.path] : [])));
  for (const step of plan.steps) {
    faults.push(...formsOf(step).flatMap((form) => stepFaults(manifest, plan, form)));
    if (step.kind === 'launch' && step.unless !== null && !controls.has(step.unless))
      faults.push(`${step.label} is for ${step.unless}, which is no control`);
  }
  for (const result of plan.results) {
    for (const buffer of buffersOf(result))
      faults.push(...within(buffer, plan.buffers.length, `buffer of ${result.name}`));
    if (result.group === 'update' && !manifest.stores.some((s) => s.kind === 'state' && s.path === result.name))
      faults.push(`an update is for ${result.name}, which is no state`);
  }
  if (plan.status.length > 0 && !plan.buffers.some((b) => b.kind === 'status')) faults.push('faults have no words');
  faults.push(...plan.status.flatMap((fault) => faultFaults(fault, controls)));
  return faults.map((fault) => where + fault);
}

/** Modules have the texts of the portable forms as a list, which the others continue. */
function misplacedTexts(manifest: Manifest): readonly string[] {
  const portable = portableTexts(manifest);
  const late = [...portable].filter((shader) => shader >= portable.size);
  return late.map((shader) => `shader ${shader}, of a portable form, stands behind one of a class`);
}

/** A step as each class of devices does it, the portable form first. */
function formsOf(step: StepSpec): readonly StepSpec[] {
  if (step.kind === 'extern') return [step];
  return [step, ...(step.forms ?? []).map((form) => ({ ...step, ...form, label: `${step.label}, ${form.class}` }))];
}

function stepFaults(manifest: Manifest, plan: PlanSpec, step: StepSpec): readonly string[] {
  const bound = (buffer: number, what: string): readonly string[] => within(buffer, plan.buffers.length, what);
  if (step.kind === 'extern') {
    return [
      ...step.operands.flatMap((o) => bound(o.buffer, `buffer of ${o.name}, given to ${step.name}`)),
      ...step.results.flatMap((r) => bound(r.buffer, `buffer that ${step.name} gives`)),
      ...(step.mask === null ? [] : bound(step.mask.buffer, `mask of ${step.name}`)),
    ];
  }
  const kernel = manifest.kernels[step.kernel];
  if (kernel === undefined) return [`${step.label}: there is no kernel ${step.kernel}`];
  const counted = (what: string, has: number, wants: number): readonly string[] =>
    has === wants ? [] : [`${step.label} has ${has} ${what}, and ${kernel.name} takes ${wants}`];
  const shaped = (kernel.sides === undefined) === (step.grid === undefined);
  return [
    ...(shaped ? [] : [`${step.label} has a grid of other dimensions than ${kernel.name}`]),
    ...counted('buffers', step.buffers.length, kernel.buffers.length),
    ...counted('uniforms', step.uniforms.length, kernel.uniforms.length),
    ...step.buffers.flatMap((buffer) => bound(buffer, `buffer of ${step.label}`)),
  ];
}

function faultFaults({ word, shown, message, unless }: FaultSpec, controls: ReadonlySet<string>): readonly string[] {
  const words = [word, ...shown.flatMap((each) => ('word' in each ? [each.word] : []))];
  const holes = [...message.matchAll(/\{(\d+)\}/g)].map(([, n]) => Number(n));
  return [
    ...words.flatMap((w) => (Number.isInteger(w) && w >= 0 ? [] : [`a fault has the word ${w}`])),
    ...holes.flatMap((n) => within(n, shown.length, `what ${JSON.stringify(message)} shows`)),
    ...unless.flatMap((path) => (controls.has(path) ? [] : [`a fault is for ${path}, which is no control`])),
  ];
}

/** Formulas are of axes whose size a run decides: all others are numbers by now. */
function undeclaredSizes({ dynamic, entries, stores }: Manifest): readonly string[] {
  const unknown = new Set<string>();
  const formula = (size: SizeFormula): void => {
    if (typeof size === 'string' && !dynamic.includes(size)) unknown.add(size);
    if (typeof size === 'number' && !Number.isFinite(size)) unknown.add(String(size));
    if (typeof size === 'object' && 'args' in size) size.args.forEach(formula);
  };
  const plans = entries.flatMap((e) => (e.full === e.plan ? [e.plan] : [e.plan, e.full])).flatMap(regimesOf);
  const initial = stores.flatMap((s) => (s.initial?.kind === 'plan' ? [s.initial.plan] : []));
  for (const plan of [...plans, ...initial]) {
    plan.few?.when.forEach(({ rows }) => formula(rows));
    for (const buffer of plan.buffers) formula(buffer.elements);
    for (const step of plan.steps) {
      for (const form of formsOf(step)) {
        if (form.kind === 'extern') form.sizes.forEach(({ size }) => formula(size));
        else {
          [form.workgroups, ...(form.grid ?? [])].forEach(formula);
          for (const uniform of form.uniforms) {
            if (typeof uniform !== 'object' || !('special' in uniform)) formula(uniform);
          }
        }
      }
    }
  }
  for (const entry of entries) {
    entry.inputs.forEach((input) => input.axes.forEach(({ size }) => formula(size)));
    entry.conditions.forEach(({ left, right }) => [left, right].forEach(formula));
  }
  return [...unknown].map((name) => `a size is of ${name}, which no run decides`);
}

function within(index: number, length: number, what: string): readonly string[] {
  return Number.isInteger(index) && index >= 0 && index < length ? [] : [`${what}: ${index} of ${length}`];
}

function repeated(what: string, names: readonly string[]): readonly string[] {
  return names.flatMap((name, i) => (names.indexOf(name) < i ? [`${what} ${name} is there twice`] : []));
}

function buffersOf(result: ResultSpec): readonly number[] {
  return result.kind === 'tensor' ? [result.buffer] : [result.present, result.weight, result.rank];
}
