import { RetryLaterError, UnrecoverableJobError, type JobOptions, type RunningJob } from '@logloom/job-queue';
import type { AddressRules } from '@logloom/notify';
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

/** What became of one request. */
export type WebhookOutcome = 'delivered' | 'retried' | 'failed';

/**
 * Posts an alert to a host that the rules allow; resolves if the response is 2xx. A response that a retry cannot change (a 4xx except 408, 425
 * and 429) fails the job at once. `onOutcome` is told of each request, with the seconds that it took, unless the signal has ended it.
 */
export async function postAlert(
  job: RunningJob,
  signal: AbortSignal,
  rules: AddressRules,
  onOutcome: (outcome: WebhookOutcome, seconds: number) => void = () => {},
): Promise<void> {
  const { url, alert } = job.data as PostAlertJob;
  const startedAtMs = performance.now();
  const tell = (outcome: WebhookOutcome): void =>
    onOutcome(outcome, (performance.now() - startedAtMs) / 1000);
  try {
    await post(url, alert, signal, rules);
    tell('delivered');
  } catch (error) {
    const isFinal = error instanceof UnrecoverableJobError || job.attemptsMade >= job.attempts;
    if (!signal.aborted) tell(isFinal ? 'failed' : 'retried');
    throw error;
  }
}

async function post(url: string, alert: AlertJson, signal: AbortSignal, rules: AddressRules): Promise<void> {
  const { DeliveryError, postRequest } = await import('@logloom/notify/sending');
  const headers = { 'content-type': 'application/json', 'logloom-alert-id': encodeURIComponent(alert.id) };
  try {
    await postRequest({ url, headers, body: JSON.stringify(alert) }, rules, signal);
  } catch (error) {
    if (!(error instanceof DeliveryError)) throw error;
    const { isFinal, message, retryAfterMs } = error;
    if (isFinal) throw new UnrecoverableJobError(message, { cause: error });
    throw retryAfterMs === undefined ? error : new RetryLaterError(message, retryAfterMs, { cause: error });
  }
}
