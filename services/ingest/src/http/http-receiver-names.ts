/** The protocols under the HTTP port, as INGEST_HTTP_RECEIVERS names them. */
export const httpReceiverNames: readonly string[] = [
  'json',
  'otlp',
  'elasticsearch',
  'loki',
  'splunk',
  'datadog',
  'gelf',
  'journald',
];
