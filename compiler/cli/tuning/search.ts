/**
 * The search of `moec tune`: which changes to a schedule are faster than the default beyond noise. It knows no device and no clock: what it
 * looks at is handed to it (`Measuring`), so that tests decide what is fast.
 *
 * Decisions come in the order of what may be gained with them; of each the alternatives are tried one by one, in turns with what stands
 * so far. One that is faster in a regime, slower in none, and gives the same bits, stands from then on. At the end what stands is
 * compared with the default once more, and each regime says for itself whether that is faster there.
 */
import { at } from '../../../dsl/diagnostics/invariants.ts';
import { together, type Change } from '../../schedule/deciding/changes.ts';
import type { Site } from '../../schedule/deciding/alternatives.ts';
import { median } from '../profiling/time-launches.ts';

/** The launches that changes replace in one regime. */
export interface Replaced {
  /** Of the time of a run's launches. */
  readonly share: number;
  /** How near they are to what the device reaches at most, from 0 to 1. */
  readonly ofCeiling: number;
}

/** Times of the launches in which two schedules differ, in turns: the one of a round after the other. */
export interface Times {
  readonly standing: readonly number[];
  readonly tried: readonly number[];
  /** Of all launches of a run of what stands. */
  readonly run: number;
}

export interface Race {
  /** Whether the results of both were the same, bit by bit, in every regime. */
  readonly sameBits: boolean;
  /** Of each regime; fewer where it was stopped before. */
  readonly regimes: readonly Times[];
}

export interface Measuring {
  /** What changes replace of what stands, in each regime; null: nothing, or they may not be made. */
  readonly look: (standing: readonly Change[], tried: readonly Change[]) => Promise<readonly Replaced[] | null>;
  /** So many rounds in each regime, or fewer where one says that more of it are of no use. */
  readonly race: (
    standing: readonly Change[],
    tried: readonly Change[],
    rounds: number,
    isHopeless: (times: Times) => boolean,
  ) => Promise<Race>;
}

/** What of a schedule is faster than the default at least, and what two measurements of the same may differ by. */
const LEAST_GAIN = 0.03;
/** From here on a launch has nothing to gain. */
const AT_CEILING = 0.9;
/** Of a run; what takes less is not worth a try. */
const LEAST_SHARE = 0.01;
const [ROUNDS, LAST_ROUNDS] = [7, 11];
/** After so many rounds what is so much slower is given up. */
const [FEW_ROUNDS, HOPELESS] = [3, 1.15];

export interface Gain {
  readonly kind: 'faster' | 'same' | 'slower';
  /** Time that is taken of that which was: of the launches that differ, and of a run's. */
  readonly ratio: number;
  readonly ofRun: number;
  /** By how much a ratio has to differ from 1. */
  readonly noise: number;
}

/**
 * Whether what was tried is faster: by the median of rounds, beyond what the standing one differs from itself by. What is next to nothing of
 * a run is the same.
 */
export function gainOf({ standing, tried, run }: Times): Gain {
  const ratios = standing.flatMap((time, i) => (time > 0 ? [at(tried, i, 'cli: times') / time] : []));
  const itself = standing.slice(1).flatMap((time, i) => (time > 0 ? [at(standing, i, 'cli: times') / time] : []));
  // A clock that does not see them tells nothing of them.
  if (ratios.length === 0) return { kind: 'same', ratio: 1, ofRun: 1, noise: LEAST_GAIN };
  const ratio = median(ratios);
  const noise = Math.max(LEAST_GAIN, spreadOf(itself));
  const share = run > 0 ? Math.min(1, median(standing) / run) : 0;
  const counts = share >= LEAST_SHARE;
  const kind = counts && ratio < 1 - noise ? 'faster' : counts && ratio > 1 + noise ? 'slower' : 'same';
  return { kind, ratio, ofRun: 1 - share * (1 - ratio), noise };
}

/** How far from 1 ratios are, but for the quarter at each end. */
function spreadOf(ratios: readonly number[]): number {
  const sorted = ratios.toSorted((a, b) => a - b);
  const quarter = Math.floor(sorted.length / 4);
  return Math.max(0, ...sorted.slice(quarter, sorted.length - quarter).map((ratio) => Math.abs(ratio - 1)));
}

const isHopeless = (times: Times): boolean => times.standing.length >= FEW_ROUNDS && gainOf(times).ratio > HOPELESS;

export type Outcome = 'kept' | 'not faster' | 'slower' | 'other bits' | 'at its ceiling' | 'too short';

/** What the search says of what it does. */
export interface Step {
  readonly site: string;
  /** None where the site was left out. */
  readonly changes: readonly Change[];
  readonly outcome: Outcome;
  readonly gains: readonly Gain[];
}

export interface SearchOptions {
  readonly now: () => number;
  /** When nothing new is tried any more, by `now`. */
  readonly until: number;
  readonly isStopped: () => boolean;
  readonly tell: (step: Step) => void;
}

export interface Found {
  readonly kept: readonly Change[];
  /** Of each regime, against the default; empty where nothing is kept. */
  readonly gains: readonly Gain[];
  readonly tried: number;
  readonly ended: 'all tried' | 'budget spent' | 'stopped';
}

export async function search(sites: readonly Site[], measuring: Measuring, options: SearchOptions): Promise<Found> {
  const { tell } = options;
  /** Sets of changes, in the order in which they were kept. */
  const kept: (readonly Change[])[] = [];
  let tried = 0;
  let ended: Found['ended'] = 'all tried';
  const goesOn = (): boolean => {
    if (options.isStopped()) ended = 'stopped';
    else if (options.now() >= options.until) ended = 'budget spent';
    return ended === 'all tried';
  };
  const left = new Set<Site>();
  /** Said once of a decision, whatever may be tried of it. */
  const leaveOut = (site: Site, regimes: readonly Replaced[]): void => {
    if (!left.has(site)) tell(leftOut(site, regimes));
    left.add(site);
  };
  const tryOne = async (site: Site, alternative: readonly Change[]): Promise<void> => {
    const standing = together(...kept);
    const changes = together(standing, alternative);
    const replaced = await measuring.look(standing, changes);
    if (replaced === null) return;
    if (openOf(replaced).length === 0) return leaveOut(site, replaced);
    tried++;
    const { sameBits, regimes } = await measuring.race(standing, changes, ROUNDS, isHopeless);
    const gains = regimes.map(gainOf);
    const outcome = outcomeOf(sameBits, gains);
    if (outcome === 'kept') kept.push(alternative);
    tell({ site: site.name, changes: alternative, outcome, gains });
  };
  for (const site of await ranked(sites, measuring, tell, goesOn))
    for (const alternative of site.alternatives) if (goesOn()) await tryOne(site, alternative);
  // What was kept step by step is one thing now. Where it is not faster than the default as a whole, the last step was luck.
  for (; kept.length > 0; kept.pop()) {
    const changes = together(...kept);
    const { sameBits, regimes } = await measuring.race([], changes, LAST_ROUNDS, () => false);
    const gains = regimes.map(gainOf);
    if (outcomeOf(sameBits, gains) === 'kept') return { kept: changes, gains, tried, ended };
  }
  return { kept: [], gains: [], tried, ended };
}

function outcomeOf(sameBits: boolean, gains: readonly Gain[]): Outcome {
  if (!sameBits) return 'other bits';
  if (gains.some(({ kind }) => kind === 'slower')) return 'slower';
  return gains.some(({ kind }) => kind === 'faster') ? 'kept' : 'not faster';
}

/** The decisions that are worth a try, those with most to gain first. */
async function ranked(
  sites: readonly Site[],
  measuring: Measuring,
  tell: SearchOptions['tell'],
  goesOn: () => boolean,
): Promise<readonly Site[]> {
  const found: { readonly site: Site; readonly gain: number }[] = [];
  for (const site of sites) {
    if (!goesOn()) break;
    const regimes = await firstLook(site, measuring);
    if (regimes === null) continue;
    const open = openOf(regimes);
    if (open.length === 0) tell(leftOut(site, regimes));
    else found.push({ site, gain: Math.max(...open.map(({ share, ofCeiling }) => share * (1 - ofCeiling))) });
  }
  return found.toSorted((a, b) => b.gain - a.gain).map(({ site }) => site);
}

const leftOut = ({ name }: Site, regimes: readonly Replaced[]): Step => ({
  site: name,
  changes: [],
  outcome: regimes.every(isShort) ? 'too short' : 'at its ceiling',
  gains: [],
});

const isShort = ({ share }: Replaced): boolean => share < LEAST_SHARE;

/** Regimes in which something may be gained. */
const openOf = (regimes: readonly Replaced[]): readonly Replaced[] =>
  regimes.filter((regime) => !isShort(regime) && regime.ofCeiling < AT_CEILING);

async function firstLook({ alternatives }: Site, { look }: Measuring): Promise<readonly Replaced[] | null> {
  for (const alternative of alternatives) {
    const regimes = await look([], alternative);
    if (regimes !== null) return regimes;
  }
  return null;
}
