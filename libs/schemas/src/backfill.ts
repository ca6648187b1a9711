/**
 * A header of a request, and of records of logs.raw and logs.events: its events happened earlier and are sent now, in whatever order, file
 * by file. The correlator keeps their requests together for longer (docs/adr, 42).
 */
export const backfillHeader = 'logloom-backfill';

/** Whether the event in a record was sent as a backfill. */
export function isBackfill({ headers }: { headers: Readonly<Record<string, string>> }): boolean {
  return headers[backfillHeader] === 'true';
}
