import { openEventLog, type EventLog } from '@logloom/event-log';
import { createEmbeddedSchemaRegistry, createSerde, type Serde } from '@logloom/schema-registry';
import { topics, type ContractName } from '@logloom/schemas';
import type { Settings } from '@logloom/settings';

export interface LogConnection extends AsyncDisposable {
  log: EventLog;
  serde: Serde;
}

/**
 * The log and its serde, on the adapters that the settings name, with all topics there. `projections` are the smaller reader
 * schemas of createSerde.
 */
export async function connectLog(
  settings: Settings,
  projections: Partial<Record<ContractName, string>> = {},
): Promise<LogConnection> {
  const registry = createEmbeddedSchemaRegistry();
  const log = await openEventLog({
    dataFolder: settings.LOGLOOM_DATA,
    topics: Object.values(topics).map((name) => ({ name, partitions: settings.LOG_PARTITIONS })),
  });
  const serde = await createSerde(registry, projections);
  return {
    log,
    serde,
    [Symbol.asyncDispose]: async () => {
      await log.close();
      await registry.close();
    },
  };
}
