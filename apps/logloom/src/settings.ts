import { canarySettings } from './canary/settings.ts';
import { settings as correlator } from '@logloom/correlator/settings';
import { settings as fanout } from '@logloom/fanout/settings';
import { settings as indexer } from '@logloom/indexer/settings';
import { settings as ingest } from '@logloom/ingest/settings';
import {
  declareSettings,
  numberSetting,
  textSetting,
  type DescribedSetting,
  type ValuesOf,
} from '@logloom/settings';

/** The settings of the command line and the one-process mode alone. */
export const appSettings = declareSettings(
  {
    owner: 'apps/logloom',
    prefixes: ['LOGLOOM_'],
    // Variables of the compose files, the test suite and the benchmarks.
    elsewhere: [
      'LOGLOOM_BIND',
      'LOGLOOM_OTLP_GRPC_PORT',
      'LOGLOOM_SYSLOG_TLS_PORT',
      'LOGLOOM_FORWARD_PORT',
      'LOGLOOM_GELF_PORT',
      'LOGLOOM_FULL',
      'LOGLOOM_PROFILE',
    ],
  },
  {
    API_THREADS: numberSetting({
      unit: 'threads',
      max: 16,
      default: 2,
      description:
        'threads that answer searches in the one-process mode; with two or more, one client never occupies all of them',
    }),
    LOGLOOM_KEY: textSetting({
      secrecy: 'secret',
      description: 'key for commands that send to a Logloom that requires one; --key overrides it',
    }),
    LOGLOOM_TOKEN: textSetting({
      secrecy: 'secret',
      description: 'token for commands that read from a Logloom that requires one; --token overrides it',
    }),
  },
);

/** Every setting of every part: the one-process mode runs them all. */
export const allSettings = ingest
  .withAll(fanout)
  .withAll(correlator)
  .withAll(indexer)
  .with(appSettings)
  .with(canarySettings);
export type Settings = ValuesOf<typeof allSettings>;

/** Reads them from variables. Throws SettingsError with every problem. */
export function parseSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  return allSettings.parse(env);
}

/** The settings of the environment and, for variables that it lacks, of a `.env` file. Throws SettingsError with every problem. */
export function loadSettings(env: NodeJS.ProcessEnv, dotenvPath = '.env'): Settings {
  return allSettings.load(env, dotenvPath);
}

/** Each setting, in the order of the parts that declare them. */
export function describeSettings(): DescribedSetting[] {
  return allSettings.describe();
}
