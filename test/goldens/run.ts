/**
 * `npm run goldens -- [DIR] [--on gpu|reference|kernels]`: every example against every case under DIR whose system it
 * declares. One line a case, then the cases of systems that no example declares, and last `N passed, M failed`. A case passes if
 * all that it expects was compared and all that its config says was read, but for what a golden.json excuses by name.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Place, executorOf } from './executor.ts';
import { GoldenError } from './formula.ts';
import { findCases, readCase, readCaseHead } from './golden-case.ts';
import { type CaseReport, excuseFor, isDeclared, mappingsFor, runCase } from './harness.ts';
import { readMappings } from './mapping.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Cases that are looked for beside the repository; without them, the repository's own. */
const besideRepository = join(root, '..', 'shared', 'goldens');
const ownCases = join(root, 'test', 'goldens', 'cases');

const places: readonly Place[] = ['gpu', 'reference', 'kernels'];

function readArguments(): { readonly folder: string; readonly place: Place } {
  const options = { on: { type: 'string', default: 'gpu' } } as const;
  const { values, positionals } = parseArgs({ allowPositionals: true, options });
  const place = places.find((p) => p === values.on);
  if (place === undefined) throw new GoldenError(`--on is one of ${places.join(', ')}, not ${values.on}`);
  if (positionals.length > 1) throw new GoldenError('one folder of cases is taken');
  const [given] = positionals;
  // npm runs scripts in the folder of the package; a path is meant from where it was typed.
  if (given !== undefined) return { folder: resolve(process.env['INIT_CWD'] ?? '.', given), place };
  return { folder: existsSync(besideRepository) ? besideRepository : ownCases, place };
}

/** One line: pass or fail, the case, how much was compared, the worst error and where. */
function lineOf(report: CaseReport, width: number): string {
  const head = `${report.passed ? 'pass' : 'FAIL'}  ${report.case.padEnd(width)}  `;
  const unanswered = report.unanswered.length === 0 ? '' : `; ${report.unanswered.join('; ')}`;
  if (report.problem !== null) return head + firstLines(report.problem) + unanswered;
  const worst = report.comparisons.reduce((a, b) => (b.worst > a.worst ? b : a));
  const failed = report.comparisons.find((c) => !c.passed);
  const count = `${report.comparisons.length} compared`;
  const error = `worst error ${worst.error.toExponential(1)}, ${percent(worst.worst)} of its bound, in ${worst.actual}`;
  if (failed === undefined) return `${head}${count}, ${error}${unanswered}`;
  return `${head}${count}, ${failed.actual} ${failed.problem ?? 'differs'}; ${error}${unanswered}`;
}

const percent = (ratio: number): string =>
  Number.isFinite(ratio) ? `${Number((100 * ratio).toPrecision(2))}%` : 'far out';

/** A problem may be a page of diagnostics: its first lines say enough here. */
function firstLines(problem: string): string {
  const lines = problem.split('\n').map((line) => line.trim());
  return lines
    .filter((line) => line !== '')
    .slice(0, 3)
    .join(' | ');
}

async function main(): Promise<number> {
  const { folder, place } = readArguments();
  const executor = executorOf(place);
  const mappings = readMappings(join(root, 'examples'));
  const cases = findCases(folder).map((path) => {
    const head = readCaseHead(path);
    const runs = mappingsFor(head, mappings);
    const excuse = runs.length > 0 ? null : excuseFor(head, mappings);
    return { path, head, runs, excuse, compared: isDeclared(head, mappings) && excuse === null };
  });
  const width = Math.max(0, ...cases.map(({ head, compared }) => (compared ? head.name.length : 0)));
  let passed = 0;
  let failed = 0;
  for (const { path, compared, runs } of cases) {
    if (!compared) continue;
    const report = await runCase(() => readCase(path), runs, executor);
    if (report.passed) passed++;
    else failed++;
    console.log(lineOf(report, width));
  }
  for (const { head, compared, excuse } of cases) {
    if (!compared) console.log(`not covered: ${head.name} (${excuse ?? head.system})`);
  }
  console.log(`${passed} passed, ${failed} failed`);
  if (passed + failed > 0) return failed === 0 ? 0 : 1;
  console.error('nothing was compared: no example declares the system of a case');
  return 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof GoldenError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
