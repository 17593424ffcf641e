/** Charts as SVG, without a dependency: bars against a line, and lines over logarithmic axes. A function of the numbers alone. */

const INK = '#1f2328';
const FAINT = '#d0d7de';
const MUTED = '#59636e';
const COLOURS = ['#0969da', '#bc4c00', '#1a7f37', '#8250df', '#bf3989', '#9a6700', '#57606a', '#0550ae'];

export interface Bar {
  readonly label: string;
  readonly value: number;
  readonly text: string;
}

export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  readonly dashed?: boolean;
}

export interface LineChart {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly series: readonly Series[];
}

const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

const n = (value: number): string => String(Number(value.toFixed(1)));

interface TextStyle {
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly fill?: string;
  readonly size?: number;
  readonly weight?: number;
}

function words(x: number, y: number, text: string, style: TextStyle = {}): string {
  const { anchor = 'start', fill = INK, size = 12, weight = 400 } = style;
  return `<text x="${n(x)}" y="${n(y)}" text-anchor="${anchor}" fill="${fill}" font-size="${size}" font-weight="${weight}">${escape(text)}</text>`;
}

function line(from: readonly [number, number], to: readonly [number, number], stroke: string, more = ''): string {
  return `<line x1="${n(from[0])}" y1="${n(from[1])}" x2="${n(to[0])}" y2="${n(to[1])}" stroke="${stroke}"${more}/>`;
}

function drawing(width: number, height: number, title: string, parts: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif" role="img" aria-label="${escape(title)}">
<rect width="${width}" height="${height}" fill="#ffffff"/>
${words(16, 24, title, { size: 15, weight: 600 })}
${parts.join('\n')}
</svg>
`;
}

/** Bars from the left; a line where the value is `at`. */
export function barChart(
  title: string,
  bars: readonly Bar[],
  mark: { readonly at: number; readonly text: string },
): string {
  const [left, right, top, step] = [190, 150, 62, 24];
  const width = 760;
  const height = top + step * bars.length + 16;
  const most = Math.max(mark.at, ...bars.map(({ value }) => value)) * 1.02;
  const x = (value: number): number => left + ((width - left - right) * value) / most;
  const parts = bars.flatMap(({ label, value, text }, i) => {
    const y = top + step * i;
    return [
      words(left - 8, y + 15, label, { anchor: 'end' }),
      `<rect x="${left}" y="${y + 3}" width="${n(Math.max(0, x(value) - left))}" height="${step - 8}" rx="2" fill="${COLOURS[0]}"/>`,
      words(x(value) + 6, y + 15, text, { fill: MUTED, size: 11 }),
    ];
  });
  const at = x(mark.at);
  return drawing(width, height, title, [
    ...parts,
    line([at, top - 6], [at, height - 12], INK, ' stroke-dasharray="4 3"'),
    words(at, top - 12, mark.text, { anchor: 'middle', fill: MUTED, size: 11 }),
  ]);
}

/** Whole powers of `base` around values, for an axis. */
function ticksOf(values: readonly number[], base: number): readonly number[] {
  const log = (value: number): number => Math.log(value) / Math.log(base);
  const least = Math.floor(log(Math.min(...values)) + 1e-9);
  const most = Math.max(least + 1, Math.ceil(log(Math.max(...values)) - 1e-9));
  return Array.from({ length: most - least + 1 }, (_, i) => base ** (least + i));
}

/** Lines over logarithmic axes, the horizontal one by powers of two. Points that are not above 0 are left out. */
export function lineChart({ title, x, y, series }: LineChart): string {
  const [left, right, top, bottom] = [64, 190, 48, 48];
  const [width, height] = [760, 340];
  const shown = series.map((each) => ({ ...each, points: each.points.filter(([a, b]) => a > 0 && b > 0) }));
  const points = shown.flatMap((each) => each.points);
  if (points.length === 0) return drawing(width, 60, title, [words(16, 46, 'nothing was measured', { fill: MUTED })]);
  const across = ticksOf(
    points.map(([a]) => a),
    2,
  );
  const up = ticksOf(
    points.map(([, b]) => b),
    10,
  );
  const place = (value: number, ticks: readonly number[], from: number, to: number): number => {
    const [low = 1, high = 1] = [ticks[0], ticks.at(-1)];
    return from + ((to - from) * Math.log(value / low)) / Math.log(high / low);
  };
  const px = (value: number): number => place(value, across, left, width - right);
  const py = (value: number): number => place(value, up, height - bottom, top);
  const grid = [
    ...up.flatMap((tick) => [
      line([left, py(tick)], [width - right, py(tick)], FAINT),
      words(left - 8, py(tick) + 4, String(Number(tick.toPrecision(3))), { anchor: 'end', fill: MUTED, size: 11 }),
    ]),
    ...across.map((tick) =>
      words(px(tick), height - bottom + 18, String(tick), { anchor: 'middle', fill: MUTED, size: 11 }),
    ),
    words((left + width - right) / 2, height - 10, x, { anchor: 'middle', fill: MUTED }),
    words(left, top - 10, y, { anchor: 'start', fill: MUTED, size: 11 }),
  ];
  const lines = shown.flatMap(({ name, points: own, dashed }, i) => {
    const colour =
      COLOURS[Math.floor(i / (series.some((each) => each.dashed === true) ? 2 : 1)) % COLOURS.length] ?? INK;
    const path = own.map(([a, b], j) => `${j === 0 ? 'M' : 'L'}${n(px(a))} ${n(py(b))}`).join(' ');
    const legend = top + 18 * i;
    return [
      `<path d="${path}" fill="none" stroke="${colour}" stroke-width="2"${dashed === true ? ' stroke-dasharray="5 4"' : ''}/>`,
      ...(dashed === true
        ? []
        : own.map(([a, b]) => `<circle cx="${n(px(a))}" cy="${n(py(b))}" r="3" fill="${colour}"/>`)),
      line(
        [width - right + 14, legend],
        [width - right + 38, legend],
        colour,
        ` stroke-width="2"${dashed === true ? ' stroke-dasharray="5 4"' : ''}`,
      ),
      words(width - right + 44, legend + 4, name, { size: 11 }),
    ];
  });
  return drawing(width, height, title, [...grid, ...lines]);
}
