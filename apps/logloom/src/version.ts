import { readFileSync } from 'node:fs';

const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');

/** Logloom's version, from its package. All packages have the same. */
export const { version } = JSON.parse(manifest) as { version: string };
