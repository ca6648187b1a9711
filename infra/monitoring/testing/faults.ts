import { eventually, whileFrozen } from '@logloom/testing';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PrometheusServer } from './prometheus-server.ts';

/** Resolves when all of these alerts have fired, not necessarily at once. */
export async function fires(prometheus: PrometheusServer, ...names: string[]): Promise<void> {
  const waited = new Set(names);
  await untilNone('did not fire', waited, async () => {
    for (const name of await prometheus.firing()) waited.delete(name);
  });
}

/** Resolves when none of these alerts fires. */
export async function clears(prometheus: PrometheusServer, ...names: string[]): Promise<void> {
  const waited = new Set(names);
  await untilNone('did not clear', waited, async () => {
    const firing = await prometheus.firing();
    for (const name of names)
      if (!firing.has(name)) waited.delete(name);
      else waited.add(name);
  });
}

const limitMs = 240_000;

async function untilNone(
  what: string,
  waited: ReadonlySet<string>,
  look: () => Promise<void>,
): Promise<void> {
  const done = async (): Promise<boolean> => {
    await look();
    return waited.size === 0;
  };
  await eventually(what, done, limitMs).catch((cause: unknown) => {
    throw new Error(`${what}: ${[...waited].join()}`, { cause });
  });
}

/** Makes a fault, waits until the alerts fire, mends it, and waits until they are gone. */
export async function firesDuring(
  prometheus: PrometheusServer,
  names: readonly string[],
  fault: (faults: AsyncDisposableStack) => Promise<unknown> | void,
): Promise<void> {
  {
    await using faults = new AsyncDisposableStack();
    await fault(faults);
    await fires(prometheus, ...names);
  }
  await clears(prometheus, ...names);
}

/** Does something again and again until it is disposed of, which aborts the signal; what it does may fail. */
export function keepDoing(action: (signal: AbortSignal) => Promise<unknown>, everyMs = 200): AsyncDisposable {
  const stop = new AbortController();
  const running = (async () => {
    while (!stop.signal.aborted) {
      await action(stop.signal).catch(() => undefined);
      await sleep(everyMs);
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}

/** Lines of NDJSON, each of a request of its own. `padding`: characters that each message has beside its text. */
export function eventLines(count: number, service: string, padding = 0): string {
  return Array.from({ length: count }, (_, i) =>
    JSON.stringify({
      service,
      message: `m${'x'.repeat(padding)}`,
      level: 'info',
      traceId: `${service}-${next++}-${i}`,
    }),
  ).join('\n');
}

let next = 0;

/** Keeps processes from running for a while, again and again, as a machine does that has no CPU left for them. */
export function holdUp(pidsOf: () => readonly number[], heldMs: number, freeMs: number): AsyncDisposable {
  return keepDoing(async () => {
    await whileFrozen(pidsOf(), () => sleep(heldMs));
  }, freeMs);
}
