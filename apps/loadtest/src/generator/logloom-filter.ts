import { serviceName, type Watch } from '../traffic/traffic.ts';

/** The watch as a filter of Logloom: of this run's events only. */
export function logloomFilter(run: string, watch: Watch): string {
  const own = `attributes.loadtest.run:${run}`;
  if (watch.kind === 'all') return own;
  return watch.kind === 'errors'
    ? `level:error AND ${own}`
    : `service:${serviceName(watch.service)} AND ${own}`;
}
