import { forwardReceiver } from './forward/forward-receiver.ts';
import { gelfReceiver } from './gelf/gelf-receiver.ts';
import { otlpGrpcServer } from './grpc/otlp-grpc-server.ts';
import { elasticsearchReceiver } from './http/elasticsearch/elasticsearch-receiver.ts';
import { datadogReceiver } from './http/datadog/datadog-receiver.ts';
import { gelfHttpReceiver } from './http/gelf/gelf-receiver.ts';
import { journaldReceiver } from './http/journald/journald-receiver.ts';
import { splunkReceiver } from './http/splunk/splunk-receiver.ts';
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
  splunkReceiver,
  datadogReceiver,
  gelfHttpReceiver,
  journaldReceiver,
];

/** All other ways for events to come in. */
export const receivers: readonly Receiver[] = [
  otlpGrpcServer,
  forwardReceiver,
  gelfReceiver,
  syslogReceiver,
  syslogTlsReceiver,
  rawReceiver,
];
