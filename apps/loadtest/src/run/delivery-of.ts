import type { ViewersEnd } from '../generator/messages.ts';
import { faultKinds } from '../oracle/viewer-ledger.ts';
import type { DeliveryResult, Finding } from '../result.ts';
import type { Timeline } from './timeline.ts';

/** The accounts of all processes of viewers, added up. */
export function deliveryOf(ends: readonly ViewersEnd[], timeline: Timeline): DeliveryResult {
  const sum = (key: 'expected' | 'received' | 'announced' | 'viewers' | 'exact'): number =>
    ends.reduce((total, { account }) => total + account[key], 0);
  const findings = Object.fromEntries(
    faultKinds.map((kind): [string, Finding] => [
      kind,
      {
        count: ends.reduce((total, { findings: of }) => total + of[kind].count, 0),
        viewers: ends.reduce((total, { findings: of }) => total + of[kind].viewers, 0),
        example: ends.map(({ findings: of }) => of[kind].example).find((example) => example !== null) ?? null,
      },
    ]),
  ) as Record<(typeof faultKinds)[number], Finding>;
  return {
    expected: sum('expected'),
    received: sum('received'),
    announced: sum('announced'),
    ...findings,
    viewers: { checked: sum('viewers'), exact: sum('exact') },
    latency: timeline.deliveryLatency,
  };
}
