/**
 * What does one event cost the correlator's core, and does it depend on how many groups are open?
 * Rival, in the same run: the same grouping with the usual idle queue, a JavaScript Map kept in order of last activity.
 */
import { Correlate, type CorrelateOptions, type MemberEvent } from '@logloom/correlator';
import type { Correlation } from '@logloom/schemas';
import { printConditions } from './conditions.ts';

const eventsPerGroup = 20;
const idleMs = 5_000;
const options: CorrelateOptions = { idleMs, maxMs: 1e9, graceMs: 1, maxEvents: 1e6, maxGroups: 1e9 };
const sizes = [1_000, 10_000, 100_000, 1_000_000];
const rounds = 3;

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

function measure(
  open: number,
  createApply: () => (offset: number, e: Event, output: unknown[]) => void,
): Result {
  const events = [...traffic(open)];
  global.gc?.();
  const heapBefore = process.memoryUsage().heapUsed;
  const apply = createApply();
  let output: unknown[] = [];
  let documents = 0;
  let best = Infinity;
  // The first round over all groups only opens them; then the cheapest of ten stretches counts: the machine is shared.
  const stretch = Math.ceil((events.length - open) / 10);
  for (let i = 0; i < open; i++) apply(i, events[i]!, output);
  global.gc?.();
  const bytesPerGroup = (process.memoryUsage().heapUsed - heapBefore) / open;
  for (let start = open; start < events.length; start += stretch) {
    const end = Math.min(events.length, start + stretch);
    const startedAt = process.hrtime.bigint();
    for (let i = start; i < end; i++) apply(i, events[i]!, output);
    best = Math.min(best, Number(process.hrtime.bigint() - startedAt) / 1000 / (end - start));
    documents += output.length;
    output = [];
  }
  return { microsPerEvent: best, documents, bytesPerGroup };
}

function ours(): (offset: number, e: Event, output: unknown[]) => void {
  const correlate = new Correlate(0, options);
  return (offset, e, output) => correlate.apply({ offset, ...e }, output as Correlation[]);
}

/** Only opens, extends and closes by idleness; no documents, no grace, no low-water mark. */
function mapAsQueue(): (offset: number, e: Event, output: unknown[]) => void {
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

printConditions(`${eventsPerGroup} events a group; best of 10 stretches, best of ${rounds} rounds`);
console.log('open groups | ours µs/event | Map as queue µs/event | ratio | ours bytes/group | documents');
for (const open of sizes) {
  const best = { ours: Infinity, map: Infinity };
  let last: Result | undefined;
  let rival: Result | undefined;
  for (let round = 0; round < rounds; round++) {
    last = measure(open, ours);
    rival = measure(open, mapAsQueue);
    best.ours = Math.min(best.ours, last.microsPerEvent);
    best.map = Math.min(best.map, rival.microsPerEvent);
  }
  if (last!.documents !== rival!.documents)
    throw new Error(`the two disagree: ${last!.documents} and ${rival!.documents} groups closed`);
  console.log(
    [
      String(open).padStart(11),
      best.ours.toFixed(2).padStart(13),
      best.map.toFixed(2).padStart(21),
      (best.map / best.ours).toFixed(2).padStart(5),
      Math.round(last!.bytesPerGroup).toString().padStart(16),
      last!.documents,
    ].join(' | '),
  );
}
