import { EventLogError } from '../event-log.ts';
import { accessFault } from './security/access-fault.ts';

/** The protocol's name of an error (such as UNKNOWN_TOPIC_OR_PARTITION), from however deep kafkajs has wrapped it. */
export function errorType(error: unknown): string | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 8; depth++) {
    const { type, errors } = at as { type?: unknown; errors?: unknown[] };
    if (typeof type === 'string') return type;
    at = errors?.[0] ?? at.cause;
  }
  return undefined;
}

export function isUnknownTopic(error: unknown): boolean {
  return errorType(error) === 'UNKNOWN_TOPIC_OR_PARTITION';
}

export function unknownTopic(topic: string, cause?: unknown): EventLogError {
  return new EventLogError('unknown-topic', `there is no topic ${topic}`, { cause });
}

export function logUnavailable(what: string, cause: unknown): EventLogError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const fault = accessFault(cause);
  const message = fault === undefined ? `${what}: ${reason} (KAFKA_BROKERS)` : `${what}: Kafka: ${fault}`;
  return new EventLogError('log-unavailable', message, { cause });
}

/** The wait before the next attempt: doubled from 100 ms up to 2 s, with jitter so that clients do not retry in step. */
export function backoffMs(attempt: number): number {
  return Math.min(100 * 2 ** attempt, 2_000) * (0.5 + Math.random());
}
