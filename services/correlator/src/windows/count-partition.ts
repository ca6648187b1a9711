import {
  EventLogError,
  warmUp,
  type Assignment,
  type DuplicateWindow,
  type EventLog,
  type LogGap,
  type LogRecord,
  type PartitionHandler,
} from '@logloom/event-log';
import { CorrelationSubject, FilterSubject } from '@logloom/filter';
import type { RuleSet } from '@logloom/rules';
import { countsEvent, countsRequest, WindowInput } from '@logloom/rules/windows';
import type { GapReport } from '@logloom/runtime';
import type { Serde } from '@logloom/schema-registry';
import { isBackfill, placeEvent, topics } from '@logloom/schemas';
import { setTimeout as sleep } from 'node:timers/promises';
import { readInForce, rulesOfRecord } from '../rules/rules-in-log.ts';
import { LogClock, type ClockState } from '@logloom/event-log/log-clock';
import type { CorrelatorMetrics } from '../telemetry.ts';
import { tryDecode } from '../try-decode.ts';
import { ClosedRequests, type DocumentsPosition } from './closed-requests.ts';
import type { CorrelatedUpTo } from './correlated-up-to.ts';
import { CutWriter, type CutRange } from './cut-writer.ts';

/** The consumer group that counts for rules over many events. */
export const counterGroup = 'rules-counter';

const commitIntervalMs = 500;
/** A part has at most so many offsets, so that it fits into memory. */
const maxOffsetsPerCut = 10_000;
/** Parts that wait for the correlator before reading stops. */
const maxWaiting = 64;
/** How long (ms) reading stops for the correlator before the partition is opened again. */
const maxWaitMs = 30_000;
const waitStepMs = 50;
/** By how much (ms) the clocks of two brokers may differ. */
const clockDifferenceMs = 60_000;

export interface CounterDeps {
  log: EventLog;
  serde: Serde;
  correlated: CorrelatedUpTo;
  metrics: Pick<CorrelatorMetrics, 'ticks'>;
  gaps: GapReport;
  /** Aborts when the service stops. */
  signal: AbortSignal;
  /** The machine's clock in ms; it decides when a tick is due, never what is counted. */
  nowMs: () => number;
}

/** The content of a commit's metadata, as JSON. The committed offset is where a part begins. */
export interface CounterMetadata {
  /** The next record to apply; the lag is counted from here. */
  position: number;
  clock?: ClockState;
  /** The last record before the committed offset that set the rules. */
  rules?: number | undefined;
  documents?: DocumentsPosition;
  /** The epochs of logs.correlations and logs.windows. */
  documentsEpoch?: string;
  windowsEpoch?: string;
  /** Whether rules over many events are in force there. */
  active: boolean;
}

/** A part whose events were counted; its requests are counted once the correlator has passed it. */
interface WaitingCut {
  range: CutRange;
  rules: RuleSet;
  input: WindowInput;
  /** How far the clock was ahead of append times, ms. */
  aheadMs: number;
  clock: ClockState;
  rulesOffset: number | undefined;
}

/**
 * Counts one partition for the rules over many events: reads logs.events, and the documents of requests that closed there, adds up what they
 * contribute to each key, and writes it to logs.windows. Parts end where the log says (a change of rules, a step of the clock, 10,000
 * offsets), so a restart, or another instance, writes equal records again, which readers drop.
 */
export async function countPartition(deps: CounterDeps, assignment: Assignment): Promise<PartitionHandler> {
  const { log, serde, correlated, metrics, nowMs, signal } = deps;
  const { partition, committed } = assignment;
  const epoch = await log.epochOf(topics.events);
  const documentsEpoch = await log.epochOf(topics.correlations);
  const partitions = await log.partitionCount(topics.windows);
  const windowsEpoch = await log.epochOf(topics.windows);
  const committedLast = parseCounterMetadata(committed?.metadata);
  // What was written is gone with a recreated logs.windows, and is written again.
  const isWritten = committedLast?.windowsEpoch === windowsEpoch;
  const last = isWritten ? committedLast : undefined;
  const startOffset = isWritten ? committed!.offset : (await log.startOffsets(topics.events))[partition]!;
  const writer = new CutWriter(log, serde, epoch, partition, partitions);
  const isSame = last?.documentsEpoch === documentsEpoch;
  let documents = new ClosedRequests(log, serde, partition, epoch, {
    // Documents that were made again are of closes that were counted: they are passed over by their position.
    offset: isSame ? last.documents!.offset : 0,
    closeOffset: last?.documents?.closeOffset ?? startOffset - 1,
    closeSequence: last?.documents?.closeSequence ?? Infinity,
  });
  const clock = new LogClock(last?.clock);
  const before = last?.rules === undefined ? undefined : await readInForce(log, serde, partition, last.rules);
  let rules: RuleSet | null = before?.rules ?? null;
  let rulesOffset = last?.rules;
  let input = new WindowInput(rules?.windows ?? []);
  let range: CutRange = { from: startOffset, to: startOffset, sinceMs: clock.nowMs, clockMs: clock.nowMs };
  let window: DuplicateWindow | undefined;
  const waiting: WaitingCut[] = [];
  let position = startOffset;
  /** What was written, and the state there. */
  let done: Pick<WaitingCut, 'clock' | 'rulesOffset'> & { offset: number } = {
    offset: startOffset,
    clock: clock.state,
    rulesOffset,
  };
  let committedPosition = -1;
  let committedAtMs = performance.now();
  let appliedAtMs = performance.now();
  /** Whether the last record is a tick of this process: if it came too early, the machine's clock is ahead of the log's. */
  let hasTicked = false;
  let isStopped = false;

  const isActive = (): boolean => (rules?.windows.length ?? 0) > 0;

  const commit = async (): Promise<void> => {
    committedAtMs = performance.now();
    // Without rules there are no parts, and nothing is pending.
    if (!isActive() && waiting.length === 0) done = { offset: position, clock: clock.state, rulesOffset };
    if (committedPosition === position && waiting.length === 0) return;
    committedPosition = position;
    const metadata: CounterMetadata = {
      position,
      clock: done.clock,
      rules: done.rulesOffset,
      documents: documents.position,
      documentsEpoch,
      windowsEpoch,
      active: isActive() || waiting.length > 0,
    };
    await assignment.commit(done.offset, JSON.stringify(metadata));
  };

  /** Ends the part before this offset. */
  const cut = (to: number, clockMs: number): void => {
    if (rules === null || to === range.from) return;
    const { nowMs: now, markMs } = clock;
    const state = { now, mark: markMs };
    waiting.push({
      range: { ...range, to, clockMs },
      rules,
      input,
      aheadMs: now - markMs,
      clock: state,
      rulesOffset,
    });
    input = new WindowInput(rules.windows);
    range = { from: to, to, sinceMs: clockMs, clockMs };
  };

  /** Writes the parts that the correlator has passed. */
  const flush = async (): Promise<void> => {
    for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
      if (next.input.looksAtRequests) {
        if ((await correlated.offset(partition)) < next.range.to) return;
        for await (const document of documents.before(next.range.to)) {
          const { from, sinceMs, clockMs } = next.range;
          if (document.closeOffset < from || !countsRequest(document)) continue;
          const timeMs = Math.min(Math.max(document.closedAt + next.aheadMs, sinceMs), clockMs);
          next.input.addRequest(new CorrelationSubject(document), timeMs);
        }
      }
      await writer.write(next.range, next.rules, next.input.take(), next.input.takeDropped());
      waiting.shift();
      done = { offset: next.range.to, clock: next.clock, rulesOffset: next.rulesOffset };
    }
  };

  /** Reading waits while too many parts wait. */
  const flushEnough = async (): Promise<void> => {
    await flush();
    for (const since = performance.now(); waiting.length > maxWaiting; await flush()) {
      if (signal.aborted) {
        isStopped = true;
        return;
      }
      if (performance.now() - since > maxWaitMs)
        throw new EventLogError('log-unavailable', 'rules over requests wait for the correlator');
      await sleep(waitStepMs);
    }
  };

  const setRules = async (record: LogRecord, next: RuleSet | null): Promise<void> => {
    const isChange = (next?.version ?? '') !== (rules?.version ?? '');
    if (isChange && isActive()) cut(record.offset, clock.nowMs);
    if (isChange) {
      const wasActive = isActive();
      rules = next;
      // Another rule may look at events that were not looked at.
      window = undefined;
      input = new WindowInput(rules?.windows ?? []);
      range = { from: record.offset, to: record.offset, sinceMs: clock.nowMs, clockMs: clock.nowMs };
      if (wasActive && !isActive()) {
        // Tells that none are in force; nothing else follows until there are some again.
        await flushEnough();
        if (waiting.length === 0)
          await writer.write({ ...range, to: record.offset + 1, clockMs: clock.nowMs + 1 }, rules, [], []);
      }
      if (!wasActive && isActive()) await skipDocuments();
    }
    rulesOffset = record.offset;
  };

  /** Documents that were closed before the rules came into force need not be read. */
  const skipDocuments = async (): Promise<void> => {
    const from = (await log.offsetsByTime(topics.correlations, clock.markMs - clockDifferenceMs))[partition]!;
    const known = documents.position;
    documents = new ClosedRequests(log, serde, partition, epoch, {
      ...known,
      offset: Math.max(known.offset, from),
    });
  };

  const apply = async (record: LogRecord): Promise<void> => {
    clock.advance(record.timestampMs);
    const now = clock.nowMs;
    const name = serde.nameOf(record.value);
    if (name !== 'Tick') hasTicked = false;
    if (name === 'Rules') {
      const decoded = tryDecode(serde, record.value);
      const next = decoded?.name === 'Rules' ? await rulesOfRecord(decoded.value) : undefined;
      if (next !== undefined) await setRules(record, next);
    }
    if (!isActive()) return;
    if (now >= range.sinceMs + cutMs(rules!) || record.offset - range.from >= maxOffsetsPerCut)
      cut(record.offset, now);
    // What happened earlier says nothing about now.
    if (name !== 'LogEvent' || !input.looksAtEvents || isBackfill(record)) return;
    const decoded = tryDecode(serde, record.value);
    if (decoded?.name !== 'LogEvent') return;
    window ??= await warmUp({ log, topic: topics.events, partition }, record.offset, (read) =>
      serde.sources(read.map(({ value }) => value)),
    );
    if (!window.admit(decoded.value.source, record.offset)) return;
    const event = placeEvent(decoded.value, epoch, partition, record.offset);
    if (countsEvent(event)) input.addEvent(new FilterSubject(event), now);
  };

  return {
    startOffset,
    gap: (gap: LogGap) => {
      deps.gaps(counterGroup, gap, 'rules over many events do not count its events');
      position = gap.reason === 'lost-end' ? gap.from : gap.to;
      window = undefined;
    },
    process: async (records) => {
      if (isStopped) return;
      await serde.load(records.map(({ value }) => value));
      for (const record of records) await apply(record);
      position = records.at(-1)!.offset + 1;
      appliedAtMs = performance.now();
      await flushEnough();
      if (performance.now() - committedAtMs >= commitIntervalMs) await commit();
    },
    idle: async () => {
      await flush();
      if (performance.now() - committedAtMs >= commitIntervalMs) await commit();
      if (!isActive()) return;
      const left = range.sinceMs + cutMs(rules!) - clock.nowMs;
      // As in correlate-partition.ts.
      const isDue = !hasTicked && nowMs() - clock.markMs >= left;
      if (!isDue && performance.now() - appliedAtMs < left) return;
      const dueAt = range.sinceMs + cutMs(rules!);
      await log.append(topics.events, [{ partition, key: null, value: serde.encode('Tick', { dueAt }) }]);
      metrics.ticks.inc();
      hasTicked = true;
    },
    close: async () => {
      if (!isStopped) await commit();
    },
  };
}

/** How much of the log's time a part has, ms: the smallest step of a rule. */
function cutMs({ windows }: RuleSet): number {
  return windows.reduce((least, { stepMs }) => Math.min(least, stepMs), 60_000);
}

export function parseCounterMetadata(metadata: string | undefined): CounterMetadata | undefined {
  return metadata?.startsWith('{') === true ? (JSON.parse(metadata) as CounterMetadata) : undefined;
}
