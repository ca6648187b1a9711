import type { PlacedEvent } from './event.ts';
import type { Correlation } from './generated/types.ts';

/** A mark: the view of the log holds all records before `offset` in this partition, except those that retention has removed. */
export interface FillMark {
  topic: string;
  partition: number;
  offset: number;
}

/** A change of a mark, from where its writer believes it to be. */
export interface FillMove extends FillMark {
  from: number;
}

/**
 * How much of the log a view of logs.events and logs.correlations (search store, archive) holds. The marks are stored with the data: they
 * are deleted with it, and an old backup has its old marks. So a view that retention has emptied can be distinguished from one that was
 * lost.
 */
export interface LogView {
  /**
   * The marks for topics of this epoch (EventLog.epochOf); none for a view that is new, was lost, or comes from a release without marks.
   */
  filled(epoch: string): Promise<FillMark[]>;
  /**
   * Raises the marks to `offset`; none is lowered. Returns false, and changes nothing, if one of them is before its `from` (a missing mark
   * is at 0): the view has lost data meanwhile. Durable against a crash of the process; a power loss may undo the last changes.
   */
  markFilled(epoch: string, moves: readonly FillMove[]): Promise<boolean>;
  /** Retention has removed everything before this time, in microseconds; -Infinity if it never has. */
  removedBefore(): Promise<number>;
  /** The events that the view does not hold. */
  missingEvents(events: readonly PlacedEvent[]): Promise<PlacedEvent[]>;
  /** The documents that the view holds neither at this revision nor at a higher one. */
  missingCorrelations(documents: readonly Correlation[]): Promise<Correlation[]>;
}
