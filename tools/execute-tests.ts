import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestOutcome } from './test-event-reporter.ts';

const fileTimeoutMs = 900_000;
// Shared by all tests and by the services that they start: most of a short process is stripping types and compiling.
const compileCache = join(import.meta.dirname, '../node_modules/.cache/node-compile-cache');
const together = join(import.meta.dirname, 'test-together.ts');
const running = new Set<number>();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    running.forEach(killGroup);
    process.exit(1);
  });
}

export interface Execution {
  outcomes: TestOutcome[];
  output: string;
  /** How the process ended, if not well. */
  problem: string;
  /** What it cost, with the processes that it started and waited for. 0 when it was killed. */
  cpuSeconds: number;
}

/** Runs one test file, or several of them, in one process, which cannot outlive them. Of several, each test's name begins with its file. */
export async function executeTests(files: readonly string[]): Promise<Execution> {
  // Files, not pipes: a process that a test left behind may hold a pipe open forever.
  const folder = mkdtempSync(join(tmpdir(), 'logloom-test-run-'));
  const events = join(folder, 'events');
  const log = join(folder, 'output');
  const usage = join(folder, 'usage');
  const output = openSync(log, 'a');
  const reporter = new URL('./test-event-reporter.ts', import.meta.url).href;
  const program = files.length === 1 ? files : [together, ...files];
  const args = [`--test-reporter=${reporter}`, `--test-reporter-destination=${events}`, ...program];
  // A process group of its own: what a test leaves running ends with it. Node's runner cannot end a test that never yields.
  const env = { ...process.env, NODE_COMPILE_CACHE: compileCache, TEST_USAGE_FILE: usage };
  const child = spawn(process.execPath, args, { stdio: ['ignore', output, output], detached: true, env });
  try {
    const problem = await endOf(child);
    const cpuSeconds = existsSync(usage) ? Number(readFileSync(usage, 'utf8')) : 0;
    return { outcomes: readOutcomes(events), output: readFileSync(log, 'utf8'), problem, cpuSeconds };
  } finally {
    closeSync(output);
    rmSync(folder, { recursive: true });
  }
}

/** How the process ended: '' when well. Kills it, with all that it started, when its time is over. */
async function endOf(child: ChildProcess): Promise<string> {
  const pid = child.pid;
  if (pid === undefined) throw new Error('no process could be started');
  running.add(pid);
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    killGroup(pid);
  }, fileTimeoutMs);
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  clearTimeout(timer);
  killGroup(pid);
  running.delete(pid);
  if (timedOut) return `it did not end within ${fileTimeoutMs / 1000} s`;
  return code === 0 ? '' : `its process ended with ${code ?? signal}`;
}

function readOutcomes(file: string): TestOutcome[] {
  if (!existsSync(file)) return [];
  // A killed process may leave its last line unfinished.
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as TestOutcome);
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nothing of the group is left.
  }
}
