import { archiveSettings } from '@logloom/archive/settings';
import { columnStoreSettings } from '@logloom/column-store/settings';
import { filterSettings } from '@logloom/filter/settings';
import { jobQueueSettings } from '@logloom/job-queue/settings';
import { notifySettings } from '@logloom/notify/settings';
import { serviceSettings } from '@logloom/runtime/settings';
import { searchStoreSettings } from '@logloom/search-store/settings';
import { declareSettings, numberSetting, type ValuesOf } from '@logloom/settings';

/** The settings of the indexer and its API alone. */
export const indexerSettings = declareSettings(
  { owner: 'services/indexer' },
  {
    SEARCH_RETENTION_MS: numberSetting({
      unit: 'ms',
      min: 60_000,
      description: 'how long the search store keeps events, by their own time; unset: forever',
    }),
    ARCHIVE_RETENTION_MS: numberSetting({
      unit: 'ms',
      min: 60_000,
      description: 'how long the archive keeps events, by their own time; unset: forever',
    }),
    ALERT_BOOK_BYTES: numberSetting({
      unit: 'bytes',
      min: 65_536,
      default: 33_554_432,
      description:
        'how much memory the alerts that are followed may take, in each process or thread that answers for them (docs/alerts.md)',
    }),
    SQL_MEMORY_BYTES: numberSetting({
      unit: 'bytes',
      min: 67_108_864,
      default: 268_435_456,
      description:
        'how much memory DuckDB may take for one SQL statement; its process may take 300 MB more (docs/sql.md)',
    }),
    SQL_LIMIT_MS: numberSetting({
      unit: 'ms',
      min: 100,
      default: 60_000,
      description: 'how long one SQL statement may work',
    }),
    SQL_MAX_ROWS: numberSetting({
      unit: 'rows',
      min: 1,
      default: 1_000_000,
      description: 'how many rows one SQL statement may return',
    }),
    SQL_MAX_BYTES: numberSetting({
      unit: 'bytes',
      min: 1_000,
      default: 1_073_741_824,
      description: 'how long the result of one SQL statement may be',
    }),
    LOADTEST_RETENTION_MS: numberSetting({
      unit: 'ms',
      min: 60_000,
      default: 86_400_000,
      description: "how long load tests' events can be found, by their own time (docs/loadtest.md)",
    }),
  },
);

/** The settings of the indexer and of what it uses. */
export const settings = serviceSettings
  .with(searchStoreSettings)
  .with(archiveSettings)
  .with(columnStoreSettings)
  .with(jobQueueSettings)
  .with(filterSettings)
  .with(notifySettings)
  .with(indexerSettings);
export type Settings = ValuesOf<typeof settings>;

/** Reads them from variables. Throws SettingsError with every problem. */
export function parseSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  return settings.parse(env);
}
