import type { Client } from '@elastic/elasticsearch';
import type { Correlation, PlacedEvent } from '@logloom/schemas';
import { documentId } from './documents.ts';
import { asStoreError } from './errors.ts';
import { eventIndex, type IndexNames } from './indices.ts';

/** How many documents one `mget` asks for: answers may be hundreds of bytes each. */
const step = 1000;

/** The events that have no document. It sees writes before a refresh. */
export async function missingEvents(
  client: Client,
  names: IndexNames,
  events: readonly PlacedEvent[],
): Promise<PlacedEvent[]> {
  const versions = await versionsOf(
    client,
    events.map((event) => ({ _index: eventIndex(names, event), _id: documentId(event.id) })),
  );
  return events.filter((_, i) => versions[i] === undefined);
}

/** The documents that exist neither at their revision nor at a higher one. */
export async function missingCorrelations(
  client: Client,
  names: IndexNames,
  documents: readonly Correlation[],
): Promise<Correlation[]> {
  const versions = await versionsOf(
    client,
    documents.map(({ id }) => ({ _index: names.correlations, _id: documentId(id) })),
  );
  // One that was joined into another is to be gone.
  return documents.filter(({ revision, joinedInto }, i) =>
    joinedInto ? versions[i] !== undefined : (versions[i] ?? -1) < revision,
  );
}

/** The version of each document; undefined if it does not exist. */
async function versionsOf(
  client: Client,
  places: readonly { _index: string; _id: string }[],
): Promise<(number | undefined)[]> {
  const versions: (number | undefined)[] = [];
  for (let i = 0; i < places.length; i += step) {
    const docs = places.slice(i, i + step).map((place) => ({ ...place, _source: false }));
    try {
      const answer = await client.mget({ docs });
      // A missing index is only an error of each of its documents.
      for (const doc of answer.docs) versions.push('found' in doc && doc.found ? doc._version : undefined);
    } catch (error) {
      throw asStoreError(error);
    }
  }
  return versions;
}
