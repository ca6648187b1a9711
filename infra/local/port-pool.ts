import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { tryLock, type Lock } from './lock.ts';

// Below the range that Linux takes outgoing ports from (32768 on). A client that keeps connecting to an engine which is down could
// otherwise be given the engine's own port: it would connect to itself, and the engine could not come back.
const firstPort = 20_000;
const lastPort = 30_000;

/** Free ports on 127.0.0.1. A port stays taken, for other stacks too, while its engine is down: a restart finds it free. */
export class PortPool {
  readonly #locks: Lock[] = [];

  /** The asked port, or else any free one. Throws when the asked port is in use. */
  async take(asked?: number): Promise<number> {
    if (asked !== undefined) {
      if (await this.#reserve(asked)) return asked;
      throw new Error(`port ${asked} of 127.0.0.1 is in use`);
    }
    for (;;) {
      const port = randomInt(firstPort, lastPort);
      if (await this.#reserve(port)) return port;
    }
  }

  async release(): Promise<void> {
    await Promise.all(this.#locks.splice(0).map((lock) => lock.release()));
  }

  async #reserve(port: number): Promise<boolean> {
    const lock = await tryLock(`port-${port}`);
    if (lock === undefined) return false;
    if (await isFree(port)) {
      this.#locks.push(lock);
      return true;
    }
    await lock.release();
    return false;
  }
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
