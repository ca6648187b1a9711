import type { FileValue, TlsValues } from '@logloom/settings/connection';

export const saslMechanisms = ['plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer'] as const;
export type SaslMechanism = (typeof saslMechanisms)[number];

/** How a client of Kafka connects and who it is. Plain data: it is copied to worker threads. */
export interface KafkaSecurityOptions {
  /** TLS, with these certificates; undefined: plain text. */
  tls?: TlsValues | undefined;
  sasl?: KafkaSaslOptions | undefined;
}

export interface KafkaSaslOptions {
  mechanism: SaslMechanism;
  username?: FileValue | undefined;
  password?: FileValue | undefined;
  /** For oauthbearer. */
  oauth?: OauthOptions | undefined;
}

/** The client-credentials flow, RFC 6749 section 4.4. */
export interface OauthOptions {
  tokenEndpointUrl: string;
  clientId: FileValue;
  clientSecret: FileValue;
  scope?: string | undefined;
  /** What the broker gets beside the token, such as Confluent's logicalCluster. */
  extensions?: Readonly<Record<string, string>> | undefined;
}
