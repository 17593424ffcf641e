/**
 * The demo's picture as SVG, and as a page with the tables beside it. Text of the model is escaped; nothing is loaded from
 * anywhere.
 */
import { colourAt, count, number, placeOf } from './demo-terminal.mjs';

const escape = (text) => String(text).replace(/[&<>"']/g, (c) => `&#${c.codePointAt(0)};`);

const rgb = (value) => `rgb(${colourAt(value).join(',')})`;

/** Tokens × experts with the weights as colours, and the load of each expert above its column. */
export function routingSvg(title, { rows, loads }) {
  const size = 22;
  const left = 64;
  const top = 170;
  const experts = loads.length;
  const width = left + experts * size + 150;
  const height = top + rows.length * size + 48;
  const most = Math.max(...rows.flat());
  const largest = Math.max(...loads, 1);
  const cells = rows.flatMap((row, token) =>
    row.map((weight, expert) => {
      const x = left + expert * size;
      const y = top + token * size;
      if (weight <= 0) return `<circle cx="${x + size / 2}" cy="${y + size / 2}" r="1.3" fill="#c8ccd4"/>`;
      const tip = `token ${token}, expert ${expert}: ${weight.toFixed(3)}`;
      return `<rect x="${x + 1}" y="${y + 1}" width="${size - 2}" height="${size - 2}" rx="4" fill="${rgb(0.15 + (0.85 * weight) / most)}"><title>${escape(tip)}</title></rect>`;
    }),
  );
  const bars = loads.map((load, expert) => {
    const tall = (64 * load) / largest;
    const x = left + expert * size;
    return (
      `<rect x="${x + 3}" y="${top - 24 - tall}" width="${size - 6}" height="${tall}" rx="3" fill="${rgb(load / largest)}"><title>${load} tokens</title></rect>` +
      `<text x="${x + size / 2}" y="${top - 10}" text-anchor="middle" class="axis">${expert}</text>` +
      `<text x="${x + size / 2}" y="${top - 28 - tall}" text-anchor="middle" class="small">${load}</text>`
    );
  });
  const tokens = rows.map(
    (_, token) =>
      `<text x="${left - 10}" y="${top + token * size + size / 2 + 4}" text-anchor="end" class="axis">${token}</text>`,
  );
  const legend = Array.from({ length: 40 }, (_, i) => {
    const y = top + i * 4;
    return `<rect x="${left + experts * size + 34}" y="${y}" width="14" height="4.2" fill="${rgb(1 - (0.85 * i) / 39)}"/>`;
  });
  const at = left + experts * size + 54;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escape(title)}">
<style>text{font-family:ui-sans-serif,system-ui,sans-serif;fill:#1d2330}.axis{font-size:11px;fill:#5b6474}.small{font-size:10px;fill:#5b6474}.title{font-size:18px;font-weight:600}</style>
<rect width="${width}" height="${height}" fill="#fff"/>
<text x="${left}" y="34" class="title">${escape(title)}</text>
<text x="${left}" y="54" class="axis">each row a token, each column an expert; a dot is absent, and is not computed</text>
${bars.join('\n')}
${tokens.join('\n')}
${cells.join('\n')}
${legend.join('\n')}
<text x="${at}" y="${top + 9}" class="small">${most.toFixed(2)}</text><text x="${at}" y="${top + 160}" class="small">0</text>
<text x="${left - 44}" y="${top + (rows.length * size) / 2}" class="axis" transform="rotate(-90 ${left - 44} ${top + (rows.length * size) / 2})" text-anchor="middle">tokens</text>
<text x="${left + (experts * size) / 2}" y="${height - 16}" class="axis" text-anchor="middle">experts, and how many tokens each got</text>
</svg>
`;
}

/** The page: the picture, the launches, the errors. */
export function htmlPage(title, device, routing, entry, tensors, away) {
  const most = Math.max(...entry.launches.map((l) => l.flops?.number ?? 0), 1);
  const launches = entry.launches.map((l) => {
    const { what, where } = placeOf(l.label);
    const flops = l.flops?.number ?? 0;
    return `<tr><td>${escape(what)}</td><td class="code">${escape(l.domain)}</td><td class="code">${escape(l.flops?.formula ?? '')}</td><td class="right">${count(flops)}</td><td><span class="bar" style="width:${(120 * flops) / most}px"></span></td><td class="dim">${escape(where)}</td></tr>`;
  });
  const errors = tensors.map((t) => {
    const { error = 0, bound = 0, ratio = 0 } = t.worst ?? {};
    const share = typeof ratio === 'number' ? ratio : 1;
    return `<tr><td>${t.passed ? '✓' : '✗'} ${escape(t.name)}</td><td class="right">${number(error)}</td><td class="right">${number(bound)}</td><td><span class="track"><span class="bar" style="width:${Math.min(200, 200 * share)}px"></span></span></td><td class="right">${(100 * share).toFixed(2)} %</td></tr>`;
  });
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>${escape(title)}</title>
<style>
body{font:15px/1.5 ui-sans-serif,system-ui,sans-serif;color:#1d2330;max-width:72rem;margin:2rem auto;padding:0 1rem}
h2{font-size:1.1rem;margin-top:2.5rem}table{border-collapse:collapse;font-size:13px}td,th{padding:2px 12px 2px 0;text-align:left;white-space:nowrap}
.right{text-align:right}.code{font-family:ui-monospace,monospace;font-size:12px}.dim{color:#5b6474}
.bar{display:inline-block;height:9px;border-radius:3px;background:rgb(31,161,135)}.track{display:inline-block;width:200px;background:#eef0f4;border-radius:3px;line-height:9px}
</style>
${routingSvg(title, routing)}
<p class="dim">computed on ${escape(device)}</p>
<h2>What is launched: ${entry.launches.length} launches of ${entry.kernels} kernels</h2>
<table><tr><th>value</th><th>over</th><th>flops, at most</th><th></th><th></th><th>place</th></tr>
${launches.join('\n')}
</table>
<h2>How far off</h2>
<table><tr><th>result</th><th>worst error</th><th>its bound</th><th>of the bound</th><th></th></tr>
${errors.join('\n')}
</table>
<p class="dim">Bounds are derived for each number from the program and the inputs. The largest difference to the original implementation, which computed in f32, is ${number(away)}.</p>
</html>
`;
}
