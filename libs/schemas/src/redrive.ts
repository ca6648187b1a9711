import type { Source } from './generated/types.ts';
import { senderHeaders, type Sender } from './sender.ts';

/** Which dead letter a record of logs.raw was made from, and for which job. */
export interface RedrivePlace {
  jobId: string;
  /** The place of the dead letter in logs.dead-letter. */
  partition: number;
  offset: number;
}

/** The code of a record that is not a dead letter, but says which dead letters a job has taken; see docs/jobs.md. */
export const redriveClaimCode = 'redriven';

const placeHeader = 'logloom-redrive';
const receivedAtHeader = 'logloom-received-at';

/**
 * The headers of a record of logs.raw that is a redriven dead letter. `receivedAt` (ms) is when it was first received, `sender` its sender
 * then.
 */
export function redriveHeaders(
  { jobId, partition, offset }: RedrivePlace,
  receivedAt: number,
  sender: Sender = {},
): Record<string, string> {
  return {
    [placeHeader]: `${jobId}/${partition}/${offset}`,
    [receivedAtHeader]: String(receivedAt),
    ...senderHeaders(sender),
  };
}

/** The inverse of redriveHeaders(); undefined if the record is not a redriven one. */
export function redrivenFrom(
  headers: Readonly<Record<string, string>>,
): (RedrivePlace & { receivedAt: number }) | undefined {
  const place = /^([A-Za-z0-9_-]{1,64})\/(\d{1,9})\/(\d{1,15})$/.exec(headers[placeHeader] ?? '');
  const receivedAt = /^\d{1,15}$/.exec(headers[receivedAtHeader] ?? '');
  if (place === null || receivedAt === null) return undefined;
  return {
    jobId: place[1]!,
    partition: Number(place[2]),
    offset: Number(place[3]),
    receivedAt: Number(receivedAt[0]),
  };
}

/**
 * The source of an event that was redriven. A job puts the dead letters of a partition in offset order, so the source's offsets only grow,
 * and a job that is repeated after a crash produces the same sources.
 */
export function redriveSource({ jobId, partition, offset }: RedrivePlace): Source {
  return { kind: 'redrive', topic: jobId, partition, offset, index: 0 };
}
