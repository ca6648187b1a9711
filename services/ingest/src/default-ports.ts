/** The ports of receivers that are on where nobody has asked for them, by the setting that moves them. */
export const defaultPorts = {
  OTLP_GRPC_PORT: 4317,
  FORWARD_PORT: 24_224,
  GELF_PORT: 12_201,
  SYSLOG_TLS_PORT: 6514,
} as const;

export type ReceiverPort = keyof typeof defaultPorts;
