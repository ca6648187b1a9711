import type { JobQueue, JobRecords, RunningJob } from '@logloom/job-queue';
import { rememberSecrets } from '@logloom/settings';
import type { Telemetry } from '@logloom/telemetry';
import type { AlertState } from './alert-state.ts';
import type { Receivers } from './file/parse-receivers.ts';
import { GroupStore } from './groups/group-store.ts';
import { groupJob, groupRetries, lookJobs, notificationJob, type GroupJob } from './groups/jobs.ts';
import { lookAtGroups, type GroupsDeps } from './groups/look-at-groups.ts';
import { ReceiverHealth } from './groups/receiver-health.ts';
import { routeAgain, takeAlerts } from './groups/take-alerts.ts';
import { AddressRules } from './net/address-rules.ts';
import { allowedHosts } from './net/allowed-hosts.ts';
import { createMetrics, outcomes } from './telemetry.ts';

/** A job of the queue that the owner of the queue's workers has to run. */
export interface NotifierJob {
  name: string;
  run: (job: RunningJob, signal: AbortSignal) => Promise<void>;
  options: { concurrency?: number; exclusive?: boolean };
}

/** Tells receivers about alerts. */
export interface Notifier extends Disposable {
  /**
   * Takes alerts that have changed. Once it resolves, they are durable in the job queue, and their receivers are told at least once, by the
   * routes of the file. States with a revision that is known, or lower, change nothing, so calls may be repeated.
   */
  notify(alerts: readonly AlertState[]): Promise<void>;
  /** Looks at every group again: at the start, and after the job store was emptied. */
  resume(): Promise<void>;
  readonly jobs: readonly NotifierJob[];
}

export interface NotifierOptions {
  settings: {
    RECEIVERS: string | undefined;
    RECEIVERS_ALLOWED_HOSTS: readonly string[];
    ALLOWED_HOSTS: readonly string[];
  };
  /** Has the variables that the receivers file names. */
  env: Readonly<Record<string, string | undefined>>;
  queue: Pick<JobQueue, 'addMany' | 'get'>;
  records: JobRecords;
  telemetry: Pick<Telemetry, 'logger' | 'registry'>;
  /** The machine's clock in ms. */
  nowMs: () => number;
}

/** Alerts in one job. */
const jobAlerts = 500;
/** Messages on their way at once; a receiver that does not answer occupies one (ReceiverHealth). */
const concurrency = 16;

/** Opens the receivers that RECEIVERS names; without it, nobody is told. Throws SettingsError with every problem of the file. */
export async function openNotifier(options: NotifierOptions): Promise<Notifier> {
  const { settings, env, queue, telemetry, nowMs } = options;
  const { logger } = telemetry;
  const metrics = createMetrics(telemetry);
  let isOpen = false;
  const routeJob = (): Promise<unknown> =>
    queue.addMany([{ ...groupRetries, name: groupJob, data: { route: 'again' } satisfies GroupJob }]);
  const onChange = ({ receivers, secrets, version }: Receivers): void => {
    rememberSecrets(secrets);
    for (const receiver of receivers.keys())
      for (const outcome of outcomes) metrics.notifications.inc({ receiver, outcome }, 0);
    logger.info({ version, receivers: receivers.size }, 'receivers of alerts are in force');
    if (isOpen)
      routeJob().catch((error: unknown) => logger.warn({ err: error }, 'alerts that fire keep their routes'));
  };
  // The parser is loaded only where there is a file.
  const source =
    settings.RECEIVERS === undefined
      ? undefined
      : new (await import('./file/receivers-source.ts')).ReceiversSource({
          path: settings.RECEIVERS,
          env,
          onChange,
          onProblems: (problems) => {
            metrics.fileErrors.inc();
            logger.error({ problems }, 'the receivers file cannot be used; the receivers stay unchanged');
          },
        });
  isOpen = true;
  const store = new GroupStore(options.records);
  const receivers = (): Receivers | undefined => source?.current;
  const deps: GroupsDeps = { store, queue, receivers, nowMs };
  const sendDeps = {
    ...deps,
    sending: { rules: new AddressRules(allowedHosts(settings)), nowMs },
    health: new ReceiverHealth(),
    onOutcome: (receiver: string, outcome: (typeof outcomes)[number], seconds: number): void => {
      metrics.notifications.inc({ receiver, outcome });
      metrics.notificationSeconds.observe({ receiver }, seconds);
      if (outcome === 'sent') metrics.lastSent.set({ receiver }, nowMs() / 1000);
    },
  };
  const changeGroups = async (job: GroupJob, signal: AbortSignal): Promise<void> => {
    if ('alerts' in job) await takeAlerts(deps, job.alerts, signal);
    else if ('route' in job) await routeAgain(deps, signal);
    // A clock that is behind the one that set the time must not look too early.
    else await lookAtGroups(deps, job.look, Math.max(nowMs(), job.atMs), signal, job.isSure);
  };
  return {
    notify: async (alerts) => {
      if (source === undefined || alerts.length === 0) return;
      const jobs = [];
      for (let i = 0; i < alerts.length; i += jobAlerts)
        jobs.push({
          ...groupRetries,
          name: groupJob,
          data: { alerts: alerts.slice(i, i + jobAlerts) } satisfies GroupJob,
        });
      await queue.addMany(jobs);
    },
    resume: async () => {
      const ids = (await store.groups()).map(({ id }) => id);
      if (ids.length > 0) await queue.addMany(lookJobs(ids, 0, { isSure: true }));
    },
    jobs: [
      {
        name: groupJob,
        run: (job, signal) => changeGroups(job.data as GroupJob, signal),
        options: { exclusive: true },
      },
      {
        name: notificationJob,
        run: async (job, signal) => {
          // Senders and their libraries are loaded only where there is something to send.
          const { sendNotification } = await import('./groups/send-notification.ts');
          await sendNotification(sendDeps, job, signal);
        },
        options: { concurrency },
      },
    ],
    [Symbol.dispose]: () => source?.[Symbol.dispose](),
  };
}
