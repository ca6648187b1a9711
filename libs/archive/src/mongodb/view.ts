import type { Correlation, FillMark, FillMove, PlacedEvent } from '@logloom/schemas';
import { neighbourOf, sliceOf } from './slices.ts';
import type { MongoStore } from './store.ts';

const removedId = 'removed';

export async function filled(store: MongoStore, epoch: string): Promise<FillMark[]> {
  const found = await store.marks.find({ epoch }).toArray();
  return found.map(({ topic, partition, offset }) => ({
    topic: topic!,
    partition: partition!,
    offset: offset!,
  }));
}

export async function markFilled(
  store: MongoStore,
  epoch: string,
  moves: readonly FillMove[],
): Promise<boolean> {
  const known = new Map(
    (await filled(store, epoch)).map((mark) => [`${mark.topic}/${mark.partition}`, mark.offset]),
  );
  if (moves.some(({ topic, partition, from }) => (known.get(`${topic}/${partition}`) ?? 0) < from))
    return false;
  if (moves.length === 0) return true;
  await store.marks.bulkWrite(
    moves.map(({ topic, partition, offset }) => ({
      updateOne: {
        filter: { _id: `${epoch}/${topic}/${partition}` },
        update: { $max: { offset }, $setOnInsert: { epoch, topic, partition } },
        upsert: true,
      },
    })),
    { ordered: false },
  );
  return true;
}

export async function removedBefore(store: MongoStore): Promise<number> {
  return (await store.marks.findOne({ _id: removedId }))?.micros ?? -Infinity;
}

export async function noteRemoved(store: MongoStore, micros: number): Promise<void> {
  await store.marks.updateOne({ _id: removedId }, { $max: { micros } }, { upsert: true });
}

/** Those of the events that neither their own month nor, near its border, the next one has. */
export async function missingEvents(
  store: MongoStore,
  events: readonly PlacedEvent[],
): Promise<PlacedEvent[]> {
  const bySlice = new Map<string, PlacedEvent[]>();
  for (const event of events)
    for (const slice of [sliceOf(event), neighbourOf(event)]) {
      if (slice === undefined) continue;
      const members = bySlice.get(slice);
      if (members === undefined) bySlice.set(slice, [event]);
      else members.push(event);
    }
  const held = new Set<string>();
  for (const [slice, members] of bySlice) {
    const ids = members.map(({ id }) => id);
    const keys = [...new Set(members.map(({ correlationId, id }) => correlationId ?? id))];
    const found = store
      .slice(slice)
      .find({ _id: { $in: ids }, key: { $in: keys } }, { projection: { _id: 1 } });
    for await (const { _id } of found) held.add(_id);
  }
  return events.filter(({ id }) => !held.has(id));
}

export async function missingCorrelations(
  store: MongoStore,
  documents: readonly Correlation[],
): Promise<Correlation[]> {
  const ids = documents.map(({ id }) => id);
  const found = await store.correlations
    .find({ _id: { $in: ids } }, { projection: { revision: 1 } })
    .toArray();
  const revisions = new Map(found.map(({ _id, revision }) => [_id, revision]));
  return documents.filter(({ id, revision }) => (revisions.get(id) ?? -1) < revision);
}
