import type { Assignment, EventLog, LogGap, LogRecord, PartitionHandler } from '@logloom/event-log';
import type { RuleSet } from '@logloom/rules';
import {
  decodeContributions,
  snapshotFormat,
  WindowEvaluator,
  type EvaluatorPart,
  type OrderedChange,
} from '@logloom/rules/windows';
import type { GapReport } from '@logloom/runtime';
import type { Serde } from '@logloom/schema-registry';
import { topics, type WindowCut } from '@logloom/schemas';
import type { Logger } from '@logloom/telemetry';
import { AlertWriter } from '../output/alert-writer.ts';
import { rulesOfRecord } from '../rules/rules-in-log.ts';
import type { CorrelatorMetrics } from '../telemetry.ts';
import { tryDecode } from '../try-decode.ts';
import { partOfKey } from './part-of-key.ts';
import { readSnapshot, writeSnapshot, type Expected, type SnapshotPlace, type State } from './snapshots.ts';
import { windowAlert, windowsWriter } from './window-alert.ts';

/** The consumer group that judges rules over many events. */
export const evaluatorGroup = 'rules-evaluator';

/** How often (ms) the state is written; a restart reads the log from there. */
const snapshotIntervalMs = 10_000;
/** So much is written per second on average, at most, in bytes. */
const snapshotBytesPerSecond = 50_000;
const warnIntervalMs = 60_000;
/** What a commit's metadata may have of rules: the log accepts 4 KB. */
const maxStatusChars = 3000;

export interface EvaluatorDeps {
  log: EventLog;
  serde: Serde;
  metrics: CorrelatorMetrics;
  logger: Pick<Logger, 'warn'>;
  gaps: GapReport;
}

/** The content of a commit's metadata, as JSON. */
export interface EvaluatorMetadata {
  /** The next record to apply. The committed offset is where the state was written. */
  position: number;
  snapshot: SnapshotPlace;
  /** Everything before this time of the log (ms) was judged. */
  judgedMs: number;
  /** Per rule: its name, and how many keys it has, how many are pending and how many fire. Not all, where they are too many. */
  rules: [name: string, keys: number, pending: number, firing: number][];
}

/**
 * Judges the keys of one partition of logs.windows, and writes the changes of their alerts to logs.alerts: each once, whatever crashes, because
 * their positions only grow and the last one in the topic shows how far it is.
 */
export async function evaluatePartition(
  deps: EvaluatorDeps,
  assignment: Assignment,
): Promise<PartitionHandler> {
  const { log, serde, metrics, logger } = deps;
  const { partition, committed } = assignment;
  const inputs = await log.partitionCount(topics.events);
  const parts = await log.partitionCount(topics.windows);
  let epoch = await log.epochOf(topics.events);
  const metadata = parseEvaluatorMetadata(committed?.metadata);
  const state =
    metadata === undefined ? undefined : await readSnapshot(log, serde, partition, metadata.snapshot);
  if (metadata !== undefined && state === undefined)
    logger.warn({ partition }, 'the state of rules over many events has left the log; they begin anew');
  const isUsable =
    state?.epoch === epoch && state.evaluator.format === snapshotFormat && state.expected.length === inputs;
  // Who has no key fields has one key, which one part alone may judge.
  const ownsKeyless = (rule: string): boolean => partOfKey(rule, {}, parts) === partition;
  const start = (await log.startOffsets(topics.windows))[partition]!;
  let position = isUsable ? committed!.offset : (committed?.offset ?? start);
  let evaluator = isUsable
    ? await restored(state, { part: partition, parts, ownsKeyless })
    : new WindowEvaluator(inputs, { part: partition, parts, ownsKeyless });
  let expected = isUsable ? state.expected : nothingExpected(inputs);
  let alerts = await AlertWriter.open(log, serde, partition, epoch, windowsWriter);
  const sets = new Map<string, RuleSet>(evaluator.ruleSets.map((set) => [set.version, set]));
  let place = isUsable ? metadata!.snapshot : undefined;
  let snapshotPosition = position;
  let snapshotAtMs = performance.now();
  let waitMs = snapshotIntervalMs;
  let committedPosition = position;
  let warnedAtMs = -Infinity;
  let evicted = evaluator.evicted;

  const commit = async (): Promise<void> => {
    const isDue = performance.now() - snapshotAtMs >= waitMs;
    if (place === undefined || (isDue && position > snapshotPosition)) await snapshot();
    else if (committedPosition !== position) await note();
  };

  const snapshot = async (): Promise<void> => {
    const written: State = { epoch, evaluator: evaluator.snapshot, expected };
    place = await writeSnapshot(log, serde, partition, position, written);
    waitMs = Math.max(snapshotIntervalMs, (place.bytes / snapshotBytesPerSecond) * 1000);
    snapshotAtMs = performance.now();
    snapshotPosition = position;
    await note();
  };

  const note = async (): Promise<void> => {
    committedPosition = position;
    const content: EvaluatorMetadata = {
      position,
      snapshot: place!,
      judgedMs: evaluator.judgedMs,
      rules: statusOf(evaluator),
    };
    await assignment.commit(snapshotPosition, JSON.stringify(content));
  };

  const apply = async (record: LogRecord, changes: OrderedChange[]): Promise<void> => {
    const decoded = tryDecode(serde, record.value);
    if (decoded?.name !== 'WindowCut') return;
    const cut = decoded.value;
    if (cut.epoch !== epoch) {
      // The log of events was recreated: what was counted is of another log.
      const current = await log.epochOf(topics.events);
      if (cut.epoch !== current) return;
      epoch = current;
      evaluator = new WindowEvaluator(inputs, { part: partition, parts, ownsKeyless });
      expected = nothingExpected(inputs);
      alerts = await AlertWriter.open(log, serde, partition, epoch, windowsWriter);
    }
    if (!follows(cut, expected)) return;
    const rules = await rulesOf(cut);
    if (rules === undefined) return;
    changes.push(
      ...evaluator.add({
        input: cut.input,
        clockMs: cut.isLast ? cut.clockMs : 0,
        rules,
        sinceMs: cut.sinceMs,
        contributions: decodeContributions(cut.contributions),
        dropped: cut.overLimit,
      }),
    );
  };

  /** Undefined for rules that this release cannot read: nothing of them is counted. */
  const rulesOf = async (cut: WindowCut): Promise<RuleSet | null | undefined> => {
    if (cut.rulesVersion === '') return null;
    if (cut.rulesText !== null && !sets.has(cut.rulesVersion)) {
      const set = await rulesOfRecord({ version: cut.rulesVersion, text: cut.rulesText });
      if (set !== null && set !== undefined) sets.set(cut.rulesVersion, set);
    }
    return sets.get(cut.rulesVersion);
  };

  const report = (): void => {
    const labels = { partition: String(partition) };
    metrics.ruleKeys.set(labels, evaluator.keys);
    metrics.ruleBytes.set(labels, evaluator.bytes);
    // It would stand still without rules.
    if (evaluator.status.length === 0) metrics.rulesJudgedSeconds.remove(labels);
    else metrics.rulesJudgedSeconds.set(labels, evaluator.judgedMs / 1000);
    const fresh = evaluator.evicted - evicted;
    if (fresh <= 0) return;
    evicted = evaluator.evicted;
    metrics.ruleKeysEvicted.inc(fresh);
    if (performance.now() - warnedAtMs < warnIntervalMs) return;
    warnedAtMs = performance.now();
    logger.warn(
      { partition, keys: evaluator.keys, bytes: evaluator.bytes, forgotten: fresh },
      'rules over many events have more keys than their memory holds: those that were silent longest are forgotten',
    );
  };

  return {
    startOffset: position,
    gap: (gap: LogGap) => {
      deps.gaps(evaluatorGroup, gap, 'rules over many events count less than there was');
      position = gap.reason === 'lost-end' ? gap.from : gap.to;
    },
    process: async (records) => {
      await serde.load(records.map(({ value }) => value));
      const changes: OrderedChange[] = [];
      for (const record of records) await apply(record, changes);
      const written = await alerts.append(changes.map(windowAlert));
      metrics.windowAlerts.inc(written);
      position = records.at(-1)!.offset + 1;
      report();
      await commit();
    },
    idle: async () => {
      if (committedPosition !== position) await commit();
    },
    close: async () => {
      for (const gauge of [metrics.ruleKeys, metrics.ruleBytes, metrics.rulesJudgedSeconds])
        gauge.remove({ partition: String(partition) });
      if (position > snapshotPosition) await snapshot();
    },
  };
}

function nothingExpected(inputs: number): Expected[] {
  return Array.from({ length: inputs }, () => ({ from: 0, piece: 0 }));
}

/** Whether the cut is not one that was applied before; then it is what came last. */
function follows({ input, from, to, piece, isLast }: WindowCut, expected: Expected[]): boolean {
  const next = expected[input];
  if (next === undefined || from < next.from || (from === next.from && piece !== next.piece)) return false;
  if (from > next.from && piece !== 0) return false;
  expected[input] = isLast ? { from: to, piece: 0 } : { from, piece: piece + 1 };
  return true;
}

async function restored(state: State, part: EvaluatorPart): Promise<WindowEvaluator> {
  const { parseRules } = await import('@logloom/rules/rules-file');
  const parse = (text: string): RuleSet | null => {
    const result = parseRules(text);
    return result.ok ? result.rules : null;
  };
  return WindowEvaluator.restored(state.evaluator, parse, part);
}

/** Rules with open alerts first. */
function statusOf(evaluator: WindowEvaluator): EvaluatorMetadata['rules'] {
  const all = evaluator.status
    .sort((a, b) => b.firing - a.firing || b.pending - a.pending)
    .map(({ name, keys, pending, firing }): EvaluatorMetadata['rules'][number] => [
      name,
      keys,
      pending,
      firing,
    ]);
  let chars = 0;
  return all.filter((each) => (chars += JSON.stringify(each).length + 1) <= maxStatusChars);
}

export function parseEvaluatorMetadata(metadata: string | undefined): EvaluatorMetadata | undefined {
  return metadata?.startsWith('{') === true ? (JSON.parse(metadata) as EvaluatorMetadata) : undefined;
}
