import { authSettings } from '@logloom/auth/settings';
import { eventLogSettings } from '@logloom/event-log/settings';
import { schemaRegistrySettings } from '@logloom/schema-registry/settings';
import { declareSettings, numberSetting, settingsOf, type ValuesOf } from '@logloom/settings';
import { telemetrySettings } from '@logloom/telemetry/settings';

export const runtimeSettings = declareSettings(
  { owner: 'libs/runtime' },
  {
    HEALTH_PORT: numberSetting({
      unit: 'port',
      max: 65_535,
      description: "health and metrics of a service on its own; unset: the service's own port, 9101 to 9104",
    }),
    LIVE_REQUEST_MS: numberSetting({
      unit: 'ms',
      max: 86_400_000,
      default: 30_000,
      description:
        'a request to viewers, search or health that has not arrived whole after so long is cut off',
    }),
    LIVE_DRAIN_MS: numberSetting({
      unit: 'ms',
      max: 600_000,
      default: 3_000,
      description: 'over how long a stopping server sends its viewers away, in waves',
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
