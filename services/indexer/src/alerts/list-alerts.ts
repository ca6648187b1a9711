import { alertStateJson } from './alert-json.ts';
import type { AlertState, AlertStateName } from './alert-state.ts';
import type { Searchable } from './alert-subject.ts';

export const alertStates = ['firing', 'pending', 'resolved'] as const satisfies AlertStateName[];

export interface AlertQuery {
  states: readonly AlertStateName[];
  matches: (searchable: Searchable) => boolean;
  limit: number;
  /** The place behind which the page begins. */
  after: AlertPlace | undefined;
}

/** The place of an alert in the list. */
export type AlertPlace = readonly [rank: number, startsAt: number, fingerprint: string];

/** The alerts that match, firing before pending before resolved, the newest first, and how many there are in all. */
export function listAlerts(
  alerts: readonly AlertState[],
  { states, matches, limit, after }: AlertQuery,
): { all: AlertState[]; page: AlertState[]; next?: AlertPlace } {
  const all = alerts
    .filter((alert) => states.includes(alert.state) && matches(searchableAlert(alert)))
    .sort((a, b) => compare(placeOf(a), placeOf(b)));
  const rest = after === undefined ? all : all.filter((alert) => compare(placeOf(alert), after) > 0);
  const page = rest.slice(0, limit);
  return page.length === rest.length || page.length === 0
    ? { all, page }
    : { all, page, next: placeOf(page.at(-1)!) };
}

/** How many alerts of each state have the same values of these labels, those with the most firing first. */
export function groupAlerts(alerts: readonly AlertState[], by: readonly string[]) {
  const groups = Map.groupBy(alerts, ({ labels }) => JSON.stringify(by.map((label) => labels[label] ?? '')));
  return [...groups.values()]
    .map((of) => ({
      labels: Object.fromEntries(by.map((label) => [label, of[0]!.labels[label] ?? ''])),
      firing: count(of, 'firing'),
      pending: count(of, 'pending'),
      resolved: count(of, 'resolved'),
      fingerprints: of.slice(0, 100).map(({ fingerprint }) => fingerprint),
    }))
    .sort((a, b) => b.firing - a.firing || b.pending - a.pending);
}

function count(alerts: readonly AlertState[], wanted: AlertStateName): number {
  return alerts.filter(({ state }) => state === wanted).length;
}

function searchableAlert(alert: AlertState): Searchable {
  const { labels, acknowledged, ...fields } = alertStateJson(alert);
  return {
    message: alert.message,
    micros: alert.startsAt * 1000,
    labels,
    fields: {
      ...fields,
      silenced: alert.silencedBy.length > 0,
      acknowledged: acknowledged !== undefined,
      ...(acknowledged === undefined ? {} : { author: acknowledged.author }),
    },
  };
}

function placeOf({ state, startsAt, fingerprint }: AlertState): AlertPlace {
  return [alertStates.indexOf(state), startsAt, fingerprint];
}

function compare(a: AlertPlace, b: AlertPlace): number {
  return a[0] - b[0] || b[1] - a[1] || (a[2] < b[2] ? -1 : a[2] > b[2] ? 1 : 0);
}
