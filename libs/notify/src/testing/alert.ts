import type { AlertState } from '../alert-state.ts';

/** An alert of 1 May 2024 that fires; `n` makes it another one. */
export function alertState(n: number, rest: Partial<AlertState> = {}): AlertState {
  const { rule = 'errors-by-service', severity = 'high' } = rest;
  return {
    fingerprint: n.toString(16).padStart(16, '0'),
    revision: 1,
    rule,
    state: 'firing',
    severity,
    labels: {
      alertname: rule,
      severity: severity ?? '',
      service: `service-${n}`,
      ...rest.labels,
    },
    message: 'more than 5 % of requests failed',
    value: 0.0512345678,
    condition: 'ratio(level:error) > 5% in 5m',
    startsAt: 1_714_564_800_000 + n,
    endsAt: null,
    examples: [`4bf92f35${n}`],
    silencedBy: [],
    ackedBy: null,
    ...Object.fromEntries(Object.entries(rest).filter(([key]) => key !== 'labels')),
  };
}

/** The alert, resolved a minute after it began. */
export function resolvedState(alert: AlertState): AlertState {
  return { ...alert, revision: alert.revision + 1, state: 'resolved', endsAt: alert.startsAt + 60_000 };
}
