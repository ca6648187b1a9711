/** The filter of this run's events; where the target hides them from users, it asks for load tests. */
export function ownEvents(run: string, isHidden: boolean | undefined): string {
  const own = `attributes.loadtest.run:${run}`;
  return isHidden === true ? `correlationKind:loadtest AND ${own}` : own;
}

/** A filter of Logloom, of this run's events only; an empty one is all of them. */
export function logloomFilter(run: string, filter: string, isHidden: boolean | undefined): string {
  const own = ownEvents(run, isHidden);
  return filter === '' ? own : `(${filter}) AND ${own}`;
}
