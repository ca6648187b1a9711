import type { Assignment, EventLog, PartitionHandler } from '@logloom/event-log';
import type { JobQueue } from '@logloom/job-queue';
import type { GapReport } from '@logloom/runtime';
import type { Serde } from '@logloom/schema-registry';
import { alertToJson, type Alert } from '@logloom/schemas';
import { jobNames } from './job-names.ts';
import { alertRetries, type PostAlertJob } from './post-alert.ts';

export interface QueueAlertsDeps {
  log: EventLog;
  serde: Serde;
  queue: Pick<JobQueue, 'addMany'>;
  gaps: GapReport;
}

/**
 * Reads one partition of logs.alerts and adds a job for each alert with a webhook, under the alert's id. Commits after the queue has them:
 * an alert that is read again finds its job there.
 */
export function queueAlerts(
  { serde, queue, gaps }: QueueAlertsDeps,
  assignment: Assignment,
): PartitionHandler {
  return {
    gap: (gap) => gaps('alerts', gap, 'no webhook was called for these alerts'),
    process: async (records) => {
      await serde.load(records.map((record) => record.value));
      const alerts: Alert[] = [];
      for (const record of records) {
        const decoded = serde.decode(record.value);
        if (decoded.name !== 'Alert' || decoded.value.webhook === null) continue;
        // Whether it will fire is not known yet.
        if (decoded.value.state !== 'pending') alerts.push(decoded.value);
      }
      if (alerts.length > 0)
        await queue.addMany(
          alerts.map((alert) => ({
            name: jobNames.alert,
            data: { url: alert.webhook!, alert: alertToJson(alert) } satisfies PostAlertJob,
            ...alertRetries,
            id: `alert-${alert.id}`,
          })),
        );
      await assignment.commit(records.at(-1)!.offset + 1);
    },
  };
}
