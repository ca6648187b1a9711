import { once } from 'node:events';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { shortHash } from './cache.ts';
import { tryLock } from './lock.ts';
import { removeRecord, writeRecord } from './run-folder.ts';
import type { Stack } from './running-stack.ts';
import type { StackArguments } from './stack-arguments.ts';
import { envLines } from './stack-commands.ts';
import { startStack } from './start-stack.ts';

/**
 * Runs the stack in the foreground until SIGINT or SIGTERM. Settings go to the standard output, everything else to the standard error.
 * Throws when a stack runs in that folder already.
 */
export async function runStack({ dir, keep, options }: StackArguments): Promise<void> {
  const lock = await tryLock(`run-${shortHash(resolve(dir))}`);
  if (lock === undefined)
    throw new Error(`a stack runs in ${dir} already: stop it first, or use another --dir`);
  const stopRequest = new AbortController();
  // Installed for good: a second Ctrl-C must not leave engines behind while the first one stops them.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => stopRequest.abort(new Error(`stopped by ${signal}`)));

  await removeRecord(dir);
  if (!keep) await emptyFolder(dir);
  const report = (line: string): void => console.error(line);
  const stack = await startStack({ ...options, dir, signal: stopRequest.signal, report });
  // A process without children and timers would end: also a stack whose only server was killed stays.
  const staying = setInterval(() => {}, 2 ** 30);
  try {
    // Before the record: without a listener the signal ends the process, and whoever reads the record may send it.
    let starting = Promise.resolve();
    process.on('SIGUSR2', () => {
      starting = starting.then(() => startWhatIsDown(dir, stack, stopRequest.signal));
    });
    await writeRecord(dir, stack);
    console.log(envLines(stack.env));
    reportEnds(stack, stopRequest.signal);
    if (!stopRequest.signal.aborted) await once(stopRequest.signal, 'abort');
  } finally {
    clearInterval(staying);
    console.error('stopping');
    await stack.stop();
    await removeRecord(dir);
    await lock.release();
  }
}

/** All but the log of the background process, which is being written to. */
async function emptyFolder(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true });
  for (const name of await readdir(dir))
    if (name !== 'stack.log') await rm(join(dir, name), { recursive: true, force: true });
}

/** What was killed runs again, on the same port and with the same data, as a child of this process as before. */
async function startWhatIsDown(dir: string, stack: Stack, stopping: AbortSignal): Promise<void> {
  const down = stack.servers.filter(({ pid }) => pid === undefined);
  for (const server of down) {
    if (stopping.aborted) return;
    try {
      await server.start();
      console.error(`${server.name} runs again`);
    } catch (error) {
      console.error((error as Error).message);
    }
  }
  if (!stopping.aborted) await writeRecord(dir, stack);
}

function reportEnds(stack: Stack, stopping: AbortSignal): void {
  for (const server of stack.servers)
    void server.ended.then((how) => {
      if (!stopping.aborted) console.error(`${server.name} ended (${how}); its log: ${server.logFile}`);
    });
}
