/** Settings for ingest without the receivers that have ports of their own: those of many tests at once would be in each other's way. */
export const closedPorts = {
  SYSLOG_PORT: '0',
  OTLP_GRPC_PORT: '0',
  FORWARD_PORT: '0',
  GELF_PORT: '0',
} as const;
