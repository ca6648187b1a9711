import type { EventLog } from '@logloom/event-log';
import type { RuleSet } from '@logloom/rules';
import { FiredAlerts, WindowRun, type WindowTrial } from '@logloom/rules/windows';
import type { Serde } from '@logloom/schema-registry';
import { topics } from '@logloom/schemas';
import { setImmediate as yieldToOthers } from 'node:timers/promises';
import { BacktestInput } from './backtest-input.ts';

export interface BacktestOptions {
  log: EventLog;
  serde: Serde;
  rules: RuleSet;
  /** Append times in ms: from the first to before the second. */
  fromMs: number;
  toMs: number;
  /** How long it may take, ms. */
  maxMs: number;
  /** Aborts when the caller no longer waits. */
  signal?: AbortSignal | undefined;
}

export interface Backtest {
  /** The log's time up to which it came, ms; before `toMs` if it took too long. */
  judgedMs: number;
  isComplete: boolean;
  events: number;
  requests: number;
  rules: WindowTrial[];
}

/**
 * What rules over many events would have raised on a range of the log, and on which requests. Only reads. The rules are in force from the
 * beginning of the range, so windows fill from there.
 */
export async function backtestRules(options: BacktestOptions): Promise<Backtest> {
  const { log, rules, fromMs, toMs, maxMs, signal } = options;
  const startedAtMs = performance.now();
  const epoch = await log.epochOf(topics.events);
  const [starts, from, to, documentsFrom] = await Promise.all([
    log.startOffsets(topics.events),
    log.offsetsByTime(topics.events, fromMs),
    log.offsetsByTime(topics.events, toMs),
    log.offsetsByTime(topics.correlations, fromMs),
  ]);
  const run = new WindowRun(from.length);
  const fired = new FiredAlerts();
  const inputs: BacktestInput[] = [];
  for (let partition = 0; partition < from.length; partition++) {
    fired.take(run.setRules(partition, rules, fromMs));
    const range = { from: Math.max(starts[partition]!, from[partition]!), to: to[partition]! };
    inputs.push(new BacktestInput(options, run, epoch, partition, range, documentsFrom[partition]!));
  }
  let isComplete = true;
  for (;;) {
    signal?.throwIfAborted();
    // The one that is furthest behind, so that little waits for the others.
    const [next] = inputs.filter(({ isDone }) => !isDone).sort((a, b) => a.clockMs - b.clockMs);
    if (next === undefined) break;
    if (performance.now() - startedAtMs > maxMs) {
      isComplete = false;
      break;
    }
    await next.readMore();
    fired.take(run.advance(next.partition, next.isDone ? Math.max(toMs, next.clockMs) : next.clockMs));
    await yieldToOthers();
  }
  // The log's clock is ahead of append times where those decreased.
  if (isComplete) fired.take(run.end(Math.max(toMs, ...inputs.map(({ clockMs }) => clockMs))));
  return {
    judgedMs: isComplete ? toMs : run.evaluator.judgedMs,
    isComplete,
    events: inputs.reduce((sum, { events }) => sum + events, 0),
    requests: inputs.reduce((sum, { requests }) => sum + requests, 0),
    rules: fired.byRule(rules),
  };
}
