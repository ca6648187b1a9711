import { canaryService, type SealedContent } from '@logloom/auth';
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';

/** An event of the canary before a protocol frames it. */
export interface CanaryEvent {
  message: string;
  /** ms since 1970. */
  timestampMs: number;
}

/** Why a batch was not acknowledged. */
export interface Refusal {
  /** `unreachable`, `unacknowledged`, or the status of the response: a value of the metric's label. */
  reason: string;
  message: string;
}

/** A receiver as the canary uses it. */
export interface CanaryReceiver {
  name: string;
  /** What ingest reads from the protocol's frame, besides message, service and time: the seal covers it. */
  content: SealedContent;
  /** Whether the protocol keeps the order of one batch. */
  isOrdered: boolean;
  /** Sends the batch; resolves when the receiver has acknowledged it, or, in protocols without acknowledgements, has taken it; else with the reason. */
  send: (events: readonly CanaryEvent[], signal: AbortSignal) => Promise<Refusal | undefined>;
}

const plain: SealedContent = { level: 'info', host: null, attributes: '{}' };
/** facility user, severity informational */
const priority = 14;
const syslog: SealedContent = {
  ...plain,
  host: canaryService,
  attributes: '{"syslog":{"facility":"user","severity":"info"}}',
};
/** The index that a bulk request names is an attribute. */
const bulk: SealedContent = { ...plain, attributes: JSON.stringify({ _index: canaryService }) };

/** The receivers under the HTTP port. `token` is the canary's, for where keys are required. */
export function httpReceivers(url: string, token: string): CanaryReceiver[] {
  const over =
    (path: string, contentType: string, bodyOf: (events: readonly CanaryEvent[]) => string) =>
    (events: readonly CanaryEvent[], signal: AbortSignal): Promise<Refusal | undefined> =>
      post(new URL(path, url), contentType, bodyOf(events), token, signal);
  return [
    {
      name: 'json',
      content: plain,
      isOrdered: true,
      send: over('/ingest', 'application/x-ndjson', (events) =>
        lines(
          events.map(({ message, timestampMs }) => ({
            time: new Date(timestampMs),
            level: 'info',
            service: canaryService,
            message,
          })),
        ),
      ),
    },
    {
      name: 'elasticsearch',
      content: bulk,
      isOrdered: true,
      send: over('/_bulk', 'application/x-ndjson', (events) =>
        lines(
          events.flatMap(({ message, timestampMs }) => [
            { create: { _index: canaryService } },
            {
              '@timestamp': new Date(timestampMs),
              'log.level': 'info',
              'service.name': canaryService,
              message,
            },
          ]),
        ),
      ),
    },
    {
      name: 'loki',
      content: plain,
      isOrdered: true,
      send: over('/loki/api/v1/push', 'application/json', (events) =>
        JSON.stringify({
          streams: [
            {
              stream: { service_name: canaryService, level: 'info' },
              values: events.map(({ message, timestampMs }) => [nanoseconds(timestampMs), message]),
            },
          ],
        }),
      ),
    },
    {
      name: 'otlp',
      content: plain,
      isOrdered: true,
      send: over('/v1/logs', 'application/json', (events) =>
        JSON.stringify({
          resourceLogs: [
            {
              resource: { attributes: [{ key: 'service.name', value: { stringValue: canaryService } }] },
              scopeLogs: [
                {
                  logRecords: events.map(({ message, timestampMs }) => ({
                    timeUnixNano: nanoseconds(timestampMs),
                    severityNumber: 9,
                    body: { stringValue: message },
                  })),
                },
              ],
            },
          ],
        }),
      ),
    },
  ];
}

/** Syslog (RFC 5424) over TCP, octet-counted as RFC 6587 has it, and over UDP. Neither acknowledges anything. */
export function syslogReceivers(host: string, port: number): CanaryReceiver[] {
  return [
    {
      name: 'syslog-tcp',
      content: syslog,
      isOrdered: true,
      send: (events, signal) =>
        new Promise((resolve) => {
          const socket = connect({ host, port, signal });
          socket.on('error', (error) => resolve(unreachable(error)));
          const frames = events.map(syslogMessage).map((text) => `${Buffer.byteLength(text)} ${text}`);
          // The end of the connection is the receiver's: it has read everything.
          socket.on('close', () => resolve(undefined));
          socket.resume();
          socket.end(frames.join(''));
        }),
    },
    {
      name: 'syslog-udp',
      content: syslog,
      isOrdered: false,
      send: async (events) => {
        const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
        try {
          for (const event of events) {
            const error = await new Promise<Error | null>((resolve) =>
              socket.send(syslogMessage(event), port, host, resolve),
            );
            if (error !== null) return unreachable(error);
          }
          return undefined;
        } finally {
          socket.close();
        }
      },
    },
  ];
}

/** The topic of applications that produce to Kafka themselves. */
export function rawReceiver(append: (values: readonly Buffer[]) => Promise<unknown>): CanaryReceiver {
  return {
    name: 'raw',
    content: plain,
    isOrdered: true,
    send: async (events) => {
      const values = events.map(({ message, timestampMs }) =>
        Buffer.from(
          JSON.stringify({ time: new Date(timestampMs), level: 'info', service: canaryService, message }),
        ),
      );
      return append(values).then(
        () => undefined,
        (error: Error) => unreachable(error),
      );
    },
  };
}

async function post(
  url: URL,
  contentType: string,
  body: string,
  token: string,
  signal: AbortSignal,
): Promise<Refusal | undefined> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': contentType, authorization: `Bearer ${token}` },
      body,
      signal,
    });
    await response.arrayBuffer();
    if (response.ok) return undefined;
    return { reason: String(response.status), message: `${url.href} answered ${response.status}` };
  } catch (error) {
    if (!signal.aborted) return unreachable(error as Error);
    return { reason: 'unacknowledged', message: `${url.href} did not answer in time` };
  }
}

function unreachable({ message, cause }: Error): Refusal {
  return {
    reason: 'unreachable',
    message: cause instanceof Error ? `${message}: ${cause.message}` : message,
  };
}

function syslogMessage({ message, timestampMs }: CanaryEvent): string {
  return `<${priority}>1 ${new Date(timestampMs).toISOString()} ${canaryService} ${canaryService} - - - ${message}`;
}

function lines(objects: readonly object[]): string {
  return objects.map((object) => `${JSON.stringify(object)}\n`).join('');
}

function nanoseconds(ms: number): string {
  return `${ms}000000`;
}
