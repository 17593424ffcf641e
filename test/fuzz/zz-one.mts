import { makeProgram } from '../fuzz/program.ts';
import { prepareText } from '../language/support.ts';
import { hasLargeTiles } from '../fuzz/examine.ts';
import { webgpuCore } from '../../compiler/target.ts';
import { printGraph } from '../../compiler/graph/print-graph.ts';
import { printSchedule } from '../../compiler/schedule/deciding/print-schedule.ts';
const seed = Number(process.argv[2]);
const p = makeProgram(seed);
const target = hasLargeTiles(seed) ? { ...webgpuCore, tileFrom: 0 } : webgpuCore;
const { prepared } = prepareText(p.text, { target });
console.log(p.text);
for (const c of [prepared!.entry.inference, prepared!.entry.withAux]) { console.log(printGraph(c.fused.graph, {domains: c.fused.domains, materialised: c.fused.materialised})); console.log(printSchedule(c.schedule, c.fused.graph)); if (process.argv[3]) break; }
