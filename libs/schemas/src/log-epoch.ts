/**
 * A header of the correlator's records: the epoch of the logs.events (EventLog.epoch) whose offsets the record contains. If logs.events was
 * recreated and the topics derived from it were not, the header shows which records still apply.
 */
export const epochHeader = 'logloom-epoch';

/** Whether a record of logs.correlations or logs.alerts is about the log of this epoch; one of an earlier release is. */
export function isOfEpoch(
  { headers }: { headers: Readonly<Record<string, string>> },
  epoch: string,
): boolean {
  const written = headers[epochHeader];
  return written === undefined || written === epoch;
}
