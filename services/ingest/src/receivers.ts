import { forwardReceiver } from './forward/forward-receiver.ts';
import { otlpGrpcServer } from './grpc/otlp-grpc-server.ts';
import { elasticsearchReceiver } from './http/elasticsearch/elasticsearch-receiver.ts';
import type { HttpReceiver } from './http/http-receiver.ts';
import { jsonReceiver } from './http/json/json-receiver.ts';
import { lokiReceiver } from './http/loki/loki-receiver.ts';
import { otlpReceiver } from './http/otlp/otlp-receiver.ts';
import type { Receiver } from './pipeline/receiver.ts';
import { rawReceiver } from './raw/raw-receiver.ts';
import { syslogReceiver, syslogTlsReceiver } from './syslog/syslog-receiver.ts';

/** The protocols under the HTTP port. */
export const httpReceivers: readonly HttpReceiver[] = [
  jsonReceiver,
  otlpReceiver,
  elasticsearchReceiver,
  lokiReceiver,
];

/** All other ways for events to come in. */
export const receivers: readonly Receiver[] = [
  otlpGrpcServer,
  forwardReceiver,
  syslogReceiver,
  syslogTlsReceiver,
  rawReceiver,
];
