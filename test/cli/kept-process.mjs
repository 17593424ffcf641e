/**
 * A process that calls the command line as often as it is told, for tests of what a call says and how it ends: most of the time of a
 * short call goes into loading and warming up the compiler, which happens here once.
 *
 * Each call is the entry of the command line evaluated anew (its module has a query of its own, so nothing of the last call is left
 * in it) with arguments and folder of its own; what it writes is kept. Of the modules behind it there is one instance, as they hold no
 * state. What a process of its own decides (signals, pipes, drivers, draining) cannot be seen here: such tests start one (`moec`).
 */
const [, , script] = process.argv;
const listeners = ['SIGINT', 'SIGTERM', 'exit'];

/** Takes what a stream is given; the call that has ended hears of no last write, upon which it would end the process. */
function keep(stream) {
  const chunks = [];
  stream.write = (chunk, encoding, callback) => {
    const done = typeof encoding === 'function' ? encoding : callback;
    chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : Buffer.from(chunk));
    if (chunk.length > 0) done?.();
    return true;
  };
  return () => Buffer.concat(chunks.splice(0)).toString();
}

const [stdout, stderr] = [keep(process.stdout), keep(process.stderr)];
let calls = 0;

process.on('message', async ({ args, cwd }) => {
  process.argv = [process.execPath, script, ...args];
  process.chdir(cwd);
  process.exitCode = undefined;
  try {
    await import(`${script}?call=${calls++}`);
    process.send({ ended: { code: process.exitCode ?? 0, signal: null, stdout: stdout(), stderr: stderr() } });
  } catch (error) {
    process.send({ failed: String(error) });
  }
  process.exitCode = undefined;
  for (const event of listeners) process.removeAllListeners(event);
  for (const stream of [process.stdout, process.stderr]) stream.removeAllListeners('error');
});
// Nobody is left who could ask.
process.on('disconnect', () => process.exit());
