/**
 * A header of what the correlator writes: the epoch of the logs.events (EventLog.epoch) whose offsets the record names. Where
 * logs.events was made anew and the topics that follow from it were not, this tells what is about it from what is not.
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
