import { JobQueueError } from '../job-queue-error.ts';
import { redisFault } from '../redis/redis-fault.ts';

const tellEveryMs = 60_000;

/** Called at most once a minute with the reason why Redis cannot be reached: the client retries by itself. */
export type OnRedisTrouble = (message: string) => void;

/** A listener for the errors of a client's connection. */
export function tellTrouble(onTrouble: OnRedisTrouble = () => {}): (error: Error) => void {
  let toldAtMs = -Infinity;
  return (error) => {
    const now = performance.now();
    if (now - toldAtMs < tellEveryMs) return;
    toldAtMs = now;
    onTrouble(`${named(error).message}; retrying`);
  };
}

/** The same port, whose promises reject with an error that names the setting when Redis refuses a command: a retriable one, where it refuses this client. */
export function nameSetting<T extends object>(port: T): T {
  return new Proxy(port, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        const result: unknown = (value as (...given: unknown[]) => unknown).apply(target, args);
        if (!(result instanceof Promise)) return result;
        return result.catch((error: unknown) => {
          throw isReply(error) ? refusalOr(error) : error;
        });
      };
    },
  });
}

function refusalOr(cause: Error): Error {
  const error = named(cause);
  return redisFault(cause) === undefined
    ? error
    : new JobQueueError('queue-refused', error.message, { cause });
}

function named(cause: Error): Error {
  // A connection that fails to several addresses of a name has no message of its own.
  const { errors = [] } = cause as { errors?: Error[] };
  const message = redisFault(cause) ?? (cause.message || errors.map((error) => error.message).join(', '));
  return new Error(`Redis (REDIS_URL): ${message}`, { cause });
}

function isReply(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError';
}
