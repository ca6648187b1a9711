import { connectLog, createGapReport, type RunService } from '@logloom/runtime';
import { topics } from '@logloom/schemas';
import { correlateOptions } from './correlate-options.ts';
import { correlatePartition, consumerGroup } from './correlate-partition.ts';
import { memberEventSchema } from './member-event-schema.ts';
import { refreshInterval } from './rules/rules-in-log.ts';
import { RulesSource } from './rules/rules-source.ts';
import { EventAges } from '@logloom/telemetry';
import { counterGroup } from './windows/count-partition.ts';
import { evaluatorGroup } from './windows/evaluate-partition.ts';
import { runWindowRules } from './windows/run-window-rules.ts';
import { createMetrics } from './telemetry.ts';
import type { Settings } from './settings.ts';

/** How long (ms) readiness waits for partitions. */
const maxUnreadyMs = 5000;

/** Groups logs.events by correlation id into logs.correlations until the signal aborts. */
export const runCorrelator: RunService<Settings> = async ({
  settings,
  telemetry,
  signal,
  onReady,
  checks,
}) => {
  await using connection = await connectLog(
    settings,
    { LogEvent: memberEventSchema },
    telemetry,
    signal,
    true,
  );
  const { log, serde } = connection;
  const metrics = createMetrics(telemetry);
  const { logger } = telemetry;
  using rules = await RulesSource.open(settings.CORRELATION_RULES, (problems) => {
    metrics.rulesFileErrors.inc();
    logger.error({ problems }, 'the rules file cannot be used; the rules stay unchanged');
  });
  const deps = {
    log,
    serde,
    wanted: { rules: () => rules.current, options: correlateOptions(settings) },
    metrics,
    ages: new EventAges(telemetry, 'correlated'),
    tracing: telemetry.tracing,
    gaps: createGapReport(telemetry, [
      { consumer: consumerGroup, topic: topics.events },
      { consumer: consumerGroup, topic: topics.correlations },
      { consumer: counterGroup, topic: topics.events },
      { consumer: evaluatorGroup, topic: topics.windows },
    ]),
    logger,
    joinLimit: settings.CORRELATION_JOIN_LIMIT,
    rulesRefreshMs: refreshInterval(settings.LOG_RETENTION_MS),
    nowMs: Date.now,
  };
  checks?.add(connection.problem);
  const unopened = new Set(Array(await log.partitionCount(topics.events)).keys());
  let isReady = false;
  const ready = (): void => {
    if (!isReady && !signal.aborted) onReady();
    isReady = true;
  };
  // A service that starts with rules is ready once they are in force, because events may arrive at once. Other members may have the other
  // partitions.
  if (rules.current === null) ready();
  setTimeout(ready, maxUnreadyMs).unref();
  const correlating = log.consume(
    {
      group: consumerGroup,
      topics: [topics.events],
      open: async (assignment) => {
        const handler = await correlatePartition(deps, assignment);
        unopened.delete(assignment.partition);
        if (unopened.size === 0) ready();
        return handler;
      },
    },
    signal,
  );
  await Promise.all([correlating, runWindowRules(deps, settings, signal)]);
};
