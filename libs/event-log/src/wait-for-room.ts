import { setTimeout as sleep } from 'node:timers/promises';
import { EventLogError, type EventLog } from './event-log.ts';

const retryMs = 250;

/**
 * The same log, but append() waits while the disk is full or read-only, until the signal aborts: for callers that can do nothing else
 * meanwhile. Only the embedded log reports this, and an append that it refuses has stored nothing. `onWait` is called once for each wait.
 */
export function waitForRoom(log: EventLog, signal: AbortSignal, onWait: (error: Error) => void): EventLog {
  const append: EventLog['append'] = async (topic, records) => {
    for (let tries = 0; ; tries++) {
      try {
        return await log.append(topic, records);
      } catch (error) {
        const waits =
          error instanceof EventLogError && (error.code === 'disk-full' || error.code === 'read-only');
        if (!waits || signal.aborted) throw error;
        if (tries === 0) onWait(error);
      }
      await sleep(retryMs, undefined, { signal }).catch(() => {});
    }
  };
  return new Proxy(log, {
    get: (target, name) => {
      if (name === 'append') return append;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
