import { serviceSettings } from '@logloom/runtime/settings';
import { declareSettings, numberSetting, textSetting, type ValuesOf } from '@logloom/settings';

/** The settings of the correlator alone. */
export const correlatorSettings = declareSettings(
  {
    owner: 'services/correlator',
    prefixes: ['CORRELATION_'],
    // Ingest's: which ids of an event count.
    elsewhere: ['CORRELATION_ID_ORDER', 'CORRELATION_JOINS'],
  },
  {
    CORRELATION_IDLE_MS: numberSetting({
      unit: 'ms',
      max: 86_400_000,
      default: 5_000,
      description: 'a session closes after this long without an event',
    }),
    CORRELATION_MAX_MS: numberSetting({
      unit: 'ms',
      max: 86_400_000,
      default: 30_000,
      description: 'a session closes at this age',
    }),
    CORRELATION_GRACE_MS: numberSetting({
      unit: 'ms',
      max: 86_400_000,
      default: 30_000,
      description: 'how long after the first close of a session a late event still revises its document',
    }),
    CORRELATION_MAX_EVENTS: numberSetting({
      unit: 'events',
      max: 1_000_000,
      default: 10_000,
      description: 'a session closes at this many events',
    }),
    CORRELATION_MAX_GROUPS: numberSetting({
      unit: 'sessions',
      max: 100_000_000,
      default: 1_000_000,
      description: 'open sessions per partition; beyond it the session that was idle longest is closed',
    }),
    CORRELATION_MEMORY_BYTES: numberSetting({
      unit: 'bytes',
      min: 2 ** 20,
      max: 2 ** 40,
      description:
        'memory for open sessions, shared evenly by the partitions; beyond it the sessions that were idle longest are closed; unset: a quarter of the memory of the process',
    }),
    CORRELATION_BACKFILL_IDLE_MS: numberSetting({
      unit: 'ms',
      max: 86_400_000,
      default: 15_000,
      description: 'sessions of backfilled events close after this long without one in their partition',
    }),
    CORRELATION_BACKFILL_MAX_MS: numberSetting({
      unit: 'ms',
      max: 86_400_000,
      default: 300_000,
      description:
        'a session of backfilled events closes at this age, and is revised while the backfill continues',
    }),
    CORRELATION_BACKFILL_GRACE_MS: numberSetting({
      unit: 'ms',
      max: 86_400_000,
      default: 600_000,
      description:
        'how long after the last backfilled event of a partition a further one still revises the document of its request',
    }),
    CORRELATION_BACKFILL_MEMORY_BYTES: numberSetting({
      unit: 'bytes',
      min: 2 ** 20,
      max: 2 ** 40,
      description:
        'memory for sessions of backfilled events, shared evenly by the partitions; beyond it those that were idle longest are closed; unset: an eighth of the memory of the process',
    }),
    CORRELATION_JOIN_LIMIT: numberSetting({
      unit: 'requests',
      max: 100_000,
      default: 100,
      description:
        'an id that joins more requests than this, or that more ids join at once in a partition, joins no more (docs/ids.md)',
    }),
    CORRELATION_RULES: textSetting({
      bounds: 'YAML file',
      description: 'correlation rules (docs/rules.md), reloaded whenever the file changes; unset: none',
    }),
  },
);

/** The settings of the correlator and of what it uses. */
export const settings = serviceSettings.with(correlatorSettings);
export type Settings = ValuesOf<typeof settings>;

/** Reads them from variables. Throws SettingsError with every problem. */
export function parseSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  return settings.parse(env);
}
