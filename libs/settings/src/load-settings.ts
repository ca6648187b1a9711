import { existsSync, readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { parseSettings, type Settings } from './settings.ts';

/** The settings from the environment and, beneath it, the file `.env` of the working folder. Throws SettingsError. */
export function loadSettings(env: NodeJS.ProcessEnv, dotenvPath = '.env'): Settings {
  const file = existsSync(dotenvPath) ? parseEnv(readFileSync(dotenvPath, 'utf8')) : {};
  return parseSettings({ ...file, ...env });
}
