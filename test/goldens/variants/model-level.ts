/** Language models as experts: what their routers choose, and what comes back from stand-ins that add their number to every token. */
import type { Value } from '../formula.ts';
import type { GoldenCase } from '../golden-case.ts';
import { CaseBuilder, TooClose, best, multiply, range, sum, times, unit } from './plain.ts';

/** A prompt's neighbours vote on its category; a vote without a clear result goes to the general model. */
export function composition(threshold: number, seed: number): GoldenCase {
  const [R, D, N, C, M, K, Text, general] = [9, 3, 14, 4, 3, 5, 4, 2];
  const config = new Map<string, Value>([
    ['categories', C],
    ['experts', M],
    ['k', K],
    ['entropy_threshold', threshold],
    ['general_expert', general],
    ['tokens_of_a_prompt', Text],
  ]);
  const builder = new CaseBuilder(`variant-composition-${threshold}`, 'Composition of Experts', config, seed);
  const x = builder.matrix('input', R, D);
  const embedding = builder.matrix('embedding', N, D);
  const category = range(N).map((n) => (n + Math.floor(n / 3) + seed) % C);
  const table = [1, 0, 2, 1];
  const prompt = range(R).map((r) => range(Text).map((i) => 10 * r + i));
  builder.put('category', category, 'i32');
  builder.put('best', table, 'i32');
  builder.put('input.prompt', prompt, 'i32');
  const routed = x.map((token) => {
    const near = best(multiply(embedding.map(unit), unit(token)), K);
    const p = range(C).map((c) => near.filter((n) => category[n] === c).length / K);
    const entropy = -sum(p.filter((v) => v > 0).map((v) => v * Math.log(v)));
    if (Math.abs(entropy - threshold) < 1e-3) throw new TooClose();
    const guess = p.indexOf(Math.max(...p));
    return { entropy, guess, expert: entropy > threshold ? general : (table[guess] ?? NaN) };
  });
  // Both ways have to occur, or the case would prove one only.
  const doubtful = routed.filter(({ entropy }) => entropy > threshold).length;
  if (doubtful === 0 || doubtful === R) throw new TooClose();
  builder.put(
    'expected.entropy',
    routed.map(({ entropy }) => entropy),
  );
  builder.put(
    'expected.category',
    routed.map(({ guess }) => guess),
    'i32',
  );
  builder.put(
    'expected.expert',
    routed.map(({ expert }) => [expert]),
    'i32',
  );
  builder.put(
    'expected.output',
    routed.map(({ expert }, r) => (prompt[r] ?? []).map((token) => token + expert)),
    'i32',
  );
  return builder.build();
}

/** Models recruited by the skills that questions need; one question that none of them is good at. */
export function symbolic(temperature: number, shift: number, seed: number): GoldenCase {
  const [Q, S, E, K] = [8, 5, 4, 2];
  const config = new Map<string, Value>([
    ['skills', S],
    ['experts', E],
    ['instances', Q],
    ['recruits', K],
    ['strength_temperature', temperature],
  ]);
  const builder = new CaseBuilder(`variant-symbolic-${temperature}-${shift}`, 'Symbolic-MoE', config, seed);
  // Skill 0 is one that every model fails at.
  const profile = range(E).map((m) =>
    range(S).map((s) => (s === 0 ? -1 - m : ((7 * m + 5 * s * s + seed) % 9) + shift)),
  );
  const present = range(E).map((m) => range(S).map((s) => ((m + 2 * s) % 4 === 3 ? 0 : 1)));
  const needed = range(Q).map((q) =>
    range(S)
      .map((s) => (q === 0 ? s === 0 : (3 * q + s * s) % 3 === 0))
      .map(Number),
  );
  builder.put('profile', profile);
  builder.put('profile_present', present);
  builder.put('needed_skills', needed);
  const known = profile.map((row, m) => row.map((v, s) => v * (present[m]?.[s] ?? NaN)));
  const total = known.map(sum);
  const least = Math.min(...total);
  const power = total.map((t) => (least < 0 ? t + 1 - least : t) ** (1 / temperature));
  const strength = times(1 / sum(power), power);
  const score = needed.map((row) => multiply(known, row));
  const chance = score.map((row) => {
    const some = row.some((v) => v > 0);
    const raw = row.map((v, m) => (strength[m] ?? NaN) * (some ? Math.max(v, 0) : v - Math.min(...row) + 1));
    return times(1 / sum(raw), raw);
  });
  const recruits = chance.map((row) => best(row, K));
  const work = range(E).map((m) => recruits.filter((row) => row.includes(m)).length);
  const answers = recruits.map((row, q) => row.map((m) => (needed[q] ?? []).map((token) => token + m)));
  builder.put('expected.strength', strength);
  builder.put('expected.skill_score', score);
  builder.put('expected.recruit_probability', chance);
  builder.put('expected.top3', recruits, 'i32');
  builder.put('expected.instances_per_expert', work);
  builder.put('expected.model_loads_grouped', work.filter((n) => n > 0).length);
  builder.put('expected.model_loads_naive', Q * K);
  builder.put('expected.answers', answers, 'i32');
  builder.put(
    'expected.output',
    answers.map((row) => range(S).map((s) => Math.max(...row.map((answer) => answer[s] ?? NaN)))),
    'i32',
  );
  return builder.build();
}

export const modelLevelVariants: readonly ((seed: number) => GoldenCase)[] = [
  (seed) => composition(1, seed),
  (seed) => composition(0.6, seed),
  (seed) => symbolic(0.5, -6, seed),
  (seed) => symbolic(1, 2, seed),
];
