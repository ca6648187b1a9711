import { AccessFaults } from '@logloom/settings/connection';
import type kafkajs from 'kafkajs';
import type { Trouble } from '../event-log.ts';
import { BrokerWatch } from './broker-watch.ts';
import { Patience } from './patience.ts';
import { KafkaSecurity } from './security/kafka-security.ts';
import type { KafkaSecurityOptions } from './security/options.ts';

/** How a KafkaEventLog connects and works. */
export interface KafkaOptions {
  /** host:port of some brokers; the others are found through them. */
  brokers: readonly string[];
  /** TLS and SASL; default neither. */
  security?: KafkaSecurityOptions | undefined;
  /** The name under which the brokers' logs and quotas know this client. */
  clientId?: string;
  /** How the records of this client are compressed; default zstd. */
  compression?: 'zstd' | 'gzip' | 'none';
  /** How long append() and the short calls try before they reject with `log-unavailable`, in ms; default 30,000. */
  patienceMs?: number;
  /** Aborts when the service has to end: then all of these calls together try for a few seconds more. */
  draining?: AbortSignal;
  /** How long consume() and follow() continue while the log is unreachable for them or their handlers, in ms; default 10 minutes. */
  outageMs?: number;
  /** A member of a group that is silent for this time (killed, or cut off) loses its partitions, in ms; default 10,000. */
  sessionTimeoutMs?: number;
  /** How long new topics keep records, in ms; default forever. */
  retentionMs?: number;
  /** Receives failures that are being retried; default: none are reported. */
  onTrouble?: (trouble: Trouble) => void;
}

export type KafkaSettings = Readonly<
  Required<Omit<KafkaOptions, 'retentionMs' | 'patienceMs' | 'draining' | 'security'>> &
    Pick<KafkaOptions, 'retentionMs'> & {
      /** Shared by all connections of this log. */
      watch: BrokerWatch;
      patience: Patience;
      /** How all connections of this log are made. */
      security: KafkaSecurity;
      /** What the brokers refuse of this client. */
      faults: AccessFaults;
    }
>;

/** For the clients of kafkajs, which want no `sasl` rather than an undefined one. */
export function saslOf({ security }: KafkaSettings): { sasl?: kafkajs.SASLOptions } {
  const { sasl } = security;
  return sasl === undefined ? {} : { sasl };
}

/** The options with their defaults. Throws SettingsError when a certificate cannot be used. */
export function kafkaSettings({
  patienceMs = 30_000,
  draining,
  security: securityOptions,
  ...options
}: KafkaOptions): KafkaSettings {
  const security = new KafkaSecurity(securityOptions, (message) => options.onTrouble?.({ message }));
  return {
    clientId: 'logloom',
    compression: 'zstd',
    outageMs: 600_000,
    sessionTimeoutMs: 10_000,
    onTrouble: () => {},
    watch: new BrokerWatch(options.brokers, security),
    security,
    faults: new AccessFaults(),
    patience: new Patience(patienceMs, draining),
    ...options,
  };
}
