import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export interface Lock {
  release(): Promise<void>;
}

/**
 * Takes the machine-wide lock of that name; undefined when another process (or this one) holds it. It is a socket in Linux' abstract
 * namespace: the kernel frees it with the process that holds it, however that one ends, so there are no stale locks.
 */
export function tryLock(name: string): Promise<Lock | undefined> {
  const server = createServer((connection) => connection.destroy());
  server.unref();
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen(`\0logloom-${name}`, () => {
      resolve({ release: () => new Promise((released) => server.close(() => released())) });
    });
  });
}

/** Waits for the lock of that name. Rejects when the signal is aborted. */
export async function waitForLock(name: string, signal: AbortSignal): Promise<Lock> {
  for (;;) {
    const lock = await tryLock(name);
    if (lock !== undefined) return lock;
    await delay(100, undefined, { signal });
  }
}
