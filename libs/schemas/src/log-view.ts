import type { PlacedEvent } from './event.ts';
import type { Correlation } from './generated/types.ts';

/** A view of the log holds what lies before `offset` in this partition, but for what retention has removed from it. */
export interface FillMark {
  topic: string;
  partition: number;
  offset: number;
}

/** A mark that goes on from where its writer believes it to be. */
export interface FillMove extends FillMark {
  from: number;
}

/**
 * What every view of logs.events and logs.correlations (search store, archive) can say about how much of the log it holds. The marks
 * are kept with the data: who deletes the data deletes them too, and who restores an old backup restores the old marks. So an empty
 * view that retention has emptied is told from one that was lost.
 */
export interface LogView {
  /** The marks for topics of this epoch (EventLog.epochOf); none for a view that is new, was lost, or is of a release without marks. */
  filled(epoch: string): Promise<FillMark[]>;
  /**
   * Raises the marks to `offset`, none falls. False, and nothing is changed, when one of them is before its `from` (a missing one
   * is at 0): the view has lost data meanwhile. Durable against a crash of the process; a loss of power may take back the last moves.
   */
  markFilled(epoch: string, moves: readonly FillMove[]): Promise<boolean>;
  /** Retention has removed everything before this time, in microseconds; -Infinity where it never has. */
  removedBefore(): Promise<number>;
  /** Those of the events that the view does not hold. */
  missingEvents(events: readonly PlacedEvent[]): Promise<PlacedEvent[]>;
  /** Those of the documents that the view holds neither at this revision nor at a higher one. */
  missingCorrelations(documents: readonly Correlation[]): Promise<Correlation[]>;
}
