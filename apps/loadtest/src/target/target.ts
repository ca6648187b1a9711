import type { ViewerEncoding, ViewerPriority } from '../scenario/viewer-kind.ts';
import type { Frame, FrameReader } from './frame-reader.ts';
import type { Message } from './message.ts';

/** What a server speaks to its viewers. */
export const targetKinds = ['logloom', 'ws', 'socket.io', 'sse', 'centrifugo'] as const;
export type TargetKind = (typeof targetKinds)[number];

/** What a target can do. What it cannot is not asked of it, but what is lost thereby is lost. */
export interface Abilities {
  /** A viewer that was cut goes on where it was: always, never, or where the server is set up for it. */
  resumes: 'always' | 'if configured' | 'never';
  /** It counts what it leaves out. */
  announcesGaps: boolean;
  /** It sends a viewer only what its filter matches. Without, viewers get everything and drop the rest. */
  filters: boolean;
  /** What was sent can be searched, and requests looked at. */
  searches: boolean;
}

export const abilitiesOf: Readonly<Record<TargetKind, Abilities>> = {
  logloom: { resumes: 'always', announcesGaps: true, filters: true, searches: true },
  ws: { resumes: 'never', announcesGaps: false, filters: false, searches: false },
  'socket.io': { resumes: 'if configured', announcesGaps: false, filters: false, searches: false },
  sse: { resumes: 'if configured', announcesGaps: false, filters: false, searches: false },
  centrifugo: { resumes: 'if configured', announcesGaps: false, filters: false, searches: false },
};

/** Where the viewers of a run go. */
export interface ViewerTarget {
  kind: TargetKind;
  /** The base URL of Logloom's viewers' port or of Socket.IO; the address of the stream of the others. */
  url: string;
  /** Of the same target: viewers are spread over all. */
  moreUrls?: readonly string[] | undefined;
  token?: string | undefined;
  /** Centrifugo's. */
  channel?: string | undefined;
  /** Asked by every viewer's filter besides, so that filters differ; `{{n}}` becomes a number below `count`, by the viewer's number. */
  condition?: { text: string; count: number } | undefined;
  /** Whether the target shows the run's events only to who asks for load tests. */
  isHidden?: boolean | undefined;
}

/** What one connection watches. */
export interface Viewing {
  /** In Logloom's syntax; ignored by targets that do not filter. */
  filter: string;
  /** A cursor of this target, or `now`. */
  from: string;
  /** What it gets of what came before, where it has no cursor; of Logloom. */
  history?: { tail: number } | { last: string } | undefined;
  priority?: ViewerPriority | undefined;
  localAddress?: string | undefined;
  /** Offers permessage-deflate, where the target takes it. */
  compression?: boolean | undefined;
  /** How events come from Logloom; default: json. */
  encoding?: ViewerEncoding | undefined;
}

export interface ViewerEvents {
  /**
   * The stream has begun, or goes on; `ms` since the connection was begun. `isResumed`: the target says that it goes on at the cursor, so
   * that nothing is missing.
   */
  onSubscribed: (ms: number, isResumed: boolean) => void;
  onFrame: (frame: Frame, bytes: number) => void;
  /** The connection has ended, or was never made. `reason` has few values. */
  onEnd: (reason: string) => void;
}

/** One connection of a viewer. */
export interface ViewerConnection {
  /** Ends the connection as a cut network does: without a word. Nothing is reported any more. */
  cut(): void;
  /** Reads nothing until resume(). */
  pause(): void;
  resume(): void;
}

/** A kind of server that a load test can be run against. */
export interface Target {
  /** What a message of the server says. Throws SyntaxError for what it does not understand. */
  decode(bytes: Buffer): Message;
  connect(viewing: Viewing, reader: FrameReader, events: ViewerEvents): ViewerConnection;
}
