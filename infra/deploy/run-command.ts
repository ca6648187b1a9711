import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

const keptBytes = 4_000;

/**
 * Runs a command of a shell with these variables besides our own. Throws with the end of its output if it fails, or takes longer than the
 * limit; it is killed then. What it leaves running in the background goes on.
 */
export async function runCommand(
  command: string,
  variables: Record<string, string>,
  limitMs: number,
): Promise<void> {
  const child = spawn('sh', ['-c', command], {
    // eslint-disable-next-line no-restricted-syntax -- commands of an operator expect the operator's environment
    env: { ...process.env, ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const keep = (data: Buffer): void => void (output = (output + data.toString()).slice(-keptBytes));
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const limit = setTimeout(() => child.kill('SIGKILL'), limitMs);
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  clearTimeout(limit);
  // A process in the background may have inherited the pipes, and would keep them open.
  if (code !== 0) await Promise.race([once(child, 'close'), sleep(100)]);
  child.stdout.destroy();
  child.stderr.destroy();
  if (code === 0) return;
  const how = signal === 'SIGKILL' ? `took longer than ${limitMs / 1000} s` : `exit code ${code ?? signal}`;
  throw new Error([`${command}: ${how}`, output.trim()].filter(Boolean).join('\n'));
}
