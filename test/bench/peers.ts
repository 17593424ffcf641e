/**
 * Layers by other means, where they are installed: scripts of a folder that each take a shape (`S1`) and print a line of JSON with
 * `peer`, `shape` and `median_ms`. They run in processes of their own, after everything else.
 */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { PeerRow } from './report.ts';

/** What scripts are called with beside the shape, where one has several ways to do it. Others are called with the shape alone. */
const ways: Readonly<Record<string, readonly (readonly string[])[]>> = {
  'peer-ort.mjs': [
    ['moe', 'ep=cpu'],
    ['dense', 'ep=webgpu'],
  ],
  'peer-tfjs.mjs': [['loop']],
  'peer-jax.mjs': [['dense']],
  'peer-ggml.mjs': [['f32', 'device=CPU']],
};

export interface PeersRun {
  readonly rows: readonly PeerRow[];
  readonly left: readonly { readonly key: string; readonly reason: string }[];
}

export async function runPeers(
  folder: string,
  shapes: readonly string[],
  limit: number,
  tell: (line: string) => void,
): Promise<PeersRun> {
  const scripts = readdirSync(folder).filter((name) => /^peer-.*\.mjs$/.test(name) && name !== 'peer-moec.mjs');
  const rows: PeerRow[] = [];
  const left: { readonly key: string; readonly reason: string }[] = [];
  for (const script of scripts.sort()) {
    for (const shape of shapes) {
      for (const more of ways[script] ?? [[]]) {
        const key = [script, shape, ...more].join(' ');
        const found = await runPeer(join(folder, script), [shape, ...more], limit);
        tell(typeof found === 'string' ? `${key}: ${found}` : `${key}: ${found.median} ms`);
        if (typeof found === 'string') left.push({ key, reason: found });
        else rows.push(found);
      }
    }
  }
  return { rows, left };
}

/** Runs one script; a text says why there is nothing. */
function runPeer(script: string, args: readonly string[], limit: number): Promise<PeerRow | string> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    let err = '';
    child.stdout.on('data', (data) => (out += String(data)));
    child.stderr.on('data', (data) => (err += String(data)));
    const timer = setTimeout(() => child.kill('SIGKILL'), limit);
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      const row = out
        .split('\n')
        .map(peerRow)
        .find((each) => each !== null);
      const why =
        signal === null ? `it ended with ${code}: ${err.trim().split('\n').at(-1) ?? ''}` : 'it took too long';
      resolve(row ?? why);
    });
  });
}

/** A row from a line of a script, or null. */
export function peerRow(line: string): PeerRow | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const of = (name: string): unknown => Reflect.get(value, name);
  const number = (name: string): number | null => {
    const found = of(name);
    return typeof found === 'number' ? found : null;
  };
  const [peer, shape, median] = [of('peer'), of('shape'), number('median_ms')];
  if (typeof peer !== 'string' || typeof shape !== 'string' || median === null) return null;
  const note = of('note');
  return {
    peer,
    shape,
    median,
    min: number('min_ms'),
    cpu: number('cpu_ms'),
    note: typeof note === 'string' ? note : null,
  };
}
