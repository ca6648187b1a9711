import { UnrecoverableJobError, type JobOptions, type RunningJob } from '@logloom/job-queue';
import { splitCredentials } from '@logloom/runtime/split-credentials';
import type { AlertJson } from '@logloom/schemas';

/** The data of a job that posts an alert. */
export interface PostAlertJob {
  url: string;
  alert: AlertJson;
}

/** As for other jobs: ten attempts over about a quarter of an hour. */
export const alertRetries: JobOptions = {
  attempts: 10,
  backoff: { type: 'exponential', delayMs: 1000, jitter: 0.5 },
};

const timeoutMs = 10_000;

/** What became of one request. */
export type WebhookOutcome = 'delivered' | 'retried' | 'failed';

/**
 * Posts an alert; resolves if the response is 2xx. A response that a retry cannot change (a 4xx except 408 and 429) fails the job at once.
 * `onOutcome` is told of each request, with the seconds that it took, unless the signal has ended it.
 */
export async function postAlert(
  job: RunningJob,
  signal: AbortSignal,
  onOutcome: (outcome: WebhookOutcome, seconds: number) => void = () => {},
): Promise<void> {
  const { url, alert } = job.data as PostAlertJob;
  const startedAtMs = performance.now();
  const tell = (outcome: WebhookOutcome): void =>
    onOutcome(outcome, (performance.now() - startedAtMs) / 1000);
  try {
    await post(url, alert, signal);
    tell('delivered');
  } catch (error) {
    const isFinal = error instanceof UnrecoverableJobError || job.attemptsMade >= job.attempts;
    if (!signal.aborted) tell(isFinal ? 'failed' : 'retried');
    throw error;
  }
}

async function post(url: string, alert: AlertJson, signal: AbortSignal): Promise<void> {
  const { target, authorization } = splitCredentials(url);
  const response = await fetch(target, {
    method: 'POST',
    redirect: 'error',
    headers: {
      'content-type': 'application/json',
      'logloom-alert-id': encodeURIComponent(alert.id),
      ...authorization,
    },
    body: JSON.stringify(alert),
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
  });
  await response.body?.cancel();
  if (response.ok) return;
  const message = `${target.origin} answered ${response.status}`;
  const isFinal = response.status < 500 && response.status !== 408 && response.status !== 429;
  throw isFinal ? new UnrecoverableJobError(message) : new Error(message);
}
