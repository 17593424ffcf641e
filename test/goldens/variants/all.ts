/** Every variant: the options that the systems' cases may take and none of the copied cases has. */
import type { GoldenCase } from '../golden-case.ts';
import { deepSeekMoe, deepSeekV2, deepSeekV3, panguPro } from './deepseek.ts';
import { gptOssWide, llama4Top1, manyExperts, mixtralTop1, qwen2Normalised } from './hugging-face.ts';
import { TooClose } from './plain.ts';
import { chainOfExperts, moePlusPlus, recurrentRouter, rexMoe } from './stacks.ts';

/** For three layers with a pool of nine: six are open. */
const open = [
  [1, 0, 1, 1, 0, 1, 1, 0, 1],
  [0, 1, 1, 1, 1, 0, 0, 1, 1],
  [1, 1, 1, 0, 1, 0, 1, 1, 0],
];

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
];
