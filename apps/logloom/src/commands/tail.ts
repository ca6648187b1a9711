import { escapeControls } from '@logloom/telemetry/escape-controls';
import { LiveClient } from '@logloom/viewer';
import { colors as pc } from '../output/colors.ts';
import { refused } from './endpoint.ts';
import { correlationLine, eventLine, type EventJson } from '../output/event-line.ts';

export interface TailOptions {
  /** The viewers' port's base URL. */
  url: string;
  filter: string;
  stream: 'events' | 'correlations';
  from: 'now' | { cursor: string } | { tail: number } | { last: string };
  token?: string | undefined;
  json: boolean;
  write: (line: string) => void;
  /** Receives messages that are not events: gaps, lost connections. */
  note: (line: string) => void;
}

/** Follows a filter live until the signal aborts, across lost connections. Rejects with CommandError if it is refused. */
export function tail(options: TailOptions, signal: AbortSignal): Promise<void> {
  const { filter, stream, from, token, json, write, note } = options;
  return new Promise((resolve, reject) => {
    let wasOpen = false;
    const client = new LiveClient({
      url: new URL('/live', options.url.replace(/^http/, 'ws')),
      ...(token === undefined ? {} : { token }),
      onState: (state) => {
        if (state === 'waiting')
          note(
            pc.yellow(
              wasOpen
                ? 'connection lost; it will continue where it stopped'
                : `no answer from ${options.url}; waiting`,
            ),
          );
        wasOpen = state === 'open';
      },
      onError: (error) => note(pc.red(escapeControls(error.message))),
    });
    const finish = (error?: Error): void => {
      client.close();
      if (error === undefined) resolve();
      else reject(error);
    };
    client.subscribe(
      { filter, stream, from },
      {
        onItems: (items) => {
          for (const item of items as EventJson[]) {
            if (json) write(JSON.stringify(item));
            else write(stream === 'events' ? eventLine(item) : correlationLine(item as never));
          }
        },
        onGap: ({ missed, reason }) => note(pc.yellow(`${missed} events are missing here (${reason})`)),
        onRestart: (message) => note(pc.yellow(escapeControls(message))),
        onError: (error) => finish(refused(error, filter)),
      },
    );
    signal.addEventListener('abort', () => finish(), { once: true });
    client.connect();
  });
}
