/** A profile as a table for the terminal, and as a trace that Chrome, Perfetto and others show. */
import { bytesText, countText, table } from '../terminal/text-table.ts';
import type { Profile, ProfiledLaunch } from './profile.ts';

/** Milliseconds in the unit in which they are read. */
export function timeText(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toFixed(2)} s`;
  return ms >= 1 ? `${ms.toFixed(ms < 10 ? 2 : 1)} ms` : `${(1000 * ms).toFixed(ms < 0.01 ? 2 : 1)} µs`;
}

export const percent = (part: number): string => `${(100 * part).toFixed(part < 0.1 ? 1 : 0)} %`;

/** What a launch is nearer to: what memory gives, or what arithmetic does. */
export function nearest({ ofFlops, ofBytes }: ProfiledLaunch): { readonly part: number; readonly of: string } | null {
  if (ofFlops === null || ofBytes === null) return null;
  return ofBytes >= ofFlops ? { part: ofBytes, of: 'memory' } : { part: ofFlops, of: 'arithmetic' };
}

/** Lines of a table in the order of the run, and what one has to know to read it. */
export function profileTable({ launches }: Profile): readonly string[] {
  const rows = launches.map((launch) => {
    const near = nearest(launch);
    return [
      String(launch.step),
      timeText(launch.time),
      percent(launch.share),
      launch.bytes === null ? '?' : bytesText(launch.bytes),
      launch.flops === null ? '?' : countText(launch.flops),
      near === null ? '' : `${percent(near.part)} of ${near.of}`,
      launch.kernel,
      launch.label,
    ];
  });
  const head = ['', 'time', 'share', 'bytes', 'flops', 'rate', 'kernel', 'value and place'];
  return table(head, rows, ['right', 'right', 'right', 'right', 'right', 'right']);
}

export function headingOf({ model, entry, sizes, launches, sum, called, runs }: Profile): string {
  const named = Object.entries(sizes).map(([name, size]) => `${name} = ${size}`);
  const at = named.length === 0 ? '' : ` with ${named.join(', ')}`;
  return `${model}.${entry}${at}: ${launches.length} launches in ${timeText(sum)}, a run as it is called ${timeText(called)}; medians of ${runs}`;
}

/** The circumstances: adapter, clock, ceilings, and what the numbers are not. */
export function circumstancesOf(profile: Profile): readonly string[] {
  const { adapter, software, method, ceilings, notes } = profile;
  const clock = method === 'timestamps' ? 'timestamps around each launch' : 'a submission for each launch';
  return [
    `${adapter}, ${clock}`,
    `ceilings of this sitting: ${bytesText(ceilings.bytesPerSecond)}/s copied, ${countText(ceilings.flopsPerSecond)} flops a second multiplied and added`,
    'bytes are those of the buffers that a launch touches, flops what its kernel does at most: a rate is no more than an upper bound, and may pass its ceiling where a cache holds what is read again',
    ...(software ? ['the adapter computes on the CPU: nothing here says what a GPU would take'] : []),
    ...notes,
  ];
}

/** The run that is shown, as complete events of the trace event format: microseconds, a row for the device. */
export function traceOf(profile: Profile): string {
  const { launches, model, entry, sizes, adapter, method } = profile;
  const named = (name: string, args: Readonly<Record<string, unknown>>) => ({ name, ph: 'M', pid: 1, tid: 1, args });
  const events = launches.map(({ step, kernel, label, domain, start, end, flops, bytes, ofFlops, ofBytes }) => ({
    name: label,
    cat: kernel,
    ph: 'X',
    ts: 1000 * start,
    dur: 1000 * (end - start),
    pid: 1,
    tid: 1,
    args: { step, kernel, domain, flops, bytes, ofFlops, ofBytes },
  }));
  return `${JSON.stringify(
    {
      displayTimeUnit: 'ms',
      otherData: { model, entry, sizes, method },
      traceEvents: [
        named('process_name', { name: adapter }),
        named('thread_name', { name: `${model}.${entry}` }),
        ...events,
      ],
    },
    null,
    1,
  )}\n`;
}
