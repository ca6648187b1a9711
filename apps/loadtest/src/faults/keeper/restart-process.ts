import { identityOf, isAlive, type ProcessIdentity } from '@logloom/runtime/process-identity';
import { spawn } from 'node:child_process';
import { closeSync, constants, openSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** How a process was started, as far as the kernel tells: enough to start it again. */
export interface LaunchRecord {
  file: string;
  args: string[];
  cwd: string;
  env: Record<string, string>;
  /** Open files for its output, taken from the process itself. */
  output: [stdout: number, stderr: number];
}

/** Reads from /proc how it was started. Throws where it belongs to another user. */
export function launchOf(pid: number): LaunchRecord {
  const listOf = (name: string): string[] =>
    readFileSync(`/proc/${pid}/${name}`, 'utf8').split('\0').slice(0, -1);
  const exe = readlinkSync(`/proc/${pid}/exe`);
  const args = listOf('cmdline');
  return {
    // An upgrade has replaced the file: the new one is at the path.
    file: exe.replace(/ \(deleted\)$/, ''),
    args: args.slice(1),
    cwd: readlinkSync(`/proc/${pid}/cwd`),
    env: Object.fromEntries(
      listOf('environ').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    ),
    output: [outputOf(pid, 1), outputOf(pid, 2)],
  };
}

export function commandText({ file, args, cwd }: LaunchRecord): string {
  const quoted = [file, ...args].map((part) =>
    /^[\w./:=@-]+$/.test(part) ? part : `'${part.replaceAll("'", "'\\''")}'`,
  );
  return `cd ${cwd} && ${quoted.join(' ')}`;
}

/** Starts it again, in a session of its own, so that it outlives this process. Throws when it cannot be started. */
export async function startAgain({ file, args, cwd, env, output }: LaunchRecord): Promise<ProcessIdentity> {
  const child = spawn(file, args, { cwd, env, detached: true, stdio: ['ignore', ...output] });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
  child.unref();
  return identityOf(child.pid!) ?? { pid: child.pid!, startTime: '' };
}

export function forget({ output }: LaunchRecord): void {
  for (const file of output) closeSync(file);
}

/** SIGTERM gives a server time to drain; then it is ended anyway. */
const graceMs = 90_000;

/** Resolves when the process is gone. */
export async function end(found: ProcessIdentity, signal: NodeJS.Signals): Promise<void> {
  if (isAlive(found)) process.kill(found.pid, signal);
  const until = performance.now() + graceMs;
  while (isAlive(found)) {
    if (performance.now() > until) process.kill(found.pid, 'SIGKILL');
    await sleep(10);
  }
}

/** A file, pipe or terminal can be opened once more; where it cannot, the output of the process is dropped. */
function outputOf(pid: number, fd: number): number {
  const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_NOCTTY;
  try {
    // A pipe that nobody reads would be waited for; asked not to wait, it refuses.
    closeSync(openSync(`/proc/${pid}/fd/${fd}`, flags | constants.O_NONBLOCK));
    return openSync(`/proc/${pid}/fd/${fd}`, flags);
  } catch {
    return openSync('/dev/null', constants.O_WRONLY);
  }
}
