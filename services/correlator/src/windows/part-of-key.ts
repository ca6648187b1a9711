import { partitionOf } from '@logloom/event-log';
import { alertFingerprint } from '@logloom/schemas';

/** The partition of logs.windows, out of `parts`, that judges this key of a rule. */
export function partOfKey(rule: string, key: Readonly<Record<string, string>>, parts: number): number {
  return partitionOf(alertFingerprint(rule, key), parts);
}
