/** Run by ../correlator.ts in a process of its own, with --expose-gc: one kind of core at one number of open groups; prints a Result as JSON. */
import { Correlate, type CorrelateOptions, type MemberEvent } from '@logloom/correlator';
import type { RuleSet } from '@logloom/rules';
import { parseRules } from '@logloom/rules/rules-file';
import { getHeapStatistics } from 'node:v8';

export const eventsPerGroup = 20;
export const kinds = ['ours', 'ours joining', 'ours with rules', 'Map'] as const;
export type Kind = (typeof kinds)[number];

const idleMs = 5_000;
const options: CorrelateOptions = {
  idleMs,
  maxMs: 1e9,
  graceMs: 1,
  maxEvents: 1e6,
  maxSessions: 1e9,
  memoryBytes: 1e12,
};
const messages = ['order 17 placed by 4711', 'payment of 12.50 accepted', 'reserved 3 items in stock 9'];

interface Event {
  timestampMs: number;
  event: MemberEvent;
}

/** Steady traffic with `open` groups at work at once: each gets an event in turn, and its last one opens room for the next. */
function* traffic(open: number): Generator<Event> {
  const total = eventsAt(open);
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
      timestampMs: Math.floor(n * msPerEvent),
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

export interface Result {
  /** The cheapest of ten stretches: the machine is shared. */
  best: number;
  /** Over all of them, with what the collector did meanwhile on its own threads. */
  mean: number;
  documents: number;
  /** After the first event of each group, and at the end, when groups have ten on average. */
  bytesPerNewGroup: number;
  bytesPerGroup: number;
  heapLimit: number;
}

type Apply = (offset: number, e: Event, output: unknown[]) => void;

interface Core {
  apply: Apply;
  openGroups: () => number;
}

const collect = (): number => {
  globalThis.gc!();
  return process.memoryUsage().heapUsed;
};

function eventsAt(open: number): number {
  return Math.max(open * 3, 400_000);
}

function measure(open: number, { apply, openGroups }: Core): Result {
  const source = traffic(open);
  const take = (count: number): Event[] =>
    Array.from({ length: count }, () => source.next().value as Event | undefined).filter(
      (e) => e !== undefined,
    );
  // The first round over all groups only opens them.
  const warmUp = take(open);
  let offset = 0;
  const heapBefore = collect();
  for (const event of warmUp) apply(offset++, event, []);
  const bytesPerNewGroup = (collect() - heapBefore) / open;
  const heapOfWarmUp = warmUp.length;
  warmUp.length = 0;
  const heapWithGroups = collect();
  const stretch = Math.ceil((eventsAt(open) - open) / 10);
  let [documents, events_, spent, best] = [0, 0, 0, Infinity];
  for (let events = take(stretch); events.length > 0; events = take(stretch)) {
    const output: unknown[] = [];
    const startedAt = process.cpuUsage();
    for (const event of events) apply(offset++, event, output);
    const { user, system } = process.cpuUsage(startedAt);
    best = Math.min(best, (user + system) / events.length);
    spent += user + system;
    events_ += events.length;
    documents += output.length;
  }
  const grown = collect() - heapWithGroups;
  return {
    best,
    mean: spent / events_,
    documents,
    bytesPerNewGroup,
    bytesPerGroup: (bytesPerNewGroup * heapOfWarmUp + grown) / openGroups(),
    heapLimit: getHeapStatistics().heap_size_limit,
  };
}

const ruleSet = parseRules(`rules:
  - { name: spread, when: 'level:error', count: 3, distinct: { field: service, count: 2 }, severity: high }
  - { name: paid, when: 'message:"order 17"', then: 'message:"payment refused"', within: 5s }
  - { name: failing, when: 'attributes.http.status:>=500', alert: true }
`);
if (!ruleSet.ok) throw new Error(JSON.stringify(ruleSet.problems));

function ours(set: RuleSet | null, joins = false): Core {
  const correlate = new Correlate(0, { ...options, joins }, { rules: set });
  return {
    apply: (offset, e, output) => correlate.apply({ offset, ...e }, output),
    openGroups: () => correlate.openSessions,
  };
}

/** Only opens, extends and closes by idleness; no documents, no grace, no low-water mark, no ids, no shapes. */
function mapAsQueue(): Core {
  interface Group {
    id: string;
    offsets: number[];
    activeAt: number;
  }
  const groups = new Map<string, Group>();
  const apply: Apply = (offset, { timestampMs: timestamp, event }, output) => {
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
  return { apply, openGroups: () => groups.size };
}

const create: Record<Kind, () => Core> = {
  ours: () => ours(null),
  'ours joining': () => ours(null, true),
  'ours with rules': () => ours(ruleSet.rules),
  Map: mapAsQueue,
};

if (import.meta.main) {
  const [kind, open] = process.argv.slice(2) as [Kind, string];
  console.log(JSON.stringify(measure(Number(open), create[kind]())));
}
