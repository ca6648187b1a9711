import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';

/**
 * Runs a program to its end and returns what it printed on both streams. Throws with that output when it fails; an error with the code
 * ENOENT when there is no such program.
 */
export async function runCommand(program: string, args: string[], signal?: AbortSignal): Promise<string> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], ...(signal && { signal }) });
  const ended = new Promise<string>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, killedBy) => resolve(code === 0 ? '' : `ended with ${code ?? killedBy}`));
  });
  const [out, err, failure] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  if (failure !== '') throw new Error(`${program} ${args.join(' ')} ${failure}:\n${out}${err}`);
  return out + err;
}

/** Whether that program can be started, asked with the given harmless arguments. */
export async function hasCommand(program: string, args: string[] = ['--version']): Promise<boolean> {
  try {
    await runCommand(program, args);
    return true;
  } catch {
    return false;
  }
}
