import { existsSync, readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';

type Env = Readonly<Record<string, string | undefined>>;

/** The variables of a `.env` file; none if there is no file. */
export function readDotenv(path: string): Env {
  return existsSync(path) ? parseEnv(readFileSync(path, 'utf8')) : {};
}

/** The environment and, for variables that it lacks, the file `.env` of the working folder. */
export function loadEnvironment(env: Env, dotenvPath = '.env'): Env {
  return { ...readDotenv(dotenvPath), ...env };
}
