/** What the search keeps: it is told how fast every schedule is, and by how much two measurements of one differ. */
import { describe, expect, it } from 'vitest';
import {
  search, gainOf, type Measuring, type Race, type Replaced, type Step, type Times,
} from '../../compiler/cli/tuning/search.ts'; // prettier-ignore
import type { Site } from '../../compiler/schedule/deciding/alternatives.ts';
import { changeText, readChange, type Change } from '../../compiler/schedule/deciding/changes.ts';

const change = (text: string): Change => {
  const read = readChange(text);
  if (read === null) throw new Error(`${text} is no change`);
  return read;
};

const site = (name: string, ...alternatives: readonly string[]): Site => ({
  name,
  alternatives: alternatives.map((text) => text.split('; ').map(change)),
});

/** A device on which time is a function of the changes, and of the regime. */
interface Machine {
  /** Milliseconds of what changes replace. */
  readonly time: (changes: ReadonlySet<string>, regime: number) => number;
  readonly regimes?: number;
  /** By how much a measurement is off, of itself, one after the other. */
  readonly noise?: (n: number) => number;
  readonly look?: (changes: readonly string[]) => readonly Replaced[] | null;
  readonly otherBits?: (changes: ReadonlySet<string>) => boolean;
}

interface Told {
  readonly steps: Step[];
  races: number;
  rounds: number;
  now: number;
}

function measuringOn(machine: Machine, told: Told): Measuring {
  const regimes = machine.regimes ?? 1;
  let measured = 0;
  const texts = (changes: readonly Change[]): ReadonlySet<string> => new Set(changes.map(changeText));
  const timeOf = (changes: readonly Change[], regime: number): number => {
    told.now += 1000;
    return machine.time(texts(changes), regime) * (1 + (machine.noise?.(measured++) ?? 0));
  };
  const open = Array.from({ length: regimes }, (): Replaced => ({ share: 0.5, ofCeiling: 0.2 }));
  return {
    look: (_, tried) => Promise.resolve(machine.look === undefined ? open : machine.look(tried.map(changeText))),
    race: (standing, tried, rounds, isHopeless): Promise<Race> => {
      told.races++;
      const all: Times[] = [];
      for (let regime = 0; regime < regimes; regime++) {
        const times = { standing: [] as number[], tried: [] as number[], run: 2 * machine.time(new Set(), regime) };
        for (let round = 0; round < rounds && !isHopeless(times); round++) {
          told.rounds++;
          times.standing.push(timeOf(standing, regime));
          times.tried.push(timeOf(tried, regime));
        }
        all.push(times);
        if (isHopeless(times)) break;
      }
      return Promise.resolve({ sameBits: machine.otherBits?.(texts(tried)) !== true, regimes: all });
    },
  };
}

async function searched(
  machine: Machine,
  sites: readonly Site[],
  { until = Infinity, stopAfter = Infinity }: { readonly until?: number; readonly stopAfter?: number } = {},
) {
  const told: Told = { steps: [], races: 0, rounds: 0, now: 0 };
  const found = await search(sites, measuringOn(machine, told), {
    now: () => told.now,
    until,
    isStopped: () => told.races >= stopAfter,
    tell: (step) => told.steps.push(step),
  });
  return { ...found, kept: found.kept.map(changeText), told, outcomes: told.steps.map(({ outcome }) => outcome) };
}

const [narrow, wide, wider, apart] = ['%1 simd8 8 x 1', '%1 simd8 8 x 3', '%1 simd8 8 x 4', '%2 apart'] as const;
const sites = [site('tile of %1', narrow, wide, wider), site('row of %2', apart)];

describe('a change is kept', () => {
  it('if it is faster, and then the others are measured against it', async () => {
    const time = (has: ReadonlySet<string>): number => (has.has(wider) ? 5 : has.has(wide) ? 7 : has.has(narrow) ? 20 : 10) * (has.has(apart) ? 0.9 : 1);
    const found = await searched({ time }, sites);
    expect(found.kept).toEqual([wider, apart]);
    expect(found.outcomes).toEqual(['slower', 'kept', 'kept', 'kept']);
    expect(found.gains).toMatchObject([{ kind: 'faster', ratio: 0.45 }]);
    expect(found.gains[0]?.ofRun).toBeCloseTo(1 - 0.5 * 0.55, 10);
    expect(found).toMatchObject({ tried: 4, ended: 'all tried' });
  }); // prettier-ignore

  it('by more than three hundredths only', async () => {
    for (const [gain, kept] of [[0.02, []], [0.04, [wide]]] as const)
      expect((await searched({ time: (has) => (has.has(wide) ? 10 * (1 - gain) : 10) }, [site('tile', wide)])).kept).toEqual(kept);
  }); // prettier-ignore

  it('by more than what the default differs from itself by', async () => {
    // Measurements come in pairs: the standing one goes up and down by a fifth, what is tried takes nine tenths of it.
    const noise = (n: number): number => (Math.floor(n / 2) % 2 === 0 ? -0.1 : 0.1);
    const time = (has: ReadonlySet<string>): number => (has.has(wide) ? 9 : 10);
    expect((await searched({ time, noise }, [site('tile', wide)])).kept).toEqual([]);
    expect((await searched({ time }, [site('tile', wide)])).kept).toEqual([wide]);
  });

  it('if it is slower in no regime, and counts for those in which it is faster', async () => {
    const few = (has: ReadonlySet<string>, regime: number): number => (has.has(wide) && regime === 1 ? 8 : 10);
    const found = await searched({ time: few, regimes: 3 }, [site('tile', wide)]);
    expect(found.kept).toEqual([wide]);
    expect(found.gains.map(({ kind }) => kind)).toEqual(['same', 'faster', 'same']);
    const mixed = (has: ReadonlySet<string>, regime: number): number => (has.has(wide) ? [11, 5, 10][regime] ?? 10 : 10);
    expect((await searched({ time: mixed, regimes: 3 }, [site('tile', wide)])).kept).toEqual([]);
  }); // prettier-ignore

  it('if the results are the same', async () => {
    const found = await searched({ time: (has) => (has.has(wide) ? 5 : 10), otherBits: (has) => has.has(wide) }, [site('tile', wide)]);
    expect(found).toMatchObject({ kept: [], outcomes: ['other bits'] });
  }); // prettier-ignore

  it('if it still is when it is measured again: luck is taken back', async () => {
    let races = 0;
    // Each was faster once; together they are as fast as the first alone.
    const time = (has: ReadonlySet<string>): number => {
      if (has.size === 0) races++;
      return has.has(apart) ? (races > 9 ? 11 : 5) : has.has(wide) ? 8 : 10;
    };
    const found = await searched({ time }, [site('tile', wide), site('row', apart)]);
    expect(found.outcomes).toEqual(['kept', 'kept']);
    expect(found.kept).toEqual([wide]);
  });
});

describe('nothing is tried', () => {
  const time = (has: ReadonlySet<string>): number => (has.size > 0 ? 5 : 10);

  it('near what the device reaches', async () => {
    const found = await searched({ time, look: () => [{ share: 0.9, ofCeiling: 0.91 }] }, sites);
    expect(found).toMatchObject({ kept: [], tried: 0, outcomes: ['at its ceiling', 'at its ceiling'] });
    expect(found.told.races).toBe(0);
    const open = await searched({ time, regimes: 2, look: () => [{ share: 0.9, ofCeiling: 0.95 }, { share: 0.9, ofCeiling: 0.5 }] }, sites); // prettier-ignore
    expect(open.tried).toBeGreaterThan(0);
  });

  it('any more where what is kept comes near it', async () => {
    let looks = 0;
    const look = (): readonly Replaced[] => [{ share: 0.9, ofCeiling: looks++ < 3 ? 0.5 : 0.9 }];
    const found = await searched({ time, look }, [site('tile of %1', narrow, wide, wider)]);
    expect(found).toMatchObject({ kept: [narrow], tried: 2, outcomes: ['kept', 'not faster', 'at its ceiling'] });
  });

  it('where a run spends no time, or nothing would change', async () => {
    expect((await searched({ time, look: () => [{ share: 0.005, ofCeiling: 0 }] }, sites)).outcomes).toEqual(['too short', 'too short']);
    const none = await searched({ time, look: (changes) => (changes.includes(wide) ? [{ share: 1, ofCeiling: 0 }] : null) }, sites);
    expect(none.tried).toBe(1);
  }); // prettier-ignore

  it('when the budget is spent, and what was found until then counts', async () => {
    const found = await searched({ time: (has) => (has.has(narrow) ? 5 : has.size > 0 ? 1 : 10) }, sites, { until: 10_000 });
    expect(found).toMatchObject({ kept: [narrow], ended: 'budget spent', tried: 1 });
  }); // prettier-ignore

  it('when it is stopped, and what was found until then counts', async () => {
    const found = await searched({ time: (has) => (has.has(narrow) ? 5 : has.size > 0 ? 1 : 10) }, sites, { stopAfter: 1 });
    expect(found).toMatchObject({ kept: [narrow], ended: 'stopped', tried: 1 });
    expect(found.gains).toMatchObject([{ kind: 'faster', ratio: 0.5 }]);
  }); // prettier-ignore
});

describe('of decisions', () => {
  it('those with most to gain come first', async () => {
    const look = (changes: readonly string[]): readonly Replaced[] =>
      changes.includes(apart) ? [{ share: 0.6, ofCeiling: 0.1 }] : [{ share: 0.9, ofCeiling: 0.85 }];
    const found = await searched({ time: () => 10, look }, sites);
    expect(found.told.steps.map(({ site: name }) => name)).toEqual(['row of %2', 'tile of %1', 'tile of %1', 'tile of %1']);
  }); // prettier-ignore

  it('what is far slower is given up early', async () => {
    const found = await searched({ time: (has) => (has.size > 0 ? 30 : 10), regimes: 2 }, [site('tile', wide)]);
    expect(found.outcomes).toEqual(['slower']);
    expect(found.told.rounds).toBe(3);
  });
});

describe('a gain', () => {
  it('of launches that the clock does not see is none', () => {
    expect(gainOf({ standing: [0, 0], tried: [0, 1], run: 0 })).toMatchObject({ kind: 'same', ratio: 1, ofRun: 1 });
  });

  it('of launches that are next to nothing of a run is none', () => {
    const times = { standing: [10, 10, 10], tried: [5, 5, 5] };
    expect(gainOf({ ...times, run: 999 })).toMatchObject({ kind: 'faster' });
    expect(gainOf({ ...times, run: 1001 })).toMatchObject({ kind: 'same', ratio: 0.5 });
    expect(gainOf({ ...times, tried: [50, 50, 50], run: 1001 })).toMatchObject({ kind: 'same' });
  });

  it('does not change with a single outlier', () => {
    const standing = [10, 10, 10, 95, 10, 10, 10, 10];
    const tried = [8, 8, 8, 8, 70, 8, 8, 8];
    expect(gainOf({ standing, tried, run: 20 })).toMatchObject({ kind: 'faster', ratio: 0.8, noise: 0.03 });
  });
});
