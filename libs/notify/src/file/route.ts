import { durationMs } from '@logloom/schemas';
import { matcher, matchesAll, parseMatcher, type Matcher } from './matcher.ts';
import type { RouteText } from './receivers-schema.ts';

/** When the messages of a group are sent, ms. */
export interface Timings {
  /** How long a new group waits for more alerts. */
  waitMs: number;
  /** The least time between two messages. */
  intervalMs: number;
  /** After which what still fires is said again. */
  repeatMs: number;
}

/** A route, compiled: what its parents say is in it. */
export interface Route {
  receiver: string;
  matchers: readonly Matcher[];
  /** `...`: all labels. */
  groupBy: readonly string[];
  timings: Timings;
  continues: boolean;
  routes: readonly Route[];
}

type Inherited = Pick<Route, 'groupBy' | 'timings'> & { receiver: string | undefined };

/** Alertmanager's defaults. */
const defaults: Inherited = {
  receiver: undefined,
  groupBy: ['alertname'],
  timings: { waitMs: 30_000, intervalMs: 300_000, repeatMs: 14_400_000 },
};

/** Compiles routes that have been checked: every one has a receiver, of its own or of a parent. */
export function compileRoutes(texts: readonly RouteText[], parent: Inherited = defaults): Route[] {
  return texts.map((text) => {
    const own: Inherited = {
      receiver: text.receiver ?? parent.receiver,
      groupBy: text.groupBy ?? parent.groupBy,
      timings: {
        waitMs: ms(text.groupWait) ?? parent.timings.waitMs,
        intervalMs: ms(text.groupInterval) ?? parent.timings.intervalMs,
        repeatMs: ms(text.repeatInterval) ?? parent.timings.repeatMs,
      },
    };
    return {
      ...own,
      receiver: own.receiver ?? '',
      matchers: matchersOf(text),
      continues: text.continue === true,
      routes: compileRoutes(text.routes ?? [], own),
    };
  });
}

/**
 * The routes of an alert, as Alertmanager finds them: of the routes beside each other the first that matches, and those after it while they
 * say `continue`; in each of these its children's, or itself if none of them matches.
 */
export function routesOf(routes: readonly Route[], labels: Readonly<Record<string, string>>): Route[] {
  const found: Route[] = [];
  for (const route of routes) {
    if (!matchesAll(route.matchers, labels)) continue;
    const inner = routesOf(route.routes, labels);
    found.push(...(inner.length > 0 ? inner : [route]));
    if (!route.continues) break;
  }
  return found;
}

function matchersOf({ match = [] }: RouteText): Matcher[] {
  if (Array.isArray(match)) return match.map(parseMatcher);
  return Object.entries(match).map(([label, value]) => matcher(label, '=', value));
}

function ms(text: string | undefined): number | undefined {
  return text === undefined ? undefined : durationMs(text);
}
