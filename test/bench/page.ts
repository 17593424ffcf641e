/** A page of charts from a report: Markdown with pictures, and what one has to know of the sitting to read them. */
import { barChart, lineChart } from './charts.ts';
import { FEWEST_ROWS } from './ceilings.ts';
import { layers } from './cases.ts';
import type { Report, Row } from './report.ts';
import { msText } from './sitting.ts';

export interface Picture {
  /** From the folder of the page. */
  readonly path: string;
  readonly svg: string;
}

export interface Page {
  readonly text: string;
  readonly pictures: readonly Picture[];
}

interface Section {
  readonly title: string;
  readonly words: string;
  readonly picture: Picture;
}

/** `folder`: where pictures go, from the folder of the page. */
export function pageOf(reports: readonly Report[], folder: string): Page {
  const parts = reports.map((report) => sitting(report, folder));
  return {
    text: `${intro(reports)}\n${parts.map(({ text }) => text).join('\n')}`,
    pictures: parts.flatMap(({ pictures }) => pictures),
  };
}

function sitting(report: Report, folder: string): Page {
  const prefix = report.adapter.name.replaceAll(/\W+/g, '-').toLowerCase();
  const name = (of: string): string => `${folder}/${prefix}-${of}.svg`;
  const sections = [...shares(report, name), ...overTokens(report, name), ...growth(report, name)];
  const parts = sections.map(
    ({ title, words, picture }) => `### ${title}\n\n${words}\n\n![${title}](${picture.path})\n`,
  );
  return {
    text: [circumstances(report), ...parts, numbers(report), peers(report), notMeasured(report)]
      .filter((part) => part !== '')
      .join('\n'),
    pictures: sections.map(({ picture }) => picture),
  };
}

function intro(reports: readonly Report[]): string {
  const commands = reports.map(
    ({ adapter, quick }) =>
      `npm run bench -- ${quick ? '--quick ' : ''}--adapter ${adapter.name} --out ${adapter.name}.json`,
  );
  const draw = `npm run bench -- ${reports.map(({ adapter }) => `--from ${adapter.name}.json`).join(' ')} --page BENCHMARK.md`;
  return `# Benchmark

How fast compiled layers are, beside what the same machine reaches with plain matrix products in the same sitting. Made by

\`\`\`sh
${[...commands, draw].join('\n')}
\`\`\`

- _Time_: a run that is recorded into an encoder, from buffers of the device to buffers of the device; the least of several calls. Where the adapter computes on the CPU, it is CPU time
  of the driver's threads, since other jobs lengthen wall time and not that; else wall time.
- _Ceiling_: for each matrix product that a layer's equation asks for, a kernel written by hand (\`test/bench/products.ts\`) that computes as many operations and nothing else: no
  router, no grouping, no combining. Where a matrix has fewer than ${FEWEST_ROWS} rows to multiply, matrix-vector products, a matrix each; else one product of all rows. Several forms are tried in each sitting, the
  fastest on its adapter counts, and it is timed in turns with the layer.
- _Share_: the ceiling's time over the layer's. 1 is a layer that costs what its products cost.

Machines drift between sittings: read shares, not milliseconds. \`--against FILE\` compares two sittings by their shares, with the noise of both.
`;
}

function circumstances(report: Report): string {
  const { machine, adapter } = report;
  const [before, after] = machine.load;
  return `## ${adapter.name}

- Adapter: ${adapter.description}${adapter.software ? '. It computes on the CPU: what is below says nothing about a GPU' : ''}.
- Machine: ${machine.cpu}, ${machine.cores} cores, ${(machine.memory / 2 ** 30).toFixed(0)} GiB, ${machine.system}, Node ${machine.node}, moec ${report.moec}, ${report.date.slice(0, 10)}.
- Load: ${before.toFixed(1)} jobs ran or waited for a core when the sitting began, ${after.toFixed(1)} when it ended, its own among them${after > machine.cores + 1 ? ': other jobs ran on this machine' : ''}. It took ${Math.round(report.seconds / 60)} minutes.
`;
}

function shares(report: Report, name: (of: string) => string): readonly Section[] {
  const stated = report.rows.filter(
    ({ group, subject, tokens }) =>
      group === 'layers' && layers.some((layer) => layer.subject.name === subject && layer.tokens === tokens),
  );
  const others = report.rows.filter(
    ({ group, tokens }) => (group === 'decoder' || group === 'published') && (tokens === 1 || tokens >= 64),
  );
  const chart = (title: string, rows: readonly Row[], file: string, words: string): readonly Section[] => {
    const bars = rows.flatMap((row) =>
      row.share === null
        ? []
        : [{ label: row.key, value: row.share, text: `${row.share.toFixed(2)} of ${msText(row.time)}` }],
    );
    if (bars.length === 0) return [];
    const svg = barChart(title, bars, { at: 1, text: 'ceiling' });
    return [{ title, words, picture: { path: name(file), svg } }];
  };
  const shapes = layers.map(({ subject, tokens }) => `${subject.name}: ${subject.text}, T = ${tokens}`).join('; ');
  return [
    ...chart('Layers, share of the ceiling', stated, 'layers', `One SwiGLU layer with its router. ${shapes}.`),
    ...chart(
      'A decoder layer and published systems, share of the ceiling',
      others,
      'systems',
      'The systems are those of `examples`, at the width that they have there.',
    ),
  ];
}

function overTokens(report: Report, name: (of: string) => string): readonly Section[] {
  const rows = report.rows.filter(({ group }) => group === 'layers');
  const subjects = [...new Set(rows.map(({ subject }) => subject))];
  if (subjects.length === 0) return [];
  const series = subjects.flatMap((subject) => {
    const own = rows.filter((row) => row.subject === subject);
    return [
      { name: subject, points: own.map((row) => [row.tokens, row.time] as const) },
      {
        name: `${subject} ceiling`,
        points: own.flatMap((row) => (row.ceiling === null ? [] : [[row.tokens, row.ceiling.time] as const])),
        dashed: true,
      },
    ];
  });
  const title = 'Layers over the number of tokens';
  const svg = lineChart({ title, x: 'T', y: 'ms', series });
  return [
    { title, words: 'A run with few tokens has a plan with fewer launches.', picture: { path: name('tokens'), svg } },
  ];
}

function growth(report: Report, name: (of: string) => string): readonly Section[] {
  return (['E', 'k', 'L'] as const).flatMap((axis): readonly Section[] => {
    const rows = report.rows.filter(({ group }) => group === `growth in ${axis}`);
    if (rows.length < 2) return [];
    const points = (value: (row: Row) => number | null): readonly (readonly [number, number])[] =>
      rows.flatMap((row) => {
        const y = value(row);
        return row.at === null || y === null ? [] : [[row.at, y] as const];
      });
    const title = `Growth in ${axis}`;
    const series = [
      { name: 'a run', points: points(({ time }) => time) },
      { name: 'its ceiling', points: points(({ ceiling }) => ceiling?.time ?? null), dashed: true },
      { name: 'compiling', points: points(({ compile }) => compile) },
    ];
    const launches = rows.map(({ launches }) => launches);
    const [least, most] = [Math.min(...launches), Math.max(...launches)];
    const words = `${rows[0]?.text ?? ''} at one end, ${rows.at(-1)?.text ?? ''} at the other, T = ${rows[0]?.tokens ?? ''}. ${least === most ? `${least} launches at all points` : `${least} to ${most} launches`}.`;
    const svg = lineChart({ title, x: axis, y: 'ms', series });
    return [{ title, words, picture: { path: name(`growth-${axis.toLowerCase()}`), svg } }];
  });
}

function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, i) => Math.max(3, ...all.map((row) => (row[i] ?? '').length)));
  const lineOf = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(' | ')} |`;
  const rule = `| ${widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return [lineOf(head), rule, ...rows.map(lineOf)].join('\n');
}

function numbers(report: Report): string {
  const deciding = report.decides === 'driver' ? 'CPU' : 'least';
  const head = [
    'case',
    `${deciding}, ms`,
    'wall, ms',
    'called, ms',
    'ceiling, ms',
    'share',
    'GFLOP/s',
    'launches',
    'create, s',
    'error',
  ];
  const ms = (value: number): string =>
    value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : value.toFixed(0);
  const rows = report.rows.map((row) => [
    row.key,
    ms(row.time),
    `${ms(row.encoded.wall.median)} (${ms(row.encoded.wall.min)})`,
    `${ms(row.called.wall.median)} (${ms(row.called.wall.min)})`,
    row.ceiling === null ? '' : ms(row.ceiling.time),
    row.share === null ? '' : row.share.toFixed(2),
    (row.operations / row.time / 1e6).toFixed(2),
    String(row.launches),
    ((row.create + row.first) / 1000).toFixed(1),
    row.error === null ? '' : row.error.toExponential(0),
  ]);
  return `### Numbers

Wall times are medians, with the least in brackets; \`called\` is a run as one calls it, from numbers to numbers, whose waiting polls. \`create\` is until the model had its pipelines and had
run once. \`error\` is the largest difference from the float64 reference over its largest number, where it was looked at.

${markdownTable(head, rows)}
`;
}

function peers({ peers: rows }: Report): string {
  if (rows.length === 0) return '';
  const head = ['by other means', 'layer', 'wall, ms', 'CPU, ms', 'note'];
  const cells = rows.map(({ peer, shape, median, cpu, note }) => [
    peer,
    shape,
    String(median),
    cpu === null ? '' : String(cpu),
    note ?? '',
  ]);
  return `### By other means

The same layers with the same number of tokens, in the same sitting, as scripts of their own tell it.

${markdownTable(head, cells)}
`;
}

function notMeasured({ left }: Report): string {
  if (left.length === 0) return '';
  return `### Not measured\n\n${left.map(({ key, reason }) => `- ${key}: ${reason}`).join('\n')}\n`;
}
