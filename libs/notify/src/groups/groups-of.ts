import { createHash } from 'node:crypto';
import type { AlertState } from '../alert-state.ts';
import type { Receivers } from '../file/parse-receivers.ts';
import { routesOf } from '../file/route.ts';
import { resendMs } from '../file/receiver-traits.ts';
import type { GroupState } from './group-state.ts';

export type GroupKey = Pick<GroupState, 'id' | 'receiver' | 'labels' | 'timings'>;

/** The groups that an alert belongs to: one for each route that it takes. */
export function groupsOf({ routes, receivers }: Receivers, alert: AlertState): GroupKey[] {
  const groups = routesOf(routes, alert.labels).map(({ receiver, groupBy, timings }): GroupKey => {
    const alertmanager = receivers.get(receiver)?.alertmanager;
    if (alertmanager !== undefined) {
      // It groups and waits itself. The groups here only keep the lists short.
      const shard = alert.fingerprint.charAt(0);
      return {
        id: idOf(receiver, { shard }),
        receiver,
        labels: {},
        timings: { waitMs: 0, intervalMs: 0, repeatMs: resendMs(alertmanager) },
      };
    }
    const names = groupBy.includes('...') ? Object.keys(alert.labels).sort() : groupBy;
    const labels = Object.fromEntries(names.map((name) => [name, alert.labels[name] ?? '']));
    return { id: idOf(receiver, labels), receiver, labels, timings };
  });
  // Two routes to one receiver, with the same labels, are one group.
  return [...new Map(groups.map((group) => [group.id, group])).values()];
}

/** The same receiver and labels have the same id, whatever else changes in the file. */
function idOf(receiver: string, labels: Readonly<Record<string, string>>): string {
  const sorted = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([receiver, sorted]))
    .digest('hex')
    .slice(0, 20);
}
