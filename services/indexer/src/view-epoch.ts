import type { EventLog } from '@logloom/event-log';
import { topics } from '@logloom/schemas';

/** The epoch of what the search store and the archive are filled from: another one once either topic is made anew. */
export async function viewEpoch(log: EventLog): Promise<string> {
  const [events, correlations] = [await log.epochOf(topics.events), await log.epochOf(topics.correlations)];
  return events === correlations ? events : `${events}.${correlations}`;
}
