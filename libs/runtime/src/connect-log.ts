import {
  kafkaSecurityOf,
  openEventLog,
  waitForRoom,
  type EventLog,
  type KafkaOptions,
} from '@logloom/event-log';
import { createSerde, openSchemaRegistry, schemaRegistryOf, type Serde } from '@logloom/schema-registry';
import { topics, type ContractName } from '@logloom/schemas';
import type { ServiceSettings } from './settings.ts';
import type { Telemetry } from '@logloom/telemetry';

export interface LogConnection extends AsyncDisposable {
  log: EventLog;
  serde: Serde;
  /** The reason why the log cannot work at present; undefined if it can, or if that is unknown. */
  problem: () => string | undefined;
}

/**
 * The log and its serde, on the adapters that the settings name; all topics exist. `projections` are the smaller reader schemas of
 * createSerde; `telemetry` receives failures from which the log recovers by itself. Without SCHEMA_REGISTRY_URL the built-in schemas serve
 * on Kafka too: their ids are fixed by contract and version, so every process frames and reads records alike. Once `signal` aborts, calls
 * to Kafka try for a few seconds more. With `waitsForRoom`, append() waits while the embedded log's disk is full or read-only, until the
 * signal aborts.
 */
export async function connectLog(
  settings: ServiceSettings,
  projections: Partial<Record<ContractName, string>> = {},
  telemetry?: Pick<Telemetry, 'logger'>,
  signal?: AbortSignal,
  waitsForRoom = false,
): Promise<LogConnection> {
  const registry = await openSchemaRegistry({
    ...schemaRegistryOf(settings),
    onTrouble: (message) => telemetry?.logger.warn(message),
  });
  const serde = await createSerde(registry, projections);
  const opened = await openEventLog({
    dataFolder: settings.LOGLOOM_DATA,
    topics: Object.values(topics).map((name) => ({ name, partitions: settings.LOG_PARTITIONS })),
    kafka: kafkaOptions(settings, telemetry, signal),
    onTrouble: ({ message, error }) => telemetry?.logger.error({ err: error }, message),
  });
  const log =
    signal === undefined || !waitsForRoom
      ? opened
      : waitForRoom(opened, signal, (error) =>
          telemetry?.logger.error({ err: error }, 'nothing can be stored; waiting for room'),
        );
  return {
    log,
    serde,
    problem: () => log.problem?.() ?? registry.problem?.(),
    [Symbol.asyncDispose]: async () => {
      await log.close();
      await registry.close();
    },
  };
}

function kafkaOptions(
  settings: ServiceSettings,
  telemetry: Pick<Telemetry, 'logger'> | undefined,
  draining: AbortSignal | undefined,
): KafkaOptions | undefined {
  const { KAFKA_BROKERS: brokers, LOG_RETENTION_MS: retentionMs } = settings;
  if (brokers === undefined) return undefined;
  return {
    brokers,
    security: kafkaSecurityOf(settings),
    ...(retentionMs === undefined ? {} : { retentionMs }),
    ...(draining === undefined ? {} : { draining }),
    onTrouble: ({ message, error }) => telemetry?.logger.warn({ err: error }, message),
  };
}
