/**
 * The part of the fuzzer that runs programs: one process for each executor, since adapters are chosen by the environment and a
 * driver that crashes takes its process along. Takes its orders as JSON in the argument, tells what happens as lines of JSON.
 */
import { drawOf, examine, type Case } from './examine.ts';
import { seedOf, type Line, type Orders } from './orders.ts';
import { makeProgram } from './program.ts';
import { appendRepro } from './repro.ts';
import { shrink } from './shrink.ts';
import { watch } from './watch.ts';

const say = (line: Line): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

async function work(orders: Orders): Promise<void> {
  const begin = watch();
  for (let index = orders.first; Date.now() < orders.until; index++) {
    if (orders.programs !== null && index >= orders.programs) break;
    const seed = seedOf(orders.seed, index);
    say({ kind: 'begin', index, seed });
    begin();
    const program = { ...makeProgram(seed), schedule: drawOf(seed) };
    const outcome = await examine(program, { on: orders.on, twice: index % 10 === 0 });
    if (outcome.kind === 'finding') {
      begin(orders.shrinkTime);
      const { executor, out, on } = orders;
      const { finding: whole } = outcome;
      say({ kind: 'shrinking', found: await appendRepro(out, executor, on, program, program, whole) });
      const twice = outcome.finding.kind.startsWith('unstable');
      const keeps = async (candidate: Case): Promise<boolean> => {
        const other = await examine(candidate, { on: orders.on, twice });
        return (
          other.kind === 'finding' &&
          other.finding.kind === outcome.finding.kind &&
          other.finding.key === outcome.finding.key
        );
      };
      const limit = Math.max(0, Math.min(orders.shrinkTime, orders.until - Date.now()));
      const small = await shrink(program, { keeps, limit, now: Date.now });
      const again = await examine(small.case, { on: orders.on, twice });
      const finding = again.kind === 'finding' ? again.finding : outcome.finding;
      say({ kind: 'finding', found: await appendRepro(out, executor, on, program, small.case, finding) });
    }
    const code =
      outcome.kind === 'refused' || outcome.kind === 'stopped'
        ? outcome.code
        : outcome.kind === 'finding'
          ? outcome.finding.kind
          : '';
    const [compared, undecided] = outcome.kind === 'agreed' ? [outcome.compared, outcome.undecided] : [0, 0];
    say({ kind: 'done', index, outcome: outcome.kind, code, compared, undecided });
  }
  say({ kind: 'end' });
}

const orders: Orders = JSON.parse(process.argv[2] ?? '{}');
await work(orders);
// A device that is still there keeps the process alive.
process.exit(0);
