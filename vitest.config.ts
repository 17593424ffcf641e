/**
 * How the tests run: two workers, and in each one file after the other in the same process, so that the compiler is loaded and made
 * fast once and not a hundred times. A file may therefore change nothing that the next one sees; one that has to is in `alone`.
 */
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { briefly } from './test/support/node-flags.mjs';

/** Files with a process of their own: they put other modules in place of the compiler's. */
const alone = ['test/house/stages.test.ts', 'test/verify/shipped.test.ts', 'test/fuzz/random-schedule.test.ts'];

/** Files that hold a device: the command line leaves them out where there is none to be tested. */
const gpu = ['test/gpu/**/*.test.ts'];

/** The longest files, longest first: they begin first, so that both workers end at about the same time on a fresh clone too. */
const longest = [
  'test/gpu/goldens',
  'test/gpu/architectures',
  'test/gpu/not-a-number',
  'test/gpu/tune',
  'test/package/package',
  'test/examples/kernels',
  'test/examples/odd-sizes',
  'test/plans/plans',
  'test/goldens/cases',
  'test/examples/work',
  'test/cli/compile',
  'test/cli/run',
  'test/cli/readme',
  'test/cli/verbs',
  'test/goldens/variants',
  'test/fuzz/fuzz',
  'test/fuzz/findings',
  'test/architectures/architectures',
  'test/kernels/families',
  'test/diagnostics/explain',
  'test/graph/agreement',
  'test/schedule/read-schedule',
  'test/numbers/sums',
  'test/schedule/relations',
  'test/schedule/random',
  'test/check/habits',
  'test/verify/mutants',
  'test/language/breadth',
  'test/language/language',
  'test/graph/text',
  'test/syntax/limits',
  'test/syntax/fuzz',
];

/** The place of a file: those of `longest` as they are listed, then the others. */
function rank({ moduleId }: TestSpecification): number {
  const found = longest.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`));
  return found === -1 ? longest.length : found;
}

class LongestFirst extends BaseSequencer {
  /**
   * The files of one part of a run: dealt out, the longest first, so that the parts take about as long. By their names and nothing that
   * an earlier run left behind, or a file would be in both parts and another in none.
   */
  override async shard(files: TestSpecification[]): Promise<TestSpecification[]> {
    const { shard } = this.ctx.config;
    if (shard === undefined) return files;
    const dealt = files.toSorted((a, b) => rank(a) - rank(b) || (a.moduleId < b.moduleId ? -1 : 1));
    return dealt.filter((_, i) => i % shard.count === shard.index - 1);
  }

  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // The rest stays in the order of vitest, which sorts by project first: files of a project share processes.
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => {
      const project = Number(b.project.config.isolate) - Number(a.project.config.isolate);
      return project === 0 ? rank(a) - rank(b) : project;
    });
  }
}

export default defineConfig({
  test: {
    pool: 'forks',
    // Projects do not hear of `--maxWorkers`: two runs beside each other say it so (test/run-tests.mjs).
    maxWorkers: Number(process.env['MOEC_TEST_WORKERS'] ?? '2'),
    execArgv: [...briefly],
    testTimeout: 60_000,
    // The runs on the adapters begin with what the first run has transformed; entries go by the content of a file.
    experimental: { fsModuleCache: true, fsModuleCachePath: '.cache/vitest' },
    sequence: { sequencer: LongestFirst },
    projects: [
      { extends: true, test: { name: 'alone', include: alone, isolate: true } },
      // A project with excludes of its own does not hear of `--exclude`, which leaves these out.
      {
        extends: true,
        test: {
          name: 'gpu',
          include: gpu,
          isolate: false,
          env: { MOEC_TEST_CLASSES: 'all' },
          setupFiles: ['test/support/poll-slowly.mjs'],
        },
      },
      {
        extends: true,
        test: { name: 'shared', include: ['test/**/*.test.ts'], exclude: [...alone, ...gpu], isolate: false },
      },
    ],
  },
});
