/** `moec doctor`: which adapter a run would use, what it offers, and what to do where there is none. */
import { webgpuCore } from '../../target.ts';
import { noAdapterHelp } from '../terminal/adapter-help.ts';
import { lookAtAdapter, probeAdapter, type AdapterReport } from '../running/environment.ts';
import { exitCodes } from '../terminal/exit.ts';
import type { Session } from '../terminal/session.ts';
import { bytesText } from '../terminal/text-table.ts';
import { moecVersion as version } from '../../version.ts';

interface DoctorOptions {
  readonly probe?: boolean;
}

/** The exit code is 3 where no adapter is, or one that does not suffice. */
export async function doctor(session: Session, options: DoctorOptions): Promise<void> {
  session.stage = 'doctor';
  if (options.probe === true) {
    session.out(`\n${JSON.stringify({ probe: await lookAtAdapter() })}\n`);
    return;
  }
  const report = await probeAdapter();
  const machine = { moec: version, node: process.version, platform: process.platform, arch: process.arch };
  const missing = report.ok ? missingLimits(report.limits) : [];
  if (!report.ok || missing.length > 0) process.exitCode = exitCodes.environment;
  if (session.json) {
    const help = report.ok ? {} : { help: noAdapterHelp() };
    session.outJson({ ok: report.ok && missing.length === 0, ...machine, adapter: report, missing, ...help });
    return;
  }
  session.out(show(report, missing, session, machine));
}

/** Limits of the standard target that an adapter lacks. */
function missingLimits(limits: Readonly<Record<string, number>>): readonly string[] {
  return Object.entries(webgpuCore.limits).flatMap(([name, wanted]) => {
    const have = limits[name];
    return have !== undefined && have >= wanted ? [] : [`${name}: ${wanted} is needed, ${have ?? 'none'} is there`];
  });
}

function show(
  report: AdapterReport,
  missing: readonly string[],
  session: Session,
  machine: { readonly moec: string; readonly node: string; readonly platform: string; readonly arch: string },
): string {
  const { bold, green, red, yellow, dim } = session.outColours;
  const lines = [
    `${bold('moec')} ${machine.moec}   ${dim('node')} ${machine.node}   ${machine.platform} ${machine.arch}`,
    '',
  ];
  if (!report.ok) {
    lines.push(`${red('✗')} ${bold('no adapter')}: ${report.reason}`, '', 'what to do:');
    lines.push(
      ...noAdapterHelp()
        .split('\n')
        .map((line) => `  ${line}`),
    );
    return `${lines.join('\n')}\n`;
  }
  lines.push(`${green('✓')} ${bold('adapter')}  ${report.name}`);
  lines.push(
    report.software
      ? `${yellow('!')} it computes on the CPU: results are right, times say nothing about a GPU`
      : `${green('✓')} it computed 1.5 + 2.25 and was right`,
  );
  lines.push('', bold('features'));
  lines.push(...wrap(report.features, 100).map((line) => `  ${line}`));
  lines.push('', `${bold('limits')}${dim('   what it has, and what a compiled model needs (webgpu-core)')}`);
  for (const [name, wanted] of Object.entries(webgpuCore.limits)) {
    const have = report.limits[name] ?? 0;
    const text = (n: number): string => (/Size$/.test(name) && !/Workgroup/.test(name) ? bytesText(n) : String(n));
    lines.push(
      `  ${have >= wanted ? green('✓') : red('✗')} ${name.padEnd(38)} ${text(have).padStart(12)}   ${dim(text(wanted))}`,
    );
  }
  if (missing.length > 0) lines.push('', `${red('✗')} models need more than this adapter has`);
  return `${lines.join('\n')}\n`;
}

function wrap(words: readonly string[], width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length + 2 <= width) lines[lines.length - 1] = `${last}, ${word}`;
    else lines.push(word);
  }
  return lines;
}
