/** Every variant: the options that the systems' cases may take and none of the copied cases has. */
import type { GoldenCase } from '../golden-case.ts';
import { onlinePruning, oracleOfThreeWays, topAnyPruning } from './adaptive.ts';
import { similarityAware } from './attention-aware.ts';
import { deepSeekMoe, deepSeekV2, deepSeekV3, panguPro } from './deepseek.ts';
import { gptOssWide, llama4Top1, manyExperts, mixtralTop1, qwen2Normalised } from './hugging-face.ts';
import { megatronVariants } from './megatron.ts';
import { modelLevelVariants } from './model-level.ts';
import { hierarchy, multiGate, progressiveLevels } from './multi-task.ts';
import { TooClose } from './plain.ts';
import { proMoeExpertChoice, proMoeTokenChoice } from './promoe.ts';
import { oneLayer, selfContrast } from './self-contrast.ts';
import { chainOfExperts, moePlusPlus, recurrentRouter, rexMoe } from './stacks.ts';
import { dataSelection, expertSelection, selectiveAttention } from './union-of-experts.ts';

/** For three layers with a pool of nine: six are open. */
const open = [
  [1, 0, 1, 1, 0, 1, 1, 0, 1],
  [0, 1, 1, 1, 1, 0, 0, 1, 1],
  [1, 1, 1, 0, 1, 0, 1, 1, 0],
];

/** Three samples, one of them without a class. */
const proMoe = {
  labels: [3, 9, 0],
  shared: true,
  uncond: true,
  allPicks: false,
  balance: 0,
  perSample: false,
} as const;

/** The first seed with which no selection is too close to call. */
function clear(make: (seed: number) => GoldenCase): GoldenCase {
  for (let seed = 1; ; seed++) {
    try {
      return make(seed);
    } catch (error) {
      if (!(error instanceof TooClose) || seed === 1000) throw error;
    }
  }
}

export const variants: readonly GoldenCase[] = [
  clear((seed) => mixtralTop1(seed)),
  clear((seed) => manyExperts('OLMoE', seed)),
  clear((seed) => manyExperts('Qwen3-MoE', seed)),
  clear((seed) => qwen2Normalised(seed)),
  clear((seed) => llama4Top1(seed)),
  clear((seed) => gptOssWide(seed)),
  clear((seed) => deepSeekMoe({ seqAux: true, norm: false, sharedExperts: 2 }, seed)),
  clear((seed) => deepSeekMoe({ seqAux: false, norm: false, sharedExperts: 1 }, seed)),
  clear((seed) => deepSeekMoe({ seqAux: true, norm: true, sharedExperts: 1 }, seed)),
  clear((seed) => deepSeekV2({ method: 'greedy', norm: false, scale: 2.5 }, seed)),
  clear((seed) => deepSeekV2({ method: 'greedy', norm: true, scale: 2.5 }, seed)),
  clear((seed) => deepSeekV2({ method: 'group_limited_greedy', norm: true, scale: 2.5 }, seed)),
  clear((seed) => deepSeekV3({ fn: 'softmax', bias: false, groups: 4 }, seed)),
  clear((seed) => deepSeekV3({ fn: 'softmax', bias: true, groups: 4 }, seed)),
  clear((seed) => deepSeekV3({ fn: 'sigmoid', bias: false, groups: 2 }, seed)),
  clear((seed) => deepSeekV3({ fn: 'sigmoid', bias: false, groups: 1 }, seed)),
  clear((seed) => panguPro({ perGroup: 1, sharedWidth: 0 }, seed)),
  clear((seed) => panguPro({ perGroup: 2, sharedWidth: 5 }, seed)),
  clear((seed) =>
    chainOfExperts({ independent: false, inner: false, outer: true, norm: false, sharedExperts: null }, seed),
  ),
  clear((seed) =>
    chainOfExperts({ independent: false, inner: true, outer: false, norm: true, sharedExperts: 2 }, seed),
  ),
  clear((seed) => chainOfExperts({ independent: true, inner: true, outer: true, norm: false, sharedExperts: 1 }, seed)),
  clear((seed) => rexMoe({ L: 3, r: 3, sharedExperts: 1, open: null }, seed)),
  clear((seed) => rexMoe({ L: 4, r: 2, sharedExperts: 2, open: null }, seed)),
  clear((seed) => rexMoe({ L: 2, r: 1, sharedExperts: 0, open: null }, seed)),
  clear((seed) => rexMoe({ L: 3, r: 3, sharedExperts: 1, open }, seed)),
  clear((seed) => recurrentRouter('rnn', false, seed)),
  clear((seed) => recurrentRouter('rnn', true, seed)),
  clear((seed) => recurrentRouter('gru', true, seed)),
  clear((seed) => moePlusPlus({ twoLayer: true, mixtral: false, normed: true, unscaled: false, constants: 2 }, seed)),
  clear((seed) => moePlusPlus({ twoLayer: false, mixtral: true, normed: true, unscaled: false, constants: 2 }, seed)),
  clear((seed) => moePlusPlus({ twoLayer: false, mixtral: false, normed: false, unscaled: true, constants: 1 }, seed)),
  multiGate([5], [4], 1),
  multiGate([5, 4, 3], [4, 2], 2),
  multiGate([5, 4], [4, 3, 2], 3),
  progressiveLevels({ levels: 1, specific: 2, shared: 1, experts: [5, 4], towers: [3], head: true }, 1),
  progressiveLevels({ levels: 2, specific: 2, shared: 3, experts: [5, 4], towers: [3], head: false }, 2),
  progressiveLevels({ levels: 3, specific: 1, shared: 2, experts: [4], towers: [3, 2], head: true }, 3),
  progressiveLevels({ levels: 4, specific: 2, shared: 1, experts: [5, 4, 3], towers: [3, 2], head: false }, 4),
  hierarchy({ experts: 3, watch: [0, 1], inter: [2, 3, 4], running: false }, 1),
  hierarchy({ experts: 1, watch: [0, 1, 2], inter: [3], running: true }, 2),
  clear((seed) => selectiveAttention(false, true, seed)),
  clear((seed) => selectiveAttention(true, false, seed)),
  clear((seed) => dataSelection(true, seed)),
  clear((seed) => dataSelection(false, seed)),
  clear((seed) => expertSelection(true, seed)),
  clear((seed) => expertSelection(false, seed)),
  clear((seed) => selfContrast({ strong: [0, 2, 3], weak: [1, 4], temperatures: [0.8, 1.5], endless: false }, seed)),
  clear((seed) => selfContrast({ strong: [0], weak: [5], temperatures: [1, 2], endless: true }, seed)),
  clear((seed) => oneLayer(seed)),
  clear((seed) => similarityAware({ heads: 0, topK: 2, causal: true }, seed)),
  clear((seed) => similarityAware({ heads: null, topK: 1, causal: false }, seed)),
  similarityAware({ heads: 0, topK: null, causal: true }, 3),
  clear((seed) => proMoeTokenChoice({ ...proMoe, score: 'softmax', topK: 2, perSample: false, balance: 0.3 }, seed)),
  clear((seed) => proMoeTokenChoice({ ...proMoe, score: 'sigmoid', topK: 2, perSample: true, balance: 0.3 }, seed)),
  clear((seed) => proMoeTokenChoice({ ...proMoe, score: 'identity', topK: 1, shared: false, allPicks: true }, seed)),
  clear((seed) => proMoeTokenChoice({ ...proMoe, score: 'softmax', topK: 1, uncond: false, balance: 0.5 }, seed)),
  clear((seed) => proMoeTokenChoice({ ...proMoe, score: 'softmax', topK: 2, labels: [9, 9] }, seed)),
  clear((seed) => proMoeExpertChoice({ ...proMoe, score: 'identity', topK: 1 }, seed)),
  clear((seed) => proMoeExpertChoice({ ...proMoe, score: 'softmax', topK: 2, shared: false }, seed)),
  clear((seed) => proMoeExpertChoice({ ...proMoe, score: 'sigmoid', topK: 1, uncond: false, labels: [0, 4, 1] }, seed)),
  ...megatronVariants.map(clear),
  ...modelLevelVariants.map(clear),
  clear((seed) => oracleOfThreeWays(seed)),
  clear((seed) => onlinePruning({ active: true, least: 0.3, most: 0.25 }, seed)),
  clear((seed) => onlinePruning({ active: true, least: 0.6, most: 0.6 }, seed)),
  clear((seed) => onlinePruning({ active: false, least: 0.3, most: 0.2 }, seed)),
  clear((seed) => topAnyPruning(false, seed)),
  clear((seed) => topAnyPruning(true, seed)),
];
