import { homedir } from 'node:os';
import { join } from 'node:path';

// The stack is started by tests all over the repository: it finds the machine's own folders itself, so that none has to pass them on.
// eslint-disable-next-line no-restricted-syntax
const { JAVA_HOME, XDG_CACHE_HOME } = process.env;

/** JAVA_HOME, if it is set. */
export const javaHome: string | undefined = JAVA_HOME || undefined;

/** Where downloads are kept: `logloom` in XDG_CACHE_HOME, or in ~/.cache. */
export const defaultCacheDir = join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'logloom');
