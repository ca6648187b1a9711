import { existsSync, readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { parseSettings, type Settings } from './settings.ts';

/** The environment and, beneath it, the file `.env` of the working folder. */
export function loadEnvironment(env: NodeJS.ProcessEnv, dotenvPath = '.env'): NodeJS.ProcessEnv {
  return { ...(existsSync(dotenvPath) ? parseEnv(readFileSync(dotenvPath, 'utf8')) : {}), ...env };
}

/** The settings of loadEnvironment(). Throws SettingsError. */
export function loadSettings(env: NodeJS.ProcessEnv, dotenvPath = '.env'): Settings {
  return parseSettings(loadEnvironment(env, dotenvPath));
}
