import { readFileSync } from 'node:fs';
import {
  differences,
  onKernels,
  onReference,
  prepareText,
  ready,
  relativeDifferences,
} from '/work/main/test/language/support.ts';
for (const file of process.argv.slice(2)) {
  const text = readFileSync(file, 'utf8');
  const first = prepareText(text, {});
  const entries = first.prepared?.program.entries.map((e) => e.name) ?? [''];
  if (first.prepared === null) {
    console.log(
      file,
      first.diagnostics.map(
        (d) =>
          `${d.code} @${d.span?.source}:${text.slice(0, d.span?.start).split('\n').length} ${d.message}${d.help ? ' -- ' + d.help : ''} «${text.slice(d.span?.start, d.span?.end)}»`,
      ),
    );
    continue;
  }
  for (const entry of entries)
    for (const n of [5, 1, 0]) {
      try {
        const p = prepareText(text, { entry });
        if (p.prepared === null) {
          console.log(
            file,
            entry,
            p.diagnostics.map((d) => `${d.code} ${d.message}`),
          );
          break;
        }
        const sizes = new Map(
          p.prepared.manifest.dynamic.map((d) => [d, n === 5 ? (d === 'B' ? 2 : d === 'S' ? 3 : 5) : n]),
        );
        const ext = new Map(
          p.prepared.program.declarations.flatMap((d) =>
            d.kind === 'callable' && d.body === null
              ? [
                  [
                    d.name,
                    (c: any) => {
                      if (process.env.V)
                        console.log(
                          '   extern',
                          c.name,
                          [...c.instance],
                          c.points,
                          [...c.operands].map(([k, t]: any) => k + t.shape + '/' + t.axes),
                        );
                      return c.results.length === 1
                        ? Array.from(
                            { length: c.results[0].shape.reduce((a: number, b: number) => a * b, 1) },
                            (_, i) => Math.sin(i),
                          )
                        : c.results.map((r: any) =>
                            Array.from({ length: r.shape.reduce((a: number, b: number) => a * b, 1) }, (_, i) =>
                              Math.sin(i),
                            ),
                          );
                    },
                  ] as any,
                ]
              : [],
          ),
        );
        const r = ready(p.prepared, { sizes, externs: ext });
        const ref = await onReference(r);
        const ker = await onKernels(r);
        const d = ext.size > 0 ? relativeDifferences(ker, ref, 1e-4) : differences(r, ker, ref);
        console.log(
          d.length ? 'DIFF' : 'ok',
          file.split('/').pop(),
          entry,
          n,
          [...ref.keys()].join(' '),
          d.slice(0, 6),
        );
        if (process.env.V && n === 5)
          for (const [k, t] of ref)
            console.log(
              '  ',
              k,
              t.shape,
              [...t.data]
                .slice(0, 12)
                .map((v) => +v.toFixed(4))
                .join(' '),
            );
      } catch (e) {
        console.log(
          'THROW',
          file.split('/').pop(),
          entry,
          n,
          (e as any).diagnostics?.map((d: any) => d.code + d.message) ??
            (process.env.V ? (e as Error).stack : (e as Error).message),
        );
      }
    }
}
