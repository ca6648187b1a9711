import { authSettings } from '@logloom/auth/settings';
import { eventLogSettings } from '@logloom/event-log/settings';
import { schemaRegistrySettings } from '@logloom/schema-registry/settings';
import { declareSettings, numberSetting, settingsOf, textSetting, type ValuesOf } from '@logloom/settings';
import { telemetrySettings } from '@logloom/telemetry/settings';

export const runtimeSettings = declareSettings(
  { owner: 'libs/runtime' },
  {
    HEALTH_PORT: numberSetting({
      unit: 'port',
      max: 65_535,
      description:
        'port for health and metrics of a service that runs on its own; unset: ingest 9101, correlator 9102, indexer 9103, fanout 9104, canary 9105',
    }),
    DISK_RESERVE_BYTES: numberSetting({
      unit: 'bytes',
      min: 2 ** 20,
      description:
        'embedded: with fewer bytes free on the disk of LOGLOOM_DATA, senders are refused with 503 disk-full, and everything else goes on; unset: 64 MiB, or 2 % of a disk below 3.2 GB',
    }),
    METRICS_PORT: numberSetting({
      unit: 'port',
      max: 65_535,
      description:
        'port for /metrics alone; unset: /metrics is on the port for health, or on LIVE_PORT in the one-process mode',
    }),
    METRICS_TOKEN: textSetting({
      minLength: 16,
      bounds: '16 characters or more',
      secrecy: 'secret',
      description: 'bearer token that /metrics asks for; unset: none',
    }),
    LIVE_REQUEST_MS: numberSetting({
      unit: 'ms',
      max: 86_400_000,
      default: 30_000,
      description:
        'a request to viewers, search or health that has not arrived completely after this long is cut off',
    }),
    LIVE_DRAIN_MS: numberSetting({
      unit: 'ms',
      max: 600_000,
      default: 3_000,
      description: 'time over which a stopping server disconnects its viewers, in waves',
    }),
  },
);

/** What every service has: the log, its schemas, access, its own log and metrics. */
export const serviceSettings = settingsOf(eventLogSettings)
  .with(schemaRegistrySettings)
  .with(authSettings)
  .with(runtimeSettings)
  .with(telemetrySettings);

export type ServiceSettings = ValuesOf<typeof serviceSettings>;
