/** `moec init [DIR]`: a small model with comments, and a page that says what to do with it. Never overwrites. */
import { join } from 'node:path';
import { CliError } from '../terminal/cli-error.ts';
import { exitCodes } from '../terminal/exit.ts';
import { createFiles } from '../terminal/io.ts';
import type { Session } from '../terminal/session.ts';

/** Every construct a first model needs, and no other. A test checks, formats and runs it. */
export const firstModel = `/// A Mixture-of-Experts layer: eight experts, the best two for each token.
import { SwiGLU } from "std"

model Layer {
  // T, the number of tokens, is known when the model runs. The others are the model's: --set F=256 changes one.
  axis T, D = 64, F = 128, E = 8
  const K = 2

  // A family of functions: one expert for each point of E, each with its own parameters.
  experts ffn[E] = SwiGLU<F>

  // For each token a few experts and their weights; an expert that is absent is not computed.
  router gate(x: [D]) -> route[E] {
    param w: [E, D] = 0.02 * normal[E, D]
    softmax(w @ x, over: E) |> top_k(K, over: E) |> normalize
  }

  // The sum over the chosen experts, plus the token itself.
  forward(x: [T, D]) -> [T, D] {
    x + gate(x) @ ffn(x)
  }
}
`;

const readme = `# A model in moec

\`model.moe\` is a Mixture-of-Experts layer. \`moec check model.moe\` tells its mistakes,
\`moec compile model.moe -o build\` writes a module that runs it on WebGPU.
`;

/** Throws CliError 1 where one of the files is there already. */
export async function init(session: Session, dir: string): Promise<void> {
  session.stage = 'init';
  const files = [
    { path: 'model.moe', bytes: firstModel },
    { path: 'README.md', bytes: readme },
  ];
  const taken = await createFiles(dir, files);
  if (taken.length > 0) {
    const names = taken.map((path) => join(dir, path)).join(' and ');
    throw new CliError(exitCodes.input, `${names} ${taken.length === 1 ? 'is' : 'are'} already there`, {
      help: 'nothing was written; give another folder: moec init my-model',
    });
  }
  const written = files.map(({ path }) => join(dir, path));
  if (session.json) session.outJson({ ok: true, files: written });
  else {
    for (const path of written) session.say(`wrote ${path}`);
    session.say(`next: moec check ${join(dir, 'model.moe')}`);
  }
}
