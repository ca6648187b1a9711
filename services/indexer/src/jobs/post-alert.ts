import { UnrecoverableJobError, type JobOptions, type RunningJob } from '@logloom/job-queue';
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

/** Posts an alert; resolves when the answer is 2xx. What a repetition cannot mend (a 4xx but 408 and 429) fails the job at once. */
export async function postAlert({ data }: RunningJob, signal: AbortSignal): Promise<void> {
  const { url, alert } = data as PostAlertJob;
  const { target, authorization } = splitUrl(url);
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

/** fetch takes no user and password in a URL, and would quote them in its error. */
function splitUrl(url: string): { target: URL; authorization: Record<string, string> } {
  const target = new URL(url);
  const { username, password } = target;
  target.username = target.password = '';
  if (username === '' && password === '') return { target, authorization: {} };
  const user = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { target, authorization: { authorization: `Basic ${Buffer.from(user).toString('base64')}` } };
}
