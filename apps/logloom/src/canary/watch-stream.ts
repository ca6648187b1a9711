import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';

export interface WatchStreamOptions {
  /** The viewers' port. */
  url: string;
  token: string;
  stream: 'events' | 'correlations';
  /** Gets the items of each message. */
  onItems: (items: readonly unknown[]) => void;
  /** Called at each connection, once subscribed. */
  onSubscribed: () => void;
  /** Called when a connection could not be made or has ended. */
  onEnd: (reason: Error) => void;
}

const firstRetryMs = 200;
const maxRetryMs = 5_000;

interface ServerMessage {
  type: string;
  cursor?: string;
  to?: string;
  message?: string;
  events?: unknown[];
  correlations?: unknown[];
}

/**
 * Watches a stream as a viewer until the signal aborts. When the connection ends, it continues at its cursor, as any viewer would. Not by
 * LiveClient, which passes over what it has had already: the canary has to see duplicates.
 */
export async function watchStream(options: WatchStreamOptions, signal: AbortSignal): Promise<void> {
  let cursor: string | undefined;
  let retryMs = firstRetryMs;
  while (!signal.aborted) {
    const error = await watchOnce(options, cursor, signal, (next) => {
      cursor = next;
      retryMs = firstRetryMs;
    });
    if (signal.aborted) return;
    // A cursor that is no longer accepted must not keep it out forever.
    if (error.message.startsWith('refused')) cursor = undefined;
    options.onEnd(error);
    await sleep(retryMs, undefined, { signal }).catch(() => {});
    retryMs = Math.min(retryMs * 2, maxRetryMs);
  }
}

/** One connection; resolves with the reason why it ended. */
function watchOnce(
  { url, token, stream, onItems, onSubscribed }: WatchStreamOptions,
  cursor: string | undefined,
  signal: AbortSignal,
  onCursor: (cursor: string) => void,
): Promise<Error> {
  const address = new URL('/live', url);
  address.protocol = address.protocol.replace('http', 'ws');
  const socket = new WebSocket(address, 'logloom.v1', {
    headers: { authorization: `Bearer ${token}` },
    handshakeTimeout: maxRetryMs,
  });
  return new Promise((resolve) => {
    const stop = (): void => socket.terminate();
    const end = (error: Error): void => {
      signal.removeEventListener('abort', stop);
      socket.terminate();
      resolve(error);
    };
    signal.addEventListener('abort', stop, { once: true });
    socket.on('error', end);
    socket.on('close', (code) => end(new Error(`closed with ${code}`)));
    socket.on('open', () =>
      socket.send(
        JSON.stringify({
          type: 'subscribe',
          id: 'canary',
          stream,
          filter: '',
          from: cursor === undefined ? 'now' : { cursor },
        }),
      ),
    );
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as ServerMessage;
      if (message.type === 'error') return end(new Error(`refused: ${message.message}`));
      const next = message.cursor ?? message.to;
      if (next !== undefined) onCursor(next);
      if (message.type === 'subscribed') return onSubscribed();
      const items = message.events ?? message.correlations;
      if (items !== undefined) onItems(items);
    });
  });
}
