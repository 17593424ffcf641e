/** A profile as one page of HTML that needs nothing else: no script, no font, no request. */
import { bytesText, countText } from '../terminal/text-table.ts';
import type { Profile, ProfiledLaunch } from './profile.ts';
import { circumstancesOf, headingOf, nearest, percent, timeText } from './profile-text.ts';

const escape = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0) ?? 0};`);

const style = `
:root { color-scheme: light dark; --ink: #1f2328; --muted: #59636e; --line: #d0d7de; --bar: #0969da; --back: #fff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --muted: #9198a1; --line: #3d444d; --bar: #4493f8; --back: #0d1117; } }
body { font: 14px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 76rem; padding: 0 1rem; color: var(--ink); background: var(--back); }
h1 { font-size: 1.3rem; } h2 { font-size: 1rem; margin-top: 2rem; }
ul { color: var(--muted); padding-left: 1.2rem; }
.line { position: relative; height: 2.2rem; background: var(--line); border-radius: 3px; overflow: hidden; }
.line i { position: absolute; top: 0; bottom: 0; min-width: 1px; background: var(--bar); border-right: 1px solid var(--back); box-sizing: border-box; }
.line i:nth-child(even) { opacity: 0.65; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: right; padding: 0.2rem 0.6rem; border-bottom: 1px solid var(--line); white-space: nowrap; font-variant-numeric: tabular-nums; }
th { color: var(--muted); font-weight: 500; } .text { text-align: left; white-space: normal; }
.bar { width: 9rem; } .bar i { display: block; height: 0.6rem; background: var(--bar); border-radius: 2px; }
`;

export function profilePage(profile: Profile): string {
  const title = `${profile.model}: where the time goes`;
  const longest = Math.max(...profile.launches.map(({ time }) => time), Number.MIN_VALUE);
  const rows = profile.launches.map((launch) => row(launch, longest)).join('\n');
  const said = circumstancesOf(profile).map((line) => `<li>${escape(line)}</li>`);
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escape(title)}</title><style>${style}</style></head>
<body>
<h1>${escape(headingOf(profile))}</h1>
<ul>${said.join('')}</ul>
<h2>One run</h2>
<div class="line">${timeline(profile)}</div>
<h2>Launches</h2>
<table>
<tr><th></th><th>time</th><th class="text">share</th><th></th><th>bytes</th><th>flops</th><th>rate</th><th class="text">kernel</th><th class="text">value and place</th><th class="text">over</th></tr>
${rows}
</table>
</body>
</html>
`;
}

/** Launches where they lay in the run that is shown, each with what it is under the pointer. */
function timeline({ launches }: Profile): string {
  const end = Math.max(...launches.map((launch) => launch.end), Number.MIN_VALUE);
  const at = (ms: number): string => `${((100 * ms) / end).toFixed(3)}%`;
  return launches
    .map(
      (launch) =>
        `<i style="left:${at(launch.start)};width:${at(launch.end - launch.start)}" title="${escape(`#${launch.step} ${launch.label}, ${launch.kernel}: ${timeText(launch.end - launch.start)}`)}"></i>`,
    )
    .join('');
}

function row(launch: ProfiledLaunch, longest: number): string {
  const near = nearest(launch);
  const cells = [
    `<td>${launch.step}</td>`,
    `<td>${timeText(launch.time)}</td>`,
    `<td class="bar"><i style="width:${((100 * launch.time) / longest).toFixed(1)}%"></i></td>`,
    `<td>${percent(launch.share)}</td>`,
    `<td>${launch.bytes === null ? '?' : bytesText(launch.bytes)}</td>`,
    `<td>${launch.flops === null ? '?' : countText(launch.flops)}</td>`,
    `<td>${near === null ? '' : `${percent(near.part)} of ${near.of}`}</td>`,
    `<td class="text">${escape(launch.kernel)}</td>`,
    `<td class="text">${escape(launch.label)}</td>`,
    `<td class="text">${escape(launch.domain)}</td>`,
  ];
  return `<tr>${cells.join('')}</tr>`;
}
