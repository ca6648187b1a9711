import { counter, createAll, declareMetrics, gauge, histogram, type Telemetry } from '@logloom/telemetry';

/** Of the notifications of alerts. */
export const notifyMetrics = declareMetrics('libs/notify', {
  notifications: counter({
    name: 'logloom_notifications_total',
    unit: 'attempts',
    help: 'Attempts to tell a receiver about a group of alerts',
    labels: {
      receiver: 'its name in the receivers file',
      outcome: 'sent; failed: it is tried again; dead: for good, until it is redriven',
    },
  }),
  notificationSeconds: histogram({
    name: 'logloom_notification_duration_seconds',
    unit: 'seconds',
    help: 'How long receivers took to acknowledge, or to fail',
    labels: { receiver: 'its name in the receivers file' },
    buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
  }),
  lastSent: gauge({
    name: 'logloom_notification_last_sent_timestamp_seconds',
    unit: 'seconds',
    help: 'When a receiver last acknowledged a message, in seconds since 1970',
    labels: { receiver: 'its name in the receivers file' },
    aggregator: 'max',
  }),
  fileErrors: counter({
    name: 'logloom_receivers_file_errors_total',
    unit: 'changes',
    help: 'Changes of the receivers file that cannot be used; what was there before stays in force',
  }),
});

export const outcomes = ['sent', 'failed', 'dead'] as const;

export function createMetrics({ registry }: Pick<Telemetry, 'registry'>) {
  return createAll(notifyMetrics, registry);
}

export type NotifyMetrics = ReturnType<typeof createMetrics>;
