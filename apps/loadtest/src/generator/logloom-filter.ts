import { serviceName, type Watch } from '../traffic/traffic.ts';

/** The filter of this run's events; where the target hides them from users, it asks for load tests. */
export function ownEvents(run: string, isHidden: boolean | undefined): string {
  const own = `attributes.loadtest.run:${run}`;
  return isHidden === true ? `correlationKind:loadtest AND ${own}` : own;
}

/** The watch as a filter of Logloom: of this run's events only. */
export function logloomFilter(run: string, watch: Watch, isHidden: boolean | undefined): string {
  const own = ownEvents(run, isHidden);
  if (watch.kind === 'all') return own;
  return watch.kind === 'errors'
    ? `level:error AND ${own}`
    : `service:${serviceName(watch.service)} AND ${own}`;
}
