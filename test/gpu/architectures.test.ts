/** Every architecture of `test/architectures` on the GPU, compared by the bound derived for each number. */
import { expect } from 'vitest';
import { executeGpu } from '../../compiler/cli/running/execute.ts';
import { withVariables } from '../../compiler/cli/running/made-values.ts';
import { architectures, prepareArchitecture, sizesOf } from '../architectures/programs.ts';
import { differences, onReference, ready } from '../language/support.ts';
import { overAdapters } from '../support/sweeps.ts';
import { gpuTest } from '../support/gpu-test.ts';

const sweep = overAdapters(architectures);

for (const file of architectures)
  sweep.testOf(file, gpuTest)(file, { timeout: 240_000 }, async () => {
    const prepared = prepareArchitecture(file);
    const run = ready(prepared, { sizes: sizesOf(prepared, { B: 2, T: 5 }) });
    const weights = withVariables(null, prepared.manifest.stores, run.prepared.variables);
    const gpu = await executeGpu(run.prepared, { ...run.request, on: 'gpu', weights });
    const reference = await onReference(run);
    expect([...gpu.keys()].sort()).toEqual([...reference.keys()].sort());
    expect(differences(run, gpu, reference)).toEqual([]);
  });
