/** What a viewer watches. `service`: each viewer one service, in turn. `filter`: a filter of the scenario's own. */
export type WatchKind = 'all' | 'service' | 'errors' | 'filter';

export const viewerPriorities = ['low', 'normal', 'high'] as const;
export type ViewerPriority = (typeof viewerPriorities)[number];

/** How Logloom sends events to a viewer: `logloom.v1`, or `logloom.v1.avro`. */
export const viewerEncodings = ['json', 'avro'] as const;
export type ViewerEncoding = (typeof viewerEncodings)[number];

/**
 * Where a viewer begins: with what comes from now on, at the cursor of the run's start, with the last `tail` events that match, or with
 * those of the last `lastSeconds`.
 */
export type ViewerFrom =
  | { kind: 'now' }
  | { kind: 'start' }
  | { kind: 'tail'; tail: number }
  | { kind: 'last'; lastSeconds: number };

/** Stops reading for `seconds`, every `everySeconds`. */
export interface StallPlan {
  everySeconds: number;
  seconds: number;
}

/** How viewers come and go: each watches for some time, thinks, and comes back, again and again. */
export interface SessionPlan {
  /** The mean; each session takes from half of it to one and a half. */
  watchSeconds: number;
  /** How long it is away, by weights; likewise. */
  think: readonly { weight: number; seconds: number }[];
  /** Where it goes on: `cursor` gets what came meanwhile, `now` is a viewer without a past. */
  resume: 'cursor' | 'now';
}

export interface ViewerKind {
  weight: number;
  watch: WatchKind;
  /** Of a `watch` of `filter`: in Logloom's syntax, without the part that limits it to the run. */
  filter?: string;
  from?: ViewerFrom;
  priority?: ViewerPriority;
  /** Offers permessage-deflate. */
  compression?: boolean;
  encoding?: ViewerEncoding;
  /** Reads so many bytes a second, beyond what the kernel buffers. */
  readBytesPerSecond?: number;
  stall?: StallPlan;
  sessions?: SessionPlan;
}

/** Whether it reads slower than it could, so that the age of what it reads says nothing about the server. */
export function isSlowReader({ stall, readBytesPerSecond }: ViewerKind): boolean {
  return stall !== undefined || readBytesPerSecond !== undefined;
}
