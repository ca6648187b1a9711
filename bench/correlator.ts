/**
 * What does one event cost the correlator's core, and does it depend on how many groups are open, with rules and without?
 * Rival, in the same run: the same grouping with the usual idle queue, a JavaScript Map kept in order of last activity.
 */
import { Correlate, type CorrelateOptions, type MemberEvent } from '@logloom/correlator';
import type { RuleSet } from '@logloom/rules';
import { parseRules } from '@logloom/rules/rules-file';
import type { Correlation } from '@logloom/schemas';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { printConditions } from './conditions.ts';

const eventsPerGroup = 20;
const idleMs = 5_000;
const options: CorrelateOptions = { idleMs, maxMs: 1e9, graceMs: 1, maxEvents: 1e6, maxGroups: 1e9 };
const sizes = [1_000, 10_000, 100_000, 1_000_000];
const rounds = 2;

const messages = ['order 17 placed by 4711', 'payment of 12.50 accepted', 'reserved 3 items in stock 9'];

interface Event {
  timestamp: number;
  event: MemberEvent;
}

/** Steady traffic with `open` groups at work at once: each gets an event in turn, and its last one opens room for the next. */
function* traffic(open: number): Generator<Event> {
  const total = Math.max(open * 3, 400_000);
  // The whole round over the open groups takes half the idle time, so that a group closes half an idle time after its last event.
  const msPerEvent = idleMs / 2 / open;
  const groups = Array.from({ length: open }, (_, i) => ({
    id: `group-${i}`,
    left: 1 + (i % eventsPerGroup),
  }));
  let nextId = open;
  for (let n = 0; n < total; n++) {
    const group = groups[n % open]!;
    yield {
      timestamp: Math.floor(n * msPerEvent),
      event: {
        source: { kind: 'http', topic: 'p', partition: 0, offset: n, index: 0 },
        timestamp: n,
        level: 'info',
        service: 'web',
        correlationId: group.id,
        correlationKind: 'traceId',
        host: null,
        message: messages[n % messages.length]!,
        traceId: group.id,
        spanId: null,
        attributes: '{"http":{"status":200,"route":"/orders"}}',
      },
    };
    if (--group.left === 0) {
      group.id = `group-${nextId++}`;
      group.left = eventsPerGroup;
    }
  }
}

interface Result {
  microsPerEvent: number;
  documents: number;
  bytesPerGroup: number;
}

type Apply = (offset: number, e: Event, output: unknown[]) => void;

// Without it, what a group takes would be a guess.
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function measure(open: number, createApply: () => Apply): Result {
  const source = traffic(open);
  const take = (count: number): Event[] =>
    Array.from({ length: count }, () => source.next().value as Event | undefined).filter(
      (e) => e !== undefined,
    );
  const apply = createApply();
  const warmUp = take(open);
  collect();
  const heapBefore = process.memoryUsage().heapUsed;
  let output: unknown[] = [];
  // The first round over all groups only opens them; then the cheapest of ten stretches counts: the machine is shared.
  warmUp.forEach((event, i) => apply(i, event, output));
  collect();
  const bytesPerGroup = (process.memoryUsage().heapUsed - heapBefore) / open;
  const total = Math.max(open * 3, 400_000) - open;
  const stretch = Math.ceil(total / 10);
  let documents = 0;
  let best = Infinity;
  let offset = open;
  for (let events = take(stretch); events.length > 0; events = take(stretch)) {
    output = [];
    const startedAt = process.cpuUsage();
    for (const event of events) apply(offset++, event, output);
    const { user, system } = process.cpuUsage(startedAt);
    best = Math.min(best, (user + system) / events.length);
    documents += output.length;
  }
  return { microsPerEvent: best, documents, bytesPerGroup };
}

const ruleSet = parseRules(`rules:
  - { name: spread, when: 'level:error', count: 3, distinct: { field: service, count: 2 }, severity: high }
  - { name: paid, when: 'message:"order 17"', then: 'message:"payment refused"', within: 5s }
  - { name: failing, when: 'attributes.http.status:>=500', alert: true }
`);
if (!ruleSet.ok) throw new Error(JSON.stringify(ruleSet.problems));
const { rules } = ruleSet;

function ours(set: RuleSet | null): () => Apply {
  return () => {
    const correlate = new Correlate(0, options, { rules: set });
    return (offset, e, output) => correlate.apply({ offset, ...e }, output as Correlation[]);
  };
}

/** Only opens, extends and closes by idleness; no documents, no grace, no low-water mark, no ids, no shapes. */
function mapAsQueue(): Apply {
  interface Group {
    id: string;
    offsets: number[];
    activeAt: number;
  }
  const groups = new Map<string, Group>();
  return (offset, { timestamp, event }, output) => {
    for (const group of groups.values()) {
      if (group.activeAt + idleMs > timestamp) break;
      groups.delete(group.id);
      output.push(group);
    }
    const id = event.correlationId!;
    const group = groups.get(id) ?? { id, offsets: [], activeAt: 0 };
    groups.delete(id);
    groups.set(id, group);
    group.activeAt = timestamp;
    group.offsets.push(offset);
  };
}

printConditions(
  `${eventsPerGroup} events a group; best of 10 stretches, best of ${rounds} rounds; ${rules.rules.length} rules`,
);
console.log(
  'open groups | ours CPU µs/event | with rules | Map as queue | Map/ours | bytes/group | with rules | documents',
);
for (const open of sizes) {
  const best = { ours: Infinity, ruled: Infinity, map: Infinity };
  const last: Partial<Record<keyof typeof best, Result>> = {};
  for (let round = 0; round < rounds; round++) {
    for (const [name, create] of [
      ['ours', ours(null)],
      ['ruled', ours(rules)],
      ['map', mapAsQueue],
    ] as const) {
      const result = (last[name] = measure(open, create));
      best[name] = Math.min(best[name], result.microsPerEvent);
    }
  }
  const counts = new Set(Object.values(last).map(({ documents }) => documents));
  if (counts.size !== 1) throw new Error(`they disagree: ${[...counts].join(', ')} groups closed`);
  console.log(
    [
      String(open).padStart(11),
      best.ours.toFixed(2).padStart(17),
      best.ruled.toFixed(2).padStart(10),
      best.map.toFixed(2).padStart(12),
      (best.map / best.ours).toFixed(2).padStart(8),
      Math.round(last.ours!.bytesPerGroup).toString().padStart(11),
      Math.round(last.ruled!.bytesPerGroup).toString().padStart(10),
      last.ours!.documents,
    ].join(' | '),
  );
}
