/** An id is to join a request; see the contract Link. */
export interface JoinLink {
  type: 'link';
  id: string;
  /** Empty: the id joins no more. */
  into: string;
  kind: string;
  rank: number;
}

/** Members of a session that are to be forwarded to another request. */
export interface JoinForward {
  type: 'forward';
  /** The offsets of their records: events, or others that were forwarded here. */
  offsets: readonly number[];
  into: string;
  kind: string;
}

/**
 * What the log has to get because of the record at `offset`: a function of the log like the documents are, so that a restart makes the same
 * again. An id that joined too many others is the exception (FanIn): its record only says once more what is so.
 */
export type JoinEffect = (JoinLink | JoinForward) & { offset: number; isBackfill: boolean };
