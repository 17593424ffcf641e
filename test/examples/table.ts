/**
 * The table of examples/README.md, from the tree: a line for each folder.
 *
 *     paper      the third paragraph of its README: `Authors, _Title_, YEAR, [name](address)`
 *     idea       the line `> …` below the heading
 *     lines      of model.moe
 *     launches   of a run for results alone, of each entry, as its golden plan has them
 *     few        the same with few rows, where they have a plan of their own (compiler/schedule/deciding/regimes.ts)
 *     proof      cases of the original implementation, and cases computed by hand, that it is compared with
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type CaseHead, findCases, readCaseHead } from '../goldens/golden-case.ts';
import { mappingsFor } from '../goldens/harness.ts';
import { readMappings } from '../goldens/mapping.ts';
import { variants } from '../goldens/variants/all.ts';

const begin = '<!-- the table is written by: npx vitest run test/examples/table.test.ts -u -->';
const end = '<!-- end of the table -->';

/** examples/README.md with the table as the tree has it. */
export function withTable(readme: string, root: string): string {
  const [from, to] = [readme.indexOf(begin), readme.indexOf(end)];
  if (from < 0 || to < from) throw new Error('examples/README.md has no place for the table');
  return `${readme.slice(0, from)}${begin}\n\n${exampleTable(root)}\n\n${readme.slice(to)}`;
}

function exampleTable(root: string): string {
  const examples = join(root, 'examples');
  const mappings = readMappings(examples);
  const cases = findCases(join(root, 'test', 'goldens', 'cases')).map(readCaseHead);
  const count = (heads: readonly CaseHead[], name: string): number =>
    heads.filter((head) => mappingsFor(head, mappings).some((mapping) => mapping.name === name)).length;
  const rows = readdirSync(examples, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => {
      const about = readAbout(readFileSync(join(examples, name, 'README.md'), 'utf8'), name);
      const lines = readFileSync(join(examples, name, 'model.moe'), 'utf8')
        .trimEnd()
        .split('\n').length;
      const [original, byHand] = [count(cases, name), count(variants, name)];
      const proof = [
        ...(original === 0 ? [] : [`${original} ${original === 1 ? 'case' : 'cases'}`]),
        ...(byHand === 0 ? [] : [`${byHand} by hand`]),
      ].join(', ');
      if (proof === '') throw new Error(`examples/${name} is compared with nothing`);
      const program = `[${about.title}](${name}/)`;
      return {
        year: about.year,
        title: about.title,
        row: [
          program,
          about.paper,
          about.idea,
          String(lines),
          launchesOf(root, name),
          fewLaunchesOf(root, name),
          proof,
        ],
      };
    });
  rows.sort((a, b) => a.year - b.year || a.title.localeCompare(b.title, 'en'));
  const head = ['program', 'paper', 'idea', 'lines', 'launches', 'few', 'proof'];
  return [head, head.map(() => '---'), ...rows.map(({ row }) => row)].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

/** `5`, or `3, 5` of two entries. */
function launchesOf(root: string, name: string): string {
  const counts = countsIn(plansOf(root, name).filter((plan) => !isFew(plan)));
  if (counts.length === 0) throw new Error(`${name} has no golden plan`);
  return counts.join(', ');
}

/** The same for few rows, where that has a plan of its own. */
function fewLaunchesOf(root: string, name: string): string {
  return countsIn(plansOf(root, name).filter(isFew)).join(', ');
}

/** Golden plans for results alone, each with its heading. */
function plansOf(root: string, name: string): readonly string[] {
  const plans = readFileSync(join(root, 'test', 'plans', 'golden', `${name}.plan.txt`), 'utf8').split(/^\/\/ /m);
  return plans.filter(
    (plan) => !/^(?:the first value of |.* with losses, outputs and updates(?:, where .*)?\n)/.test(plan),
  );
}

const isFew = (plan: string): boolean => /^.*, where /.test(plan);
const countsIn = (plans: readonly string[]): readonly string[] =>
  plans.flatMap((plan) => [...plan.matchAll(/^plan \S+: (\d+) launch/gm)].map(([, count = '']) => count));

interface About {
  readonly title: string;
  readonly idea: string;
  /** First author and year, linked. */
  readonly paper: string;
  readonly year: number;
}

function readAbout(readme: string, name: string): About {
  const parts = /^# (.+)\n\n> (.+)\n\n([^\n]+)\n/.exec(readme);
  if (parts === null) throw new Error(`examples/${name}/README.md does not open with a heading, an idea and a paper`);
  const [, title = '', idea = '', source = ''] = parts;
  const authors = /^(.+?), _/.exec(source)?.[1];
  const year = /_.*?, (\d{4})/.exec(source)?.[1];
  const address = /\]\((https:[^)]+)\)/.exec(source)?.[1];
  if (authors === undefined || year === undefined)
    throw new Error(`examples/${name}/README.md: no authors and year in ${source}`);
  const short = `${firstOf(authors)} ${year}`;
  return { title, idea, year: Number(year), paper: address === undefined ? short : `[${short}](${address})` };
}

/** `Mike Lewis et al.`, `A Fan, B Jaggi` → `Lewis et al.`; one author stays as it is. */
function firstOf(authors: string): string {
  const [first = ''] = authors.split(/, | et al\./);
  if (first === authors) return authors;
  return `${first.split(' ').at(-1) ?? ''} et al.`;
}
