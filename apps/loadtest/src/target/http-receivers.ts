import { bulkBody, bulkFate } from './receivers/elasticsearch.ts';
import { jsonFate } from './receivers/json.ts';
import { lokiBody, lokiFate } from './receivers/loki.ts';
import { otlpBody, otlpFate } from './receivers/otlp.ts';
import type { ReceiverKind } from './receiver.ts';
import type { BatchFate } from './sender.ts';

/** How events become a request of a protocol, and what its response says of them. */
export interface HttpReceiver {
  path: string;
  contentType: string;
  /** Each line is an event in JSON. */
  bodyOf: (lines: readonly string[]) => string;
  /** What became of the events; undefined: the request was refused as a whole. Throws SyntaxError for a success that it does not understand. */
  fateOf: (response: { status: number; text: string }) => BatchFate | undefined;
}

export const httpReceivers: Readonly<Record<Exclude<ReceiverKind, 'syslog' | 'kafka'>, HttpReceiver>> = {
  json: {
    path: '/ingest',
    contentType: 'application/x-ndjson',
    bodyOf: (lines) => lines.join('\n'),
    fateOf: jsonFate,
  },
  elasticsearch: {
    path: '/_bulk',
    contentType: 'application/x-ndjson',
    bodyOf: bulkBody,
    fateOf: bulkFate,
  },
  loki: {
    path: '/loki/api/v1/push',
    contentType: 'application/json',
    bodyOf: lokiBody,
    fateOf: lokiFate,
  },
  otlp: {
    path: '/v1/logs',
    contentType: 'application/json',
    bodyOf: otlpBody,
    fateOf: otlpFate,
  },
};
