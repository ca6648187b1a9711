import { archiveSettings } from '@logloom/archive/settings';
import { columnStoreSettings } from '@logloom/column-store/settings';
import { filterSettings } from '@logloom/filter/settings';
import { jobQueueSettings } from '@logloom/job-queue/settings';
import { serviceSettings } from '@logloom/runtime/settings';
import { declareSettings, numberSetting, portSetting, type ValuesOf } from '@logloom/settings';

/** The settings of the live tier alone. */
export const fanoutSettings = declareSettings(
  { owner: 'services/fanout', prefixes: ['LIVE_'] },
  {
    LIVE_PORT: portSetting(4380, 'HTTP port for viewers and operators'),
    LIVE_FLUSH_MS: numberSetting({
      unit: 'ms',
      min: 0,
      max: 10_000,
      default: 25,
      description:
        'longest time that events wait to be batched before they go to viewers; under light load they do not wait',
    }),
    LIVE_BUFFER_BYTES: numberSetting({
      unit: 'bytes',
      max: 2 ** 30,
      default: 2 ** 20,
      description:
        'bytes that may wait for one viewer; from half of it on the viewer gets samples, then counts',
    }),
    LIVE_TOTAL_BUFFER_BYTES: numberSetting({
      unit: 'bytes',
      max: 2 ** 40,
      default: 512 * 2 ** 20,
      description: 'bytes that may wait for all viewers of a process together',
    }),
    LIVE_WORKERS: numberSetting({
      unit: 'processes',
      max: 64,
      default: 1,
      description: 'processes that serve viewers, sharing LIVE_PORT; more than one needs Linux',
    }),
    LIVE_WORKER_FROZEN_MS: numberSetting({
      unit: 'ms',
      max: 86_400_000,
      default: 10_000,
      description:
        'a worker process that has not answered its supervisor for this long is killed and replaced',
    }),
    LIVE_MAX_VIEWERS: numberSetting({
      unit: 'viewers',
      max: 10_000_000,
      default: 20_000,
      description: 'viewers per process; more are refused with 503',
    }),
    LIVE_MAX_HANDSHAKES: numberSetting({
      unit: 'viewers',
      max: 1_000_000,
      default: 1_000,
      description: 'viewers per process whose handshakes may wait; more are refused with 503',
    }),
    LIVE_DURABLE_NAMES: numberSetting({
      unit: 'names',
      max: 1_000_000,
      default: 1_000,
      description: 'durable names of one principal; a name that is unused for 7 days is forgotten',
    }),
    LIVE_DURABLE_BYTES: numberSetting({
      unit: 'bytes',
      max: 2 ** 34,
      default: 64 * 2 ** 20,
      description: 'bytes of all durable names with their filters; one principal may have a quarter of it',
    }),
    LIVE_MAX_MESSAGE_BYTES: numberSetting({
      unit: 'bytes',
      min: 1024,
      max: 2 ** 20,
      default: 65_536,
      description: 'largest message of a viewer',
    }),
    LIVE_MAX_SUBSCRIPTIONS: numberSetting({
      unit: 'subscriptions',
      max: 10_000,
      default: 100,
      description: 'subscriptions per connection',
    }),
    LIVE_MESSAGES_PER_SECOND: numberSetting({
      unit: 'messages/s',
      max: 1_000_000,
      default: 100,
      description: 'messages per second of one viewer, with bursts of twice as many',
    }),
    LIVE_SUBSCRIBES_PER_SECOND: numberSetting({
      unit: 'messages/s',
      max: 1_000_000,
      default: 20,
      description: 'subscribe messages per second of one viewer, with bursts of twice LIVE_MAX_SUBSCRIPTIONS',
    }),
    LIVE_ADDRESS_CONNECTIONS: numberSetting({
      unit: 'connections',
      max: 10_000_000,
      default: 1_000,
      description: 'viewers per process from one address; loopback is exempt',
    }),
    LIVE_ADDRESS_MESSAGES_PER_SECOND: numberSetting({
      unit: 'messages/s',
      max: 10_000_000,
      default: 2_000,
      description: 'messages per second from one address; loopback is exempt',
    }),
  },
);

/** The settings of the live tier and of what it uses. */
export const settings = serviceSettings
  .with(archiveSettings)
  .with(columnStoreSettings)
  .with(jobQueueSettings)
  .with(filterSettings)
  .with(fanoutSettings);
export type Settings = ValuesOf<typeof settings>;

/** Reads them from variables. Throws SettingsError with every problem. */
export function parseSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  return settings.parse(env);
}
