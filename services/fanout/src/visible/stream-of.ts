import type { Filter } from '@logloom/filter';
import type { StreamName } from '../protocol/client-message.ts';
import type { LiveStream } from '../stream/live-stream.ts';
import type { StreamKind } from '../stream/stream-kind.ts';
import type { ViewerStream } from '../stream/viewer-stream.ts';
import type { VisibleCorrelations } from './visible-correlations.ts';
import { visibleKind } from './visible-kind.ts';

/** The streams of a live tier, and the parts that a principal may see. */
export interface PrincipalStreams {
  streams: Readonly<Record<StreamName, LiveStream>>;
  /** Used instead of the stream of correlations under an imposed filter. */
  visible: VisibleCorrelations;
  /** What the principal may see at most: part of every filter of events, and the source of its documents. */
  imposed?: Filter;
  /** Whether the principal is the canary. */
  isCanary?: true;
}

/** The stream of that name for the principal. A subscription to it has to begin in this turn of the event loop. */
export function streamOf(
  { streams, visible, imposed, isCanary }: PrincipalStreams,
  name: StreamName,
): ViewerStream {
  if (isCanary === true) return streams[name].canary;
  return imposed !== undefined && name === 'correlations' ? visible.streamFor(imposed) : streams[name];
}

/** The kind of that stream; nothing is begun for it. */
export function kindOf({ streams, imposed }: PrincipalStreams, name: StreamName): StreamKind {
  return imposed !== undefined && name === 'correlations' ? visibleKind : streams[name].kind;
}
