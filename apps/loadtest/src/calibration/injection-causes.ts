import type { CauseName } from '../analysis/cause-names.ts';

/** The cause that is true of each injection; null: nothing was done. */
export const injections: Readonly<Record<string, CauseName | null>> = {
  none: null,
  cut: 'connections-cut',
  'network-delay': 'network-slow',
  'server-slow': 'server-slow',
  'server-paused': 'server-paused',
  'server-killed': 'server-stopped',
  'ingest-refused': 'ingest-refused',
  'generator-overloaded': 'generator-limit',
  'disk-full': 'disk-full',
  'memory-leak': 'memory-leak',
  'machine-busy': 'machine-busy',
};
