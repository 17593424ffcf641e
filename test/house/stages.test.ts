/**
 * Every stage that has a name has a verifier that runs: whatever a stage gives is spoilt here, in a compilation of a small program,
 * and the compilation ends with a CompilerBug that says what it saw.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { compileProgram } from '../../compiler/compile.ts';
import { analyse } from '../../compiler/front-end.ts';
import { stages, stageTable, type Stage } from '../../compiler/stages.ts';
import { webgpuCore } from '../../compiler/target.ts';
import { CompilerBug } from '../../dsl/diagnostics/bug.ts';
import { root } from './files.ts';

/** The stage that is spoilt in a compilation, if any; mocks are made before all else is. */
const plan = vi.hoisted(() => ({ spoil: null as string | null }));

vi.mock('../../dsl/syntax/lex.ts', async (original) => {
  const actual = await original<typeof import('../../dsl/syntax/lex.ts')>();
  return {
    ...actual,
    lex: (...args: Parameters<typeof actual.lex>) => {
      const lexed = actual.lex(...args);
      // The same token twice, where one of them is.
      return plan.spoil === 'tokens' ? { ...lexed, tokens: [...lexed.tokens.slice(0, 1), ...lexed.tokens] } : lexed;
    },
  };
});
vi.mock('../../dsl/syntax/build-ast.ts', async (original) => {
  const actual = await original<typeof import('../../dsl/syntax/build-ast.ts')>();
  return {
    ...actual,
    buildFile: (...args: Parameters<typeof actual.buildFile>) => {
      const file = actual.buildFile(...args);
      const longer = file.models.map((m) => ({ ...m, name: { ...m.name, span: { ...m.name.span, end: 1e6 } } }));
      return plan.spoil === 'ast' ? { ...file, models: longer } : file;
    },
  };
});
vi.mock('../../dsl/check/check-program.ts', async (original) => {
  const actual = await original<typeof import('../../dsl/check/check-program.ts')>();
  return {
    ...actual,
    checkProgram: (...args: Parameters<typeof actual.checkProgram>) => {
      const checked = actual.checkProgram(...args);
      if (plan.spoil !== 'program' || checked.program === null) return checked;
      return {
        ...checked,
        program: { ...checked.program, declarations: checked.program.declarations.filter((d) => d.kind !== 'axis') },
      };
    },
  };
});
vi.mock('../../compiler/elaborate/elaborate.ts', async (original) => {
  const actual = await original<typeof import('../../compiler/elaborate/elaborate.ts')>();
  return {
    ...actual,
    elaborate: (...args: Parameters<typeof actual.elaborate>) => {
      const made = actual.elaborate(...args);
      const spoilt = made.entries.map((e) => ({
        ...e,
        inference: { ...e.inference, nodes: e.inference.nodes.slice(1) },
      }));
      return plan.spoil === 'graph' ? { ...made, entries: spoilt } : made;
    },
  };
});
vi.mock('../../compiler/passes/drop-dead-values.ts', async (original) => {
  const actual = await original<typeof import('../../compiler/passes/drop-dead-values.ts')>();
  const { dropDeadValues } = actual;
  return {
    ...actual,
    dropDeadValues: {
      ...dropDeadValues,
      run: (...args: Parameters<typeof dropDeadValues.run>) => {
        const graph = dropDeadValues.run(...args);
        return plan.spoil === 'optimised' ? { ...graph, axes: new Map() } : graph;
      },
    },
  };
});
vi.mock('../../compiler/passes/fuse-elementwise.ts', async (original) => {
  const actual = await original<typeof import('../../compiler/passes/fuse-elementwise.ts')>();
  return {
    ...actual,
    fuseElementwise: (...args: Parameters<typeof actual.fuseElementwise>) => {
      const fused = actual.fuseElementwise(...args);
      return plan.spoil === 'sparse' ? { ...fused, materialised: new Set<number>() } : fused;
    },
  };
});
vi.mock('../../compiler/schedule/deciding/plan-schedule.ts', async (original) => {
  const actual = await original<typeof import('../../compiler/schedule/deciding/plan-schedule.ts')>();
  return {
    ...actual,
    planSchedule: (...args: Parameters<typeof actual.planSchedule>) => {
      const made = actual.planSchedule(...args);
      return plan.spoil === 'schedule' ? { ...made, steps: made.steps.toReversed() } : made;
    },
  };
});
vi.mock('../../compiler/schedule/schedule.ts', async (original) => {
  const actual = await original<typeof import('../../compiler/schedule/schedule.ts')>();
  return {
    ...actual,
    schedule: (...args: Parameters<typeof actual.schedule>) => {
      const made = actual.schedule(...args);
      return plan.spoil === 'plan' ? { ...made, plan: { ...made.plan, steps: made.plan.steps.slice(1) } } : made;
    },
  };
});
vi.mock('../../compiler/kernel/legalise/bound-depth.ts', async (original) => {
  const actual = await original<typeof import('../../compiler/kernel/legalise/bound-depth.ts')>();
  return {
    ...actual,
    boundDepth: (...args: Parameters<typeof actual.boundDepth>) => {
      const kernel = actual.boundDepth(...args);
      return plan.spoil === 'kernel' ? { ...kernel, buffers: kernel.buffers.slice(1) } : kernel;
    },
  };
});
vi.mock('../../compiler/wgsl/print-wgsl.ts', async (original) => {
  const actual = await original<typeof import('../../compiler/wgsl/print-wgsl.ts')>();
  return {
    ...actual,
    printWgsl: (...args: Parameters<typeof actual.printWgsl>) => {
      const text = actual.printWgsl(...args);
      return plan.spoil === 'wgsl' ? text.replace('@binding(1)', '@binding(0)') : text;
    },
  };
});
vi.mock('../../compiler/emit/build-manifest.ts', async (original) => {
  const actual = await original<typeof import('../../compiler/emit/build-manifest.ts')>();
  return {
    ...actual,
    buildManifest: (...args: Parameters<typeof actual.buildManifest>) => {
      const manifest = actual.buildManifest(...args);
      return plan.spoil === 'manifest' ? { ...manifest, stores: manifest.stores.slice(1) } : manifest;
    },
  };
});

const text = `import { SwiGLU } from "std"
model Small {
  axis T, D = 4, E = 3, F = 2
  param gate: [E, D]
  experts ffn[E] = SwiGLU<F>
  forward(x: [T, D]) -> [T, D] {
    let r = softmax(top_k(gate @ x, 2, over: E), over: E)
    r @ ffn(x)
  }
}
`;

function compile(): ReturnType<typeof compileProgram> {
  const { program, sources, diagnostics } = analyse({ name: 'small.moe', text });
  if (program === null) throw new Error(JSON.stringify(diagnostics));
  return compileProgram(program, { overrides: new Map(), target: webgpuCore, sources });
}

/** The stage that the error names, where it has a name of its own, and some of what it saw. */
const seen: Readonly<Record<Stage, RegExp>> = {
  tokens: /stage tokens: .*begins before the one in front of it ends/s,
  ast: /stage ast: .*is not inside/s,
  program: /stage program: .*is not declared/s,
  graph: /stage elaborate: .*has the id/s,
  optimised: /stage pass drop-dead-values: .*unknown axis/s,
  sparse: /stage pass fuse-elementwise: .*has no memory/s,
  schedule: /stage schedule: .*before it is computed/s,
  plan: /stage schedule: .*before it is written/s,
  kernel: /stage legalise: kernel /,
  wgsl: /stage wgsl: .*has the bindings/s,
  manifest: /stage manifest: .*store of /s,
};

describe('the stages of a compilation', () => {
  afterEach(() => {
    plan.spoil = null;
  });

  it('all give what they say, for a program without a fault', () => {
    expect(compile().manifest).not.toBeNull();
  });

  it.each(stages)('%s: a fault in what it gives is a bug that is told', (stage) => {
    plan.spoil = stage;
    expect(compile).toThrow(CompilerBug);
    expect(compile).toThrow(seen[stage]);
  });

  it('are printed by the files that the table names', () => {
    const shown = readFileSync(join(root, 'compiler/cli/running/stage-text.ts'), 'utf8');
    for (const { name, print, verify } of stageTable) {
      expect(existsSync(join(root, verify)), `${name}: ${verify}`).toBe(true);
      // Shader texts are printed by the line, as what it gives.
      const by = name === 'wgsl' ? readFileSync(join(root, 'compiler/compile.ts'), 'utf8') : shown;
      expect(by, name).toContain(print === null ? 'json(' : `/${print.replace(/^compiler\//, '')}'`);
    }
  });
});
