import type { StreamName } from '../protocol/client-message.ts';
import type { DegradationLevel } from '../protocol/degradation-level.ts';
import type { DeliveryAges } from '../delivery/viewer-meter.ts';

/** One subscription of a viewer, as operators see it. */
export interface SubscriptionFigures {
  /** As the client named it; several may share one stream of messages. */
  ids: string[];
  stream: StreamName;
  /** In canonical form, with the imposed filter if there is one. */
  filter: string;
  state: 'catching-up' | 'live' | 'paused' | 'closed';
  mode: DegradationLevel;
  /** Records between the viewer's cursor and the stream's, matching or not; null where there is no cursor yet. */
  behind: number | null;
}

/** What a viewer is sent. */
export interface ViewerActivity {
  subscriptions: SubscriptionFigures[];
  /** Written, and not taken by the network yet. */
  queuedBytes: number;
  bytes: number;
  events: number;
  /** Of the last half to whole minute, as are the ages. */
  eventsPerSecond: number;
  missed: number;
  gaps: number;
  ageMs: DeliveryAges | null;
}

/** One connected viewer, as `GET /api/viewers` has it. */
export interface ViewerFigures extends ViewerActivity {
  id: string;
  transport: string;
  address: string | null;
  /** The token's `sub`; null where no tokens are asked for. */
  subject: string | null;
  /** RFC 3339. */
  since: string;
}

export interface ViewerQuery {
  /** The maximum number of viewers. */
  limit: number;
  /** Only those after this one in the order of nodes and numbers. */
  after: ViewerId | undefined;
}

export interface ViewerPage {
  /** Of all viewers. */
  total: number;
  viewers: ViewerFigures[];
  /** Whether there are more. */
  hasMore: boolean;
}

/** Where viewers are listed and ended: a live tier, or all processes of one. */
export interface ViewerDirectory {
  list(query: ViewerQuery): Promise<ViewerPage>;
  /** Says goodbye to a viewer and closes its connection; false when there is none of this id. */
  end(id: ViewerId): Promise<boolean>;
}

/** Names a viewer while it is connected: its process, and its number there. */
export interface ViewerId {
  node: string;
  number: number;
}

export function formatViewerId({ node, number }: ViewerId): string {
  return `${node}-${number}`;
}

/** Undefined for anything but an id. */
export function parseViewerId(text: string): ViewerId | undefined {
  const match = /^([a-z0-9]{8})-([1-9]\d{0,14})$/.exec(text);
  return match === null ? undefined : { node: match[1]!, number: Number(match[2]) };
}

/** Joins the pages that several processes have answered to one query. */
export function joinPages(pages: readonly ViewerPage[], limit: number): ViewerPage {
  const keyed = pages
    .flatMap(({ viewers }) => viewers)
    .map((viewer) => ({ viewer, id: parseViewerId(viewer.id)! }));
  keyed.sort(({ id: a }, { id: b }) => (a.node === b.node ? a.number - b.number : a.node < b.node ? -1 : 1));
  return {
    total: pages.reduce((sum, { total }) => sum + total, 0),
    viewers: keyed.slice(0, limit).map(({ viewer }) => viewer),
    hasMore: keyed.length > limit || pages.some(({ hasMore }) => hasMore),
  };
}
