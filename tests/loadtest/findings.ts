import type { RunResult } from '@logloom/loadtest';
import { faultKinds, type FaultKind } from '../../apps/loadtest/src/oracle/viewer-ledger.ts';
import type { Injection } from './patched-server.ts';

/** What each bug of a delivery is found as. */
export const kindOf = {
  drop: 'lost',
  double: 'duplicated',
  swap: 'disordered',
  'announce-fewer': 'underAnnounced',
} as const satisfies Record<string, FaultKind>;

/** How many of each kind a run found. */
export function findingsOf({ delivery }: RunResult): Record<string, number> {
  return Object.fromEntries(faultKinds.map((kind) => [kind, delivery[kind].count]));
}

/** How many of each kind there were. */
export function injectedBy(injections: readonly Injection[]): Record<string, number> {
  const counts: Record<string, number> = Object.fromEntries(faultKinds.map((kind) => [kind, 0]));
  for (const { bug } of injections) counts[kindOf[bug as keyof typeof kindOf]]!++;
  return counts;
}
