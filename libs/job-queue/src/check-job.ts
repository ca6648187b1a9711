import { JobQueueError } from './job-queue-error.ts';
import type { NewJob } from './job-queue.ts';

/** The job's data as JSON. Throws JobQueueError `bad-job` for data that JSON cannot hold and for options out of range. */
export function checkJob(job: NewJob): string {
  const { name, id, delayMs = 0, attempts = 1, backoff } = job;
  const problems: string[] = [];
  if (name === '') problems.push('name must not be empty');
  if (id === '') problems.push('id must not be empty');
  if (!(Number.isFinite(delayMs) && delayMs >= 0)) problems.push('delayMs must be 0 or more');
  if (!(Number.isSafeInteger(attempts) && attempts >= 1))
    problems.push('attempts must be a whole number from 1');
  if (backoff !== undefined) {
    const { delayMs: wait, jitter = 0 } = backoff;
    if (!(Number.isFinite(wait) && wait >= 0)) problems.push('backoff.delayMs must be 0 or more');
    if (!(jitter >= 0 && jitter <= 1)) problems.push('backoff.jitter must be from 0 to 1');
  }
  if (problems.length > 0) throw new JobQueueError('bad-job', `${name}: ${problems.join('; ')}`);
  return dataToJson(name, job.data);
}

/** Throws JobQueueError `bad-job` for what JSON cannot hold. */
export function dataToJson(name: string, data: unknown): string {
  let json: string | undefined;
  try {
    json = JSON.stringify(data);
  } catch (cause) {
    throw new JobQueueError('bad-job', `${name}: the data cannot be written as JSON`, { cause });
  }
  if (json === undefined) throw new JobQueueError('bad-job', `${name}: the data cannot be written as JSON`);
  return json;
}
