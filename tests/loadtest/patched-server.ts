import { closedPorts, eventually, freePort, temporaryFolder } from '@logloom/testing';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { InjectedBug } from './injected-bug.ts';

const main = join(import.meta.dirname, '../../apps/logloom/src/main.ts');

/** Collected often, so that a run of a minute sees enough collections. One that is nearly full costs CPU at times, so only leaks are looked for in it. */
const smallHeap = ['--max-old-space-size=192'];

/** What a bug did at one moment: which event, or which gap. */
export interface Injection {
  bug: InjectedBug;
  partition?: number;
  offset?: number;
  from?: string;
}

export interface PatchedServer extends AsyncDisposable {
  url: string;
  ingestUrl: string;
  /** All injections so far. */
  injections: () => Injection[];
}

/** Starts a Logloom in one process with an empty store; with bugs, one that does this wrong. */
export async function patchedServer(
  bugs: readonly InjectedBug[] = [],
  { isHeapSmall = false } = {},
): Promise<PatchedServer> {
  const folder = temporaryFolder(`patched-server`);
  const log = join(folder.path, 'injections');
  const [viewers, ingest, syslog] = [await freePort(), await freePort(), await freePort()];
  const preload = bugs.length === 0 ? [] : ['--import', join(import.meta.dirname, 'injected-bug.ts')];
  const child = spawn(process.execPath, [...preload, ...(isHeapSmall ? smallHeap : []), main, 'up'], {
    env: {
      ...process.env,
      INJECTED_BUGS: bugs.join(),
      INJECTED_BUG_LOG: log,
      LOGLOOM_DATA: join(folder.path, 'data'),
      LIVE_PORT: String(viewers),
      INGEST_PORT: String(ingest),
      ...closedPorts,
      SYSLOG_PORT: String(syslog),
      CORRELATION_IDLE_MS: '1000',
      // Many times what a busy server delivers at once: a reader for whom one batch is more than this is cut off, and nothing is left out.
      LIVE_BUFFER_BYTES: String(4 * 2 ** 20),
    },
    stdio: 'ignore',
  });
  const url = `http://127.0.0.1:${viewers}`;
  const end = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    folder[Symbol.dispose]();
  };
  try {
    await eventually('the server is ready', async () => (await fetch(`${url}/health/ready`)).ok, 60_000);
  } catch (error) {
    await end();
    throw error;
  }
  return {
    url,
    ingestUrl: `http://127.0.0.1:${ingest}`,
    injections: () =>
      existsSync(log)
        ? readFileSync(log, 'utf8')
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line) as Injection)
        : [],
    [Symbol.asyncDispose]: end,
  };
}
