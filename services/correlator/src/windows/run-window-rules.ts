import type { EventLog } from '@logloom/event-log';
import { topics } from '@logloom/schemas';
import { consumerGroup, type CorrelatorDeps } from '../correlate-partition.ts';
import type { Settings } from '../settings.ts';
import { CorrelatedUpTo } from './correlated-up-to.ts';
import { countPartition, counterGroup, parseCounterMetadata } from './count-partition.ts';
import { evaluatePartition, evaluatorGroup } from './evaluate-partition.ts';

/**
 * Runs the rules over many events until the signal aborts: counts each partition of logs.events into logs.windows, and judges each partition
 * of that. If there is no rules file and none was in force when it last ran, nobody reads the log for it.
 */
export async function runWindowRules(
  deps: CorrelatorDeps,
  settings: Pick<Settings, 'CORRELATION_RULES'>,
  signal: AbortSignal,
): Promise<void> {
  const { log } = deps;
  if (settings.CORRELATION_RULES === undefined && !(await wereActive(log))) return;
  const counter = { ...deps, signal, correlated: new CorrelatedUpTo(log, consumerGroup) };
  await Promise.all([
    log.consume(
      {
        group: counterGroup,
        topics: [topics.events],
        open: (assignment) => countPartition(counter, assignment),
      },
      signal,
    ),
    log.consume(
      {
        group: evaluatorGroup,
        topics: [topics.windows],
        open: (assignment) => evaluatePartition(deps, assignment),
      },
      signal,
    ),
  ]);
}

async function wereActive(log: EventLog): Promise<boolean> {
  const commits = await log.committed(counterGroup, topics.events);
  return commits.some((commit) => parseCounterMetadata(commit?.metadata)?.active === true);
}
