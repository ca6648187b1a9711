import { Correlate } from '@logloom/correlator';
import { parseRules } from '@logloom/rules/rules-file';
import { correlationToJson, type Correlation, type LogEvent } from '@logloom/schemas';
import { recordedLines } from '@logloom/testing';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alertsOfMatches, countAlerts, type Expected, type Item } from './testing/count-alerts.ts';
import { recordedEvent, type RecordedLine } from './testing/recorded-event.ts';
import { usualOptions } from './testing/usual-options.ts';
import { tryRules } from './try-rules.ts';

interface EventItem extends Item {
  event: LogEvent;
}

interface RequestItem extends Item {
  durationMs: number;
  errorCount: number;
}

const second = 1000;
const minute = 60_000;

const lines = recordedLines().map((text) => JSON.parse(text) as RecordedLine);
const makeEvents = (): LogEvent[] => lines.map(recordedEvent);
const events = makeEvents().sort((a, b) => a.timestamp - b.timestamp);
const requests: RequestItem[] = [];
let clock = 0;
const items: EventItem[] = events.map((event, place) => {
  clock = Math.max(clock, Math.floor(event.timestamp / 1000));
  return { atMs: clock, timestamp: event.timestamp, place, keys: [event.service], event };
});
const beginMs = items[0]!.atMs;
const endMs = collectRequests();

/** Each request as it closes first; returns when the last one does. */
function collectRequests(): number {
  const correlate = new Correlate(0, usualOptions, {});
  let offset = 0;
  let timeMs = 0;
  const output = {
    push: (document: Correlation) => {
      if (document.revision > 1) return;
      const { services, durationMs, errorCount } = correlationToJson(document);
      const place = document.firstOffset;
      requests.push({
        atMs: timeMs,
        timestamp: document.firstAt,
        place,
        keys: services,
        durationMs,
        errorCount,
      });
    },
  };
  for (const { event, atMs } of items) {
    timeMs = atMs;
    correlate.apply(
      { offset: offset++, timestampMs: atMs, event: event.correlationId === null ? null : event },
      output,
    );
  }
  for (let due = correlate.nextDeadlineMs; due !== null; due = correlate.nextDeadlineMs) {
    timeMs = Math.max(timeMs, due);
    correlate.apply({ offset: offset++, timestampMs: due, event: null }, output);
  }
  return timeMs;
}

const isError = ({ event }: EventItem): boolean => event.level === 'error' || event.level === 'fatal';
const isWarning = (item: EventItem): boolean => item.event.level === 'warn' || isError(item);
const by = (key: (event: LogEvent) => string, list: readonly EventItem[] = items): EventItem[] =>
  list.map((item) => ({ ...item, keys: [key(item.event)] }));
const inOrder = <T extends Item>(list: readonly T[]): T[] =>
  list.toSorted((a, b) => a.timestamp - b.timestamp || a.place - b.place);
/** The value at the nearest rank. */
function percentile(values: number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.ceil((values.length * share) / 100) - 1]!;
}
function groups(list: readonly EventItem[]): Map<string, EventItem[]> {
  return Map.groupBy(inOrder(list), ({ keys }) => keys[0]!);
}

interface Case {
  yaml: string;
  expected: () => Expected[];
}

const cases: Case[] = [
  {
    yaml: `
  - name: fails-three-times-then-succeeds
    when: level:error
    times: 3
    then: message:"order not found"
    by: [host]
    within: 5m
    resolve: 2m`,
    expected: () => {
      const relevant = items.filter((item) => isError(item) || /order not found/i.test(item.event.message));
      const matches: { key: string; knownMs: number }[] = [];
      for (const [key, list] of groups(by(({ host }) => host!, relevant)))
        list.forEach((item, i) => {
          if (isError(item)) return;
          const before = list.slice(0, i);
          const lastSuccess = before.findLastIndex((each) => !isError(each));
          const failures = before
            .slice(lastSuccess + 1)
            .filter(({ timestamp }) => timestamp >= item.timestamp - 5 * minute * 1000);
          if (failures.length >= 3) matches.push({ key, knownMs: nextStep(item.atMs, 10 * second) });
        });
      return alertsOfMatches(matches, 2 * minute, endMs);
    },
  },
  {
    yaml: `
  - name: a-without-b
    when: message:preserve
    without: message:getSoldTickets
    by: [traceId]
    within: 30s
    resolve: 1m`,
    expected: () => {
      const isFirst = (item: EventItem): boolean => hasWord(item, 'preserve');
      const isNext = (item: EventItem): boolean => !isFirst(item) && hasWord(item, 'getSoldTickets');
      const matches: { key: string; knownMs: number }[] = [];
      const traced = items.filter(({ event }) => event.traceId !== null);
      for (const [key, list] of groups(by(({ traceId }) => traceId!, traced)))
        list.forEach((item, i) => {
          if (!isFirst(item)) return;
          const isFollowed = list
            .slice(i + 1)
            .some((next) => isNext(next) && next.timestamp <= item.timestamp + 30 * second * 1000);
          if (!isFollowed) matches.push({ key, knownMs: nextStep(item.atMs, second) + 30 * second });
        });
      return alertsOfMatches(matches, minute, endMs);
    },
  },
  {
    yaml: `
  - name: errors-in-two-services
    when: level:>=error
    window: 30s
    if: distinct(service) >= 2`,
    expected: () =>
      count(
        items.filter(isError).map((item) => ({ ...item, keys: [''] })),
        {
          windowMs: 30 * second,
          stepMs: second,
          holds: (list) => new Set(list.map(({ event }) => event.service)).size >= 2,
        },
      ),
  },
  {
    yaml: `
  - name: slow-requests
    of: requests
    when: service:*
    by: [service]
    window: 1m
    if: p95(durationMs) > 800ms and count >= 3
    until: p95(durationMs) < 500ms`,
    expected: () =>
      count(requests, {
        windowMs: minute,
        stepMs: 2 * second,
        holds: (list) =>
          list.length >= 3 &&
          percentile(
            list.map(({ durationMs }) => durationMs),
            95,
          ) > 800,
        until: (list) =>
          list.length > 0 &&
          percentile(
            list.map(({ durationMs }) => durationMs),
            95,
          ) < 500,
      }),
  },
  {
    yaml: `
  - name: failures-by-address
    when: level:error
    by: [host]
    window: 1m
    if: count >= 2`,
    expected: () =>
      count(
        by(({ host }) => host!, items.filter(isError)),
        { windowMs: minute, stepMs: 2 * second, holds: (list) => list.length >= 2 },
      ),
  },
  {
    yaml: `
  - name: error-rate-by-service
    when: '*'
    by: [service]
    window: 1m
    if: ratio(level:>=error) > 5% and count >= 3
    for: 10s
    until: ratio(level:>=error) < 2%`,
    expected: () =>
      count(items, {
        windowMs: minute,
        stepMs: 2 * second,
        forMs: 10 * second,
        holds: (list) => list.length >= 3 && list.filter(isError).length / list.length > 0.05,
        until: (list) => list.filter(isError).length / list.length < 0.02,
      }),
  },
  {
    yaml: `
  - name: new-error
    when: level:>=warn
    by: [service]
    window: 30s
    if: new(pattern)`,
    expected: () => {
      const seen = new Map<string, number>();
      for (const { event, atMs } of items.filter(isWarning)) {
        const key = JSON.stringify([
          event.service,
          event.message.slice(0, 256).replaceAll(/[\w.:-]*\d[\w.:-]*/g, '*'),
        ]);
        seen.set(key, Math.min(seen.get(key) ?? Infinity, atMs));
      }
      const alerts: Expected[] = [];
      for (const [key, atMs] of seen) {
        const step = Math.floor(atMs / second) * second;
        const toMs = step + second + 30 * second;
        // What was seen while the rule learned is not new.
        if (step >= beginMs + 30 * second)
          alerts.push({ key, fromMs: step + second, toMs: toMs <= endMs + second ? toMs : null });
      }
      return alerts;
    },
  },
  {
    yaml: `
  - name: heartbeat-missing
    when: service:ts-food-service AND message:FoodController
    window: 20s
    if: absent`,
    expected: () =>
      count(
        items
          .filter((item) => item.event.service === 'ts-food-service' && hasWord(item, 'FoodController'))
          .map((item) => ({ ...item, keys: [''] })),
        {
          windowMs: 20 * second,
          stepMs: second,
          silent: true,
          onlyKey: true,
          holds: (list) => list.length === 0,
        },
      ),
  },
  {
    yaml: `
  - name: flapping
    when: '*'
    by: [service]
    window: 1m
    if: flapping(level:>=warn) >= 4`,
    expected: () =>
      count(items, {
        windowMs: minute,
        stepMs: 2 * second,
        holds: (list) => {
          const bad = inOrder(list).map(isWarning);
          return bad.filter((each, i) => i > 0 && each !== bad[i - 1]).length >= 4;
        },
      }),
  },
  {
    yaml: `
  - name: silent-service
    when: '*'
    by: [service]
    window: 30s
    if: absent`,
    expected: () =>
      count(items, {
        windowMs: 30 * second,
        stepMs: second,
        silent: true,
        holds: (list) => list.length === 0,
      }),
  },
];

function count<T extends Item>(
  list: readonly T[],
  counted: Parameters<typeof countAlerts<T>>[1],
): Expected[] {
  return countAlerts(list, counted, beginMs, endMs);
}

function nextStep(atMs: number, stepMs: number): number {
  return (Math.floor(atMs / stepMs) + 1) * stepMs;
}

/** Whether a word of the message is this one, in any case. */
function hasWord({ event }: EventItem, word: string): boolean {
  return event.message.toLowerCase().split(/\W+/).includes(word.toLowerCase());
}

const inText = (a: string, b: string): number => (a < b ? -1 : 1);

test('the ten rules that one tries first raise exactly the alerts of an independent count', async (t) => {
  const parsed = parseRules(`rules:${cases.map(({ yaml }) => yaml).join('')}\n`);
  assert.ok(parsed.ok, JSON.stringify(parsed));
  assert.deepEqual(parsed.warnings, []);
  async function* source() {
    yield* events;
  }
  const trial = await tryRules(parsed.rules, source(), usualOptions);
  for (const { yaml, expected } of cases) {
    const name = /name: (\S+)/.exec(yaml)![1]!;
    await t.test(name, () => {
      assert.ok(yaml.trim().split('\n').length <= 8, 'at most 8 lines');
      const text = (key: string, from: string, to: string | null): string => `${from} ${to ?? '…'} ${key}`;
      const iso = (ms: number): string => new Date(ms).toISOString();
      const raised = trial.windows
        .find((window) => window.name === name)!
        .alerts.map(({ key, from, to }) => {
          const values = Object.values(key);
          return text(values.length > 1 ? JSON.stringify(values) : (values[0] ?? ''), from, to ?? null);
        });
      const counted = expected().map(({ key, fromMs, toMs }) =>
        text(key, iso(fromMs), toMs === null ? null : iso(toMs)),
      );
      assert.deepEqual(raised.sort(inText), counted.sort(inText));
      t.diagnostic(`${name}: ${raised.length} alerts`);
      assert.ok(raised.length > 0, 'something fires');
    });
  }
});
