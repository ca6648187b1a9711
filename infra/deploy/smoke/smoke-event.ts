/** The service of the marked events: filter it out with `NOT service:deploy-smoke`. */
export const smokeService = 'deploy-smoke';
export const eventsPerRequest = 3;

export interface SmokeEvent {
  timestamp: string;
  service: string;
  level: string;
  message: string;
  correlationId: string;
  smoke: { run: string; n: number };
}

/** The n-th marked event of a run; each three of them are a request. */
export function smokeEvent(run: string, n: number, timestamp = new Date().toISOString()): SmokeEvent {
  return {
    timestamp,
    service: smokeService,
    level: 'info',
    message: `smoke event ${n} of ${run}`,
    correlationId: requestOf(run, n),
    smoke: { run, n },
  };
}

/** The request of the n-th event. */
export function requestOf(run: string, n: number): string {
  return `smoke-${run}-${Math.floor(n / eventsPerRequest)}`;
}
