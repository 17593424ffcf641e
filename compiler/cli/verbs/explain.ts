/**
 * `moec explain MOEnnnn`: what a diagnostic means, with a program that has it and one that has not.
 * `moec explain kernels MODEL` and `moec explain memory MODEL`: what a run would launch and hold (explain-plan.ts);
 * `moec explain schedule MODEL`: why its steps are what they are (explain-schedule.ts).
 */
import { catalogue, isCode, type Code } from '../../../dsl/diagnostics/catalogue.ts';
import { didYouMean } from '../../../dsl/diagnostics/suggest.ts';
import { usageError } from '../terminal/cli-error.ts';
import type { Session } from '../terminal/session.ts';
import { table } from '../terminal/text-table.ts';

/** The page of a code, or the list of all of them. Throws CliError 2 for what is no code. */
export async function explain(session: Session, text: string | undefined): Promise<void> {
  session.stage = 'explain';
  if (text === undefined) return listCodes(session);
  const code = codeOf(text);
  const { pages } = await import('../../../dsl/diagnostics/explain/pages.generated.ts');
  const page = pages.get(code) ?? `# ${code}: ${catalogue[code].title}\n`;
  if (session.json) session.outJson({ code, title: catalogue[code].title, page });
  else session.out(showPage(page, session));
}

/** Accepts `MOE0402`, `moe0402`, `0402` and `402`. */
function codeOf(text: string): Code {
  const digits = /^(?:moe)?(\d{1,4})$/i.exec(text)?.[1];
  const code = digits === undefined ? text : `MOE${digits.padStart(4, '0')}`;
  if (isCode(code)) return code;
  const near = didYouMean(code.toUpperCase(), Object.keys(catalogue));
  throw usageError(`there is no diagnostic ${text}`, near ?? 'moec explain lists them all');
}

function listCodes(session: Session): void {
  const entries = Object.entries(catalogue).sort(([a], [b]) => (a < b ? -1 : 1));
  if (session.json) session.outJson({ diagnostics: entries.map(([code, { title }]) => ({ code, title })) });
  else
    session.out(
      `${table(
        ['code', 'meaning'],
        entries.map(([code, { title }]) => [code, title]),
      ).join('\n')}\n`,
    );
}

/** Markdown for a terminal: titles bold, programs set off by a bar, coloured by whether they are right. */
export function showPage(page: string, session: Pick<Session, 'outColours'>): string {
  const { bold, cyan, red, green, dim } = session.outColours;
  const lines: string[] = [];
  let bar: ((text: string) => string) | null = null;
  for (const line of page.trimEnd().split('\n')) {
    const fence = /^```\s*(\S*)\s*(\S*)/.exec(line);
    if (fence !== null) {
      if (bar !== null) bar = null;
      else if (fence[2] === 'fails-with') bar = red;
      else bar = fence[2] === 'ok' ? green : dim;
    } else if (bar !== null) lines.push(`  ${bar('│')} ${line}`.trimEnd());
    else if (line.startsWith('#')) lines.push(bold(line.replace(/^#+\s*/, '')));
    else lines.push(line.replace(/`([^`]+)`/g, (_, text: string) => cyan(text)));
  }
  return `${lines.join('\n')}\n`;
}
