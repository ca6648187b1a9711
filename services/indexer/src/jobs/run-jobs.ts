import { UnrecoverableJobError, type JobQueue, type JobRecords, type RunningJob } from '@logloom/job-queue';
import type { AddressRules, Notifier } from '@logloom/notify';
import { settledBefore, type RemovalClock } from '@logloom/runtime';
import type { SearchStore } from '@logloom/search-store';
import type { Logger } from '@logloom/telemetry';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadtestStores } from '../loadtest/loadtest-stores.ts';
import type { IndexerMetrics } from '../telemetry.ts';
import { jobNames, orderKind, resultKind, retries, type OrderedJob } from './job-names.ts';
import { postAlert, type WebhookOutcome } from './post-alert.ts';
import { rebuildSearch, type RebuildDeps } from './rebuild-search.ts';
import { runRedrive, type RedriveJob } from './redrive.ts';
import { applyRetention, hasRetention, type RetentionSettings } from './retention.ts';
import { SavedFilters } from './saved-filters.ts';
import { verifyViews, type VerifyJob } from './verify-views.ts';
import { watchRecords } from './watch-records.ts';

export interface JobsDeps extends RebuildDeps {
  queue: JobQueue;
  records: JobRecords;
  /** Evaluates saved filters. Its queries have a short limit, because they may block the thread. */
  evaluating: Pick<SearchStore, 'search'>;
  settings: RetentionSettings;
  /** Where the webhooks of rules may be. */
  webhookHosts: AddressRules;
  /** Tells receivers about alerts. */
  notifier: Pick<Notifier, 'jobs' | 'resume'>;
  /** Where load tests' events are. */
  loadtest?: Pick<LoadtestStores, 'removeBefore'> | undefined;
  logger: Logger;
  oldestUnread?: (topic: string, seconds: number) => void;
  metrics: Pick<
    IndexerMetrics,
    'missingItems' | 'emptiedStores' | 'jobs' | 'jobSeconds' | 'queuedJobs' | 'webhooks' | 'webhookSeconds'
  >;
  /** The backup of saved filters and started jobs, for a queue whose store may be emptied. */
  recordsBackup?: JobRecords | undefined;
  /** The machine's clock in ms. */
  nowMs: () => number;
  /** The clock of retention. */
  retentionClock: Pick<RemovalClock, 'read'>;
}

/** The jobs that clients can start. Each is safe to repeat: it detects finished work. */
const orderable: ReadonlySet<string> = new Set([jobNames.redrive, jobNames.rebuild, jobNames.verify]);
const hourMs = 3_600_000;
/** The maximum share of the time for saved filters. */
const evaluationShare = 0.1;
/** Records that were lost from within a view are noticed at the start. */
const atStart: VerifyJob = { refill: true, sample: true };
/** Progress is stored at most once per percent: it costs a disk write. */
const progressStep = 0.01;
const queueLookMs = 10_000;

/** Runs the indexer's jobs until the signal aborts; rejects when the queue fails. */
export async function runJobs(deps: JobsDeps, signal: AbortSignal): Promise<void> {
  const { queue, logger, metrics, retentionClock, notifier } = deps;
  const savedFilters = new SavedFilters(deps);
  // One worker's end ends the others.
  const failed = new AbortController();
  const stop = AbortSignal.any([signal, failed.signal]);
  const work = (
    name: string,
    run: (job: RunningJob, signal: AbortSignal) => Promise<object | void>,
    options: { exclusive?: boolean; concurrency?: number } = {},
  ): Promise<void> =>
    queue.process(
      name,
      async (job, lost) => {
        const startedAtMs = performance.now();
        const ended = (outcome: JobOutcome): void => {
          metrics.jobs.inc({ name, outcome });
          metrics.jobSeconds.observe({ name }, (performance.now() - startedAtMs) / 1000);
        };
        try {
          const result = await run(job, lost);
          if (result !== undefined) await keepResult(deps, job.id, result);
          if (orderable.has(name)) await deps.records.delete(orderKind, job.id);
          ended('completed');
        } catch (error) {
          // A job that goes to another worker has not failed.
          if (lost.aborted) throw error;
          ended(isFinal(job, error) ? 'failed' : 'retried');
          logger.warn({ err: error, job: job.id, attempt: job.attemptsMade }, 'a job failed');
          throw error;
        }
      },
      options,
      stop,
    );

  const observeWebhook = (outcome: WebhookOutcome, seconds: number): void => {
    metrics.webhooks.inc({ outcome });
    metrics.webhookSeconds.observe(seconds);
  };

  const scheduled = savedFilters
    .scheduleAll()
    .then(() => scheduleRetention(deps))
    .then(() => notifier.resume())
    .then(() => queue.add(jobNames.verify, atStart, { ...retries, attempts: 2 }));
  // With an unreachable queue it would wait forever.
  if (!(await settledBefore(scheduled, signal))) return;
  const workers = [
    work(jobNames.redrive, (job, lost) =>
      runRedrive(deps, job.id, job.data as RedriveJob, lost, stepwise(job)),
    ),
    // A second one would discard the work of the first.
    work(jobNames.rebuild, (job, lost) => rebuildSearch(deps, lost, stepwise(job)), { exclusive: true }),
    work(
      jobNames.verify,
      async (job, lost) => {
        const reached = await retentionClock.read();
        return verifyViews({ ...deps, nowMs: () => reached }, job.data as VerifyJob, lost, stepwise(job));
      },
      { exclusive: true },
    ),
    // One webhook that does not answer must not delay the others.
    work(jobNames.alert, (job, lost) => postAlert(job, lost, deps.webhookHosts, observeWebhook), {
      concurrency: 8,
    }),
    ...notifier.jobs.map(({ name, run, options }) => work(name, run, options)),
    work(jobNames.retention, async () => {
      const reached = await retentionClock.read();
      await applyRetention({ ...deps, nowMs: () => reached });
    }),
    work(jobNames.savedFilter, async (job, lost) => {
      const startedAtMs = performance.now();
      const { logger: log, evaluating: search } = deps;
      await savedFilters.evaluate((job.data as { id: string }).id, job.id, { search, logger: log });
      // Evaluations share a thread with indexing: they get only a part of its time, however many there are.
      const rest = (performance.now() - startedAtMs) * (1 / evaluationShare - 1);
      await sleep(rest, undefined, { signal: lost }).catch(() => {});
    }),
  ];
  workers.push(watchQueue(deps, stop));
  const { recordsBackup: backup, records, nowMs } = deps;
  if (backup !== undefined)
    workers.push(
      watchRecords(
        {
          records,
          backup,
          logger,
          nowMs,
          onEmptied: async (orders) => {
            deps.metrics.emptiedStores.inc();
            for (const { id, value } of orders) {
              const { name, data } = value as OrderedJob;
              await queue.add(name, data, { ...retries, id });
            }
            await savedFilters.scheduleAll();
            await scheduleRetention(deps);
          },
        },
        stop,
      ),
    );
  for (const worker of workers) worker.catch(() => failed.abort());
  for (const result of await Promise.allSettled(workers))
    if (result.status === 'rejected') throw result.reason;
}

type JobOutcome = 'completed' | 'retried' | 'failed';

/** Whether the job is not tried again after this error. */
function isFinal({ attemptsMade, attempts }: RunningJob, error: unknown): boolean {
  return error instanceof UnrecoverableJobError || attemptsMade >= attempts;
}

/** Counts what is in the queue, every 10 s; a queue that does not answer is left at what was known. */
async function watchQueue({ queue, metrics }: JobsDeps, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    for (const name of Object.values(jobNames)) {
      const looked = queue.counts(name).then(({ waiting, delayed, active, failed }) => {
        for (const [state, count] of Object.entries({ waiting, delayed, active, failed }))
          metrics.queuedJobs.set({ name, state }, count);
      });
      if (
        !(await settledBefore(
          looked.catch(() => {}),
          signal,
        ))
      )
        return;
    }
    await sleep(queueLookMs, undefined, { signal, ref: false }).catch(() => {});
  }
}

/** Hourly and at the start, when a retention is set. */
async function scheduleRetention({ queue, settings }: JobsDeps): Promise<void> {
  if (!hasRetention(settings)) {
    await queue.unschedule(jobNames.retention);
    return;
  }
  await queue.schedule(jobNames.retention, { everyMs: hourMs }, jobNames.retention, {});
  await queue.add(jobNames.retention, {}, retries);
}

function stepwise(job: RunningJob): (share: number) => Promise<void> {
  let reported = -1;
  return async (share) => {
    if (share - reported < progressStep) return;
    reported = share;
    await job.reportProgress(share);
  };
}

/** Results live as long as the queue keeps their jobs. */
async function keepResult({ queue, records }: JobsDeps, id: string, result: object): Promise<void> {
  await records.put(resultKind, id, result);
  for (const kept of await records.list(resultKind))
    if ((await queue.get(kept.id)) === undefined) await records.delete(resultKind, kept.id);
}
