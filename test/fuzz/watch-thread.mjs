/**
 * The thread that watches programs (watch.ts). One that uses more processor time than any needs, or none at all for long, hangs: a
 * line of JSON says so, and the process ends itself. Plain JavaScript that imports nothing of ours: threads have no loader.
 */
import { writeSync } from 'node:fs';
import { workerData } from 'node:worker_threads';

/** Milliseconds between two looks, and the processor time below which nothing happened but looking. */
const [INTERVAL, LOOKING] = [250, 10];

const { shared, begun: BEGUN, allowance: ALLOWANCE, work, rest } = workerData;

/** Milliseconds of processor time that all threads of the process used. */
function used() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

let [program, start, last, active] = [-1, used(), used(), Date.now()];

setInterval(() => {
  const [now, current] = [used(), Atomics.load(shared, BEGUN)];
  if (now - last > LOOKING) active = Date.now();
  last = now;
  if (current !== program) [program, start, active] = [current, now, Date.now()];
  const worked = now - start - Atomics.load(shared, ALLOWANCE);
  if (worked <= work && Date.now() - active <= rest) return;
  const message = worked > work ? `no answer within ${work / 1000} s of work` : `nothing happened for ${rest / 1000} s`;
  writeSync(1, `${JSON.stringify({ kind: 'hang', message })}\n`);
  process.kill(process.pid, 'SIGKILL');
}, INTERVAL);
