import {
  createSqliteJobQueue,
  createSqliteJobRecords,
  openJobQueue,
  openJobRecords,
} from '@logloom/job-queue';
import { createTelemetry } from '@logloom/telemetry';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openNotifier } from '../notifier.ts';
import { notifyMetrics } from '../telemetry.ts';

export interface NotifierRigOptions {
  /** Of the queue and the receivers file. */
  folder: string;
  /** The receivers file. */
  text: string;
  env?: Record<string, string>;
  allowedHosts?: string[];
  /** For a queue on Redis instead of an embedded one. */
  redisUrl?: string;
}

/** A notifier with an embedded queue in a folder, whose jobs run until it is disposed of. */
export async function openNotifierRig({
  folder,
  text,
  env = {},
  allowedHosts = ['127.0.0.1'],
  redisUrl,
}: NotifierRigOptions) {
  const file = join(folder, 'receivers.yaml');
  writeFileSync(file, text);
  const queue =
    redisUrl === undefined
      ? createSqliteJobQueue({ folder, pollMs: 5, leaseMs: 500 })
      : await openJobQueue({ redisUrl, folder });
  const records =
    redisUrl === undefined ? createSqliteJobRecords(folder) : await openJobRecords({ redisUrl, folder });
  const telemetry = createTelemetry('indexer', 'silent');
  const notifier = await openNotifier({
    settings: { RECEIVERS: file, RECEIVERS_ALLOWED_HOSTS: allowedHosts, ALLOWED_HOSTS: [] },
    env,
    queue,
    records,
    telemetry,
    nowMs: Date.now,
  });
  const stop = new AbortController();
  await notifier.resume();
  const running = notifier.jobs.map(({ name, run, options }) =>
    queue.process(name, run, options, stop.signal),
  );
  return {
    notifier,
    queue,
    records,
    file,
    /** How often each outcome was counted for a receiver. */
    outcomes: async (receiver: string): Promise<Record<string, number>> => {
      const { values } = await notifyMetrics.notifications.create(telemetry.registry).get();
      const own = values.filter(({ labels }) => labels.receiver === receiver);
      return Object.fromEntries(own.map(({ labels, value }) => [String(labels.outcome), value]));
    },
    fileErrors: async (): Promise<number> =>
      (await notifyMetrics.fileErrors.create(telemetry.registry).get()).values[0]?.value ?? 0,
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await Promise.all(running);
      notifier[Symbol.dispose]();
      await queue.close();
      await records.close();
    },
  };
}
