/**
 * The demo's picture in a terminal: blocks in colour where there is one, plain characters elsewhere. Every drawing says the
 * same in both; colour only makes it nicer.
 */

/** Dark to light: the palette "viridis", by seven of its colours. */
const viridis = [
  [68, 1, 84],
  [70, 50, 126],
  [54, 92, 141],
  [39, 127, 142],
  [31, 161, 135],
  [109, 205, 89],
  [253, 231, 37],
];

/** The colour of a number from 0 to 1, as [r, g, b]. */
export function colourAt(value) {
  const at = Math.max(0, Math.min(1, value)) * (viridis.length - 1);
  const low = viridis[Math.floor(at)];
  const high = viridis[Math.min(viridis.length - 1, Math.floor(at) + 1)];
  return low.map((c, i) => Math.round(c + (high[i] - c) * (at - Math.floor(at))));
}

const shades = [' ', '░', '▒', '▓', '█'];
const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** A bar of `width` characters for a share from 0 to 1. */
function bar(share, width) {
  const length = Math.max(0, Math.min(1, share)) * width;
  const full = Math.floor(length);
  return ('█'.repeat(full) + (eighths[Math.floor((length - full) * 8)] ?? '')).padEnd(width);
}

export function number(value) {
  if (!Number.isFinite(value)) return '∞';
  if (value === 0) return '0';
  return value >= 1e-3 && value < 1e5 ? String(Number(value.toPrecision(4))) : value.toExponential(1);
}

export function count(value) {
  const units = ['', ' k', ' M', ' G', ' T'];
  let unit = 0;
  for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1000;
  return `${unit === 0 ? value : value.toFixed(1)}${units[unit]}`;
}

/** A place without its folders: `contract: examples/mixtral/model.moe:14:5` is `contract` at `model.moe:14:5`. */
export function placeOf(label) {
  const at = label.lastIndexOf(': ');
  if (at < 0) return { what: label, where: '' };
  return { what: label.slice(0, at), where: label.slice(at + 2).replace(/^.*\//, '') };
}

/** The drawings of the demo on a stream, in the colours that it and the environment allow. */
export function makeTerminal(stream, env) {
  const noColour = env.NO_COLOR !== undefined && env.NO_COLOR !== '';
  const colour = !noColour && (Boolean(env.FORCE_COLOR) || (stream.isTTY === true && env.TERM !== 'dumb'));
  const deep = colour && (/truecolor|24bit/.test(env.COLORTERM ?? '') || stream.hasColors?.(2 ** 24) === true);
  const columns = Math.max(72, Math.min(stream.columns ?? 100, 140));
  const write = (text) => stream.write(text);
  const sgr = (codes) => (text) => (colour ? `\x1b[${codes}m${text}\x1b[0m` : text);
  const paint = { dim: sgr('2'), bold: sgr('1'), red: sgr('31'), green: sgr('32'), yellow: sgr('33'), cyan: sgr('36') };

  /** The 256-colour cube where there is no true colour. */
  const code = ([r, g, b]) =>
    deep ? `2;${r};${g};${b}` : `5;${16 + 36 * Math.round(r / 51) + 6 * Math.round(g / 51) + Math.round(b / 51)}`;
  const inColour = (value, text) => (colour ? `\x1b[38;${code(colourAt(value))}m${text}\x1b[0m` : text);
  const cell = (value) => {
    if (value <= 0) return paint.dim(colour ? ' · ' : ' . ');
    if (colour) return `\x1b[48;${code(colourAt(0.15 + 0.85 * value))}m   \x1b[0m`;
    return (shades[Math.max(1, Math.ceil(value * (shades.length - 1)))] ?? '█').repeat(3);
  };

  const heading = (text) => write(`\n${paint.bold(text)}\n\n`);

  return {
    write,
    paint,

    title(name, text) {
      write(`\n${paint.bold(name)}  ${text}\n`);
      write(`${paint.dim('─'.repeat(Math.min(columns, 100)))}\n`);
    },

    /** Tokens down, experts across; then what each expert got. */
    routing({ rows, loads, places }) {
      heading('who goes where');
      const most = Math.max(...rows.flat());
      const label = (n) => String(n).padStart(2);
      write(`  token  ${loads.map((_, e) => `${label(e)} `).join('')}   ${paint.dim('weights, best first')}\n`);
      for (const [token, row] of rows.entries()) {
        const picks = row
          .map((weight, expert) => ({ weight, expert }))
          .filter(({ weight }) => weight > 0)
          .sort((a, b) => b.weight - a.weight);
        const list = picks.map(({ weight, expert }) => `${label(expert)} ${paint.dim(weight.toFixed(2))}`).join('  ');
        write(`  ${String(token).padStart(5)}  ${row.map((weight) => cell(weight / most)).join('')}   ${list}\n`);
      }
      const legend = [0.2, 0.4, 0.6, 0.8, 1].map((v) => cell(v)).join('');
      write(`\n         ${legend} ${paint.dim(`0 to ${most.toFixed(2)}; a dot is absent, and is not computed`)}\n`);

      heading('how much each expert got');
      const largest = Math.max(...loads, 1);
      const even = (rows.length * places) / loads.length;
      for (const [expert, load] of loads.entries()) {
        const line = inColour(load / largest, bar(load / largest, 40));
        write(`  ${label(expert)}  ${line} ${load} ${load === 1 ? 'token' : 'tokens'}\n`);
      }
      const computed = rows.length * places;
      const all = rows.length * loads.length;
      write(
        `\n      ${paint.dim(`even would be ${even}. Expert applications computed: ${computed} of ${all}, ${((100 * computed) / all).toFixed(0)} %`)}\n`,
      );
    },

    /** Every launch with the points it runs over and its work. */
    launches({ launches, kernels, flops }) {
      heading(`what is launched: ${launches.length} launches of ${kernels} kernels, at most ${count(flops)} flops`);
      const rows = launches.map((l) => {
        const { what, where } = placeOf(l.label);
        return { what, where, domain: l.domain, formula: l.flops?.formula ?? '', flops: l.flops?.number ?? 0 };
      });
      const largest = Math.max(...rows.map((r) => r.flops), 1);
      const width = (key, most) => Math.min(most, Math.max(...rows.map((r) => r[key].length)));
      const [w1, w2, w3] = [width('what', 34), width('where', 20), width('domain', 34)];
      const fit = (text, size) => (text.length > size ? `${text.slice(0, size - 1)}…` : text.padEnd(size));
      const head = `  ${'value'.padEnd(w1)}  ${'over'.padEnd(w3)}  ${'flops'.padStart(7)}  ${'share'.padEnd(12)}  ${'place'.padEnd(w2)}`;
      write(`${paint.dim(head)}\n`);
      for (const r of rows) {
        const share = r.flops / largest;
        write(
          `  ${fit(r.what, w1)}  ${paint.cyan(fit(r.domain, w3))}  ${count(r.flops).padStart(7)}  ${inColour(share, bar(share, 12))}  ${paint.dim(fit(r.where, w2))}\n`,
        );
        if (share > 0.2) write(`  ${' '.repeat(w1)}  ${paint.dim(`= ${r.formula}`)}\n`);
      }
    },

    /** The worst number of each result, in units of the bound derived for it. */
    errors(tensors, away) {
      heading('how far off');
      const width = Math.max(...tensors.map((t) => t.name.length));
      write(
        `${paint.dim(`  ${'result'.padEnd(width)}  ${'worst error'.padStart(11)}  ${'its bound'.padStart(9)}  ${'of the bound'.padEnd(30)}`)}\n`,
      );
      for (const t of tensors) {
        const { error = 0, bound = 0, ratio = 0 } = t.worst ?? {};
        const mark = t.passed ? paint.green('✓') : paint.red('✗');
        const share = typeof ratio === 'number' ? ratio : Infinity;
        const line = share === 0 ? paint.dim('exact'.padEnd(24)) : inColour(share, bar(share, 24));
        const percent = share === 0 ? '' : `${(100 * share).toFixed(share < 0.1 ? 2 : 1)} %`;
        write(
          `${mark} ${t.name.padEnd(width)}  ${number(error).padStart(11)}  ${number(bound).padStart(9)}  ${line} ${percent}\n`,
        );
      }
      const good = tensors.every((t) => t.passed);
      const says = good
        ? paint.green('every number within the bound derived for it')
        : paint.red('some numbers are off');
      write(`\n  ${says} ${paint.dim('against a float64 evaluation by definition')}\n`);
      write(
        `  ${paint.dim('against the original implementation, in f32: the largest difference is')} ${number(away)}\n`,
      );
    },
  };
}
