import type { EventLog } from '@logloom/event-log';
import { topics } from '@logloom/schemas';

/** The epoch of the topics that fill the search store and the archive; it changes when either topic is recreated. */
export async function viewEpoch(log: EventLog): Promise<string> {
  const [events, correlations] = [await log.epochOf(topics.events), await log.epochOf(topics.correlations)];
  return events === correlations ? events : `${events}.${correlations}`;
}
