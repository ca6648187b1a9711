import { type Correlation, type PlacedEvent } from '@logloom/schemas';
import { correlationDocument, placedEvent } from '@logloom/testing';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Archive } from '../archive.ts';
import { sourceOf } from '../archived-event.ts';

/** Opens a new, empty archive; `dispose` removes it. `reopen` returns the same archive anew, after a restart. */
export type ArchiveFactory = () => Promise<{
  archive: Archive;
  reopen: () => Promise<Archive>;
  dispose: () => Promise<void>;
}>;

/** Registers the tests that every adapter of the archive has to pass. */
export function archiveContract(name: string, create: ArchiveFactory): void {
  const withArchive = (
    title: string,
    run: (archive: Archive, reopen: () => Promise<Archive>) => Promise<void>,
  ): void => {
    test(`${name}: ${title}`, async () => {
      const { archive, reopen, dispose } = await create();
      try {
        await run(archive, reopen);
      } finally {
        await dispose();
      }
    });
  };

  withArchive(
    'what it returns equals what it was given but for the source, also after a restart',
    async (archive, reopen) => {
      const plain = event(1, 10);
      const full = event(2, 20, {
        source: { kind: 'kafka', topic: 'logs-raw.v1-2', partition: 3, offset: 4, index: 5 },
        id: 'k3x9-0-2',
        host: 'h',
        message: 'ünïcode\n\u0001 text',
        correlationKind: 'traceId',
        traceId: 't',
        spanId: 's',
        attributes: '{"a":{"b":[1,2.50]}}',
      });
      await archive.put([plain, full]);
      assert.deepEqual(await archive.byCorrelation('c'), [plain, full].map(archived));
      const again = await reopen();
      assert.deepEqual(await again.byCorrelation('c'), [plain, full].map(archived));
      assert.deepEqual(await again.counts(), { events: 2, correlations: 0 });
    },
  );

  withArchive('gives a range of offsets of one partition', async (archive) => {
    const place = (partition: number, offset: number): PlacedEvent =>
      // Times that run against the offsets, over months.
      event(100 * partition + offset, 4_000_000_000_000 * (10 - offset), { partition, offset });
    await archive.put([place(0, 3), place(0, 1), place(1, 2), place(0, 7), place(0, 5)]);
    const offsets = async (...query: Parameters<Archive['range']>): Promise<number[]> =>
      (await archive.range(...query)).map(({ offset }) => offset);
    assert.deepEqual(await offsets('k3x9', 0, 1, 7, 10), [1, 3, 5]);
    assert.deepEqual(await offsets('k3x9', 0, 2, 100, 2), [3, 5]);
    assert.deepEqual(await offsets('k3x9', 1, 0, 100, 2), [2]);
    assert.deepEqual(await offsets('k3x9', 2, 0, 100, 2), []);
    assert.deepEqual(await archive.range('k3x9', 1, 2, 3, 1), [archived(place(1, 2))]);
  });

  withArchive('a range has the events of one epoch, and those whose ids name none', async (archive) => {
    const of = (epoch: string, offset: number): PlacedEvent =>
      event(offset, 10, { id: `${epoch}-0-${offset}`, offset });
    await archive.put([
      ...[1, 2, 3, 4].map((offset) => of('0ldEpoch', offset)),
      of('k3x9', 2),
      of('k3x9', 4),
    ]);
    await archive.put([of('http-p', 3)]);
    const ids = async (epoch: string | undefined, limit: number): Promise<string[]> =>
      (await archive.range(epoch, 0, 1, 5, limit)).map(({ id }) => id);
    assert.deepEqual(await ids('k3x9', 10), ['k3x9-0-2', 'http-p-0-3', 'k3x9-0-4']);
    assert.deepEqual(await ids('k3x9', 1), ['k3x9-0-2']);
    assert.deepEqual(await ids('0ther', 10), ['http-p-0-3']);
    assert.equal((await ids(undefined, 10)).length, 7);
  });

  withArchive('answers end after so many bytes, and continue where they ended', async (archive) => {
    const message = 'x'.repeat(900_000);
    const events = Array.from({ length: 24 }, (_, i) => event(i, 10 + Math.floor(i / 5), { message }));
    await archive.put(events);
    const found: PlacedEvent[] = [];
    for (let answers = 0; ; answers++) {
      const part = await archive.byCorrelation('c', { after: found.at(-1), maxBytes: 3_000_000 });
      found.push(...part);
      assert.ok(part.length <= 4);
      if (part.length === 0) break;
      assert.ok(answers < 24);
    }
    assert.deepEqual(
      found.map(({ id }) => id),
      events.map(({ id }) => id),
    );
    const offsets: number[] = [];
    for (let from = 0; from < 100;) {
      const part = await archive.range('k3x9', 0, from, 100, 1000);
      assert.ok(part.length <= 10, '8 MiB and one event');
      offsets.push(...part.map(({ offset }) => offset));
      from = part.length === 0 ? 100 : part.at(-1)!.offset + 1;
    }
    assert.deepEqual(
      offsets,
      events.map(({ offset }) => offset),
    );
    const scanned = archive.scan({ fromMicros: 0, toMicros: 100 }, new AbortController().signal);
    let count = 0;
    for await (const { message: text } of scanned) count += text.length / message.length;
    assert.equal(count, events.length);
  });

  withArchive('of two events with one id the first stays', async (archive) => {
    const first = event(1, 10);
    const duplicate = { ...first, offset: 99, timestamp: 11 };
    await archive.put([first, duplicate]);
    await archive.put([duplicate, event(2, 20)]);
    assert.deepEqual(
      (await archive.byCorrelation('c')).map((e) => [e.id, e.offset]),
      [
        [first.id, 1],
        ['http-p-0-2', 2],
      ],
    );
    assert.equal((await archive.counts()).events, 2);
  });

  withArchive('events come in time order, then by partition and offset, up to the limit', async (archive) => {
    const late = event(1, 30);
    const tied = event(3, 20, { partition: 1 });
    const tiedFirst = event(9, 20);
    const early = event(4, 10);
    await archive.put([late, tied, tiedFirst, early, event(5, 15, { correlationId: 'other' })]);
    const wanted = [early, tiedFirst, tied, late].map((e) => e.id);
    assert.deepEqual(
      (await archive.byCorrelation('c')).map((e) => e.id),
      wanted,
    );
    assert.deepEqual(
      (await archive.byCorrelation('c', { limit: 2 })).map((e) => e.id),
      wanted.slice(0, 2),
    );
    const range = { fromMicros: 15, toMicros: 30 };
    assert.deepEqual(
      (await archive.byCorrelation('c', range)).map((e) => e.id),
      wanted.slice(1, 3),
    );
    assert.deepEqual(await archive.byCorrelation('unknown'), []);
  });

  withArchive('a scan gives each event of the range once, in order, over many steps', async (archive) => {
    const events = Array.from({ length: 3500 }, (_, i) => event(i, Math.floor(i / 7), { partition: i % 3 }));
    await archive.put(events.toReversed());
    const wanted = events
      .filter((e) => e.timestamp >= 10 && e.timestamp < 480)
      .sort((a, b) => a.timestamp - b.timestamp || a.partition - b.partition || a.offset - b.offset);
    const range = { fromMicros: 10, toMicros: 480 };
    const found = await collect(archive.scan(range, new AbortController().signal));
    assert.deepEqual(
      found.map((e) => e.id),
      wanted.map((e) => e.id),
    );
    const odd = (e: PlacedEvent): boolean => e.offset % 2 === 1;
    const matching = await collect(archive.scan({ ...range, matches: odd }, new AbortController().signal));
    assert.deepEqual(
      matching.map((e) => e.id),
      wanted.filter(odd).map((e) => e.id),
    );
  });

  withArchive('a scan ends when it is aborted', async (archive) => {
    await archive.put(Array.from({ length: 2500 }, (_, i) => event(i, i)));
    const stop = new AbortController();
    let seen = 0;
    for await (const found of archive.scan({ fromMicros: 0, toMicros: 2500 }, stop.signal)) {
      seen++;
      if (found.offset === 1200) stop.abort();
    }
    assert.equal(seen, 1201);
  });

  withArchive('a document is kept at its highest revision', async (archive) => {
    await archive.putCorrelations([
      document('0-1', 1),
      document('0-1', 3),
      document('0-1', 2),
      document('0-2', 1),
    ]);
    assert.deepEqual(await archive.correlation('0-1'), document('0-1', 3));
    assert.equal(await archive.correlation('0-9'), undefined);
    assert.equal((await archive.counts()).correlations, 2);
  });

  withArchive('what is older is dropped, and nothing else', async (archive) => {
    await archive.put([event(1, 10), event(2, 20), event(3, 30)]);
    await archive.putCorrelations([
      document('0-1', 1, { firstAt: 5, lastAt: 10 }),
      document('0-2', 1, { firstAt: 5, lastAt: 20 }),
    ]);
    assert.equal(await archive.dropBefore(20), 1);
    assert.deepEqual(
      (await archive.byCorrelation('c')).map((e) => e.offset),
      [2, 3],
    );
    assert.deepEqual(await archive.counts(), { events: 2, correlations: 1 });
    assert.equal(await archive.correlation('0-1'), undefined);
  });

  withArchive(
    'it knows how far it was filled, for one epoch, also after a restart',
    async (archive, reopen) => {
      const move = (partition: number, from: number, offset: number) => ({
        topic: 'logs.a',
        partition,
        from,
        offset,
      });
      const offsetsOf = async (of: typeof archive, epoch = 'one'): Promise<string[]> =>
        (await of.filled(epoch)).map((m) => `${m.topic}/${m.partition}: ${m.offset}`).sort();
      assert.deepEqual(await archive.filled('one'), []);
      assert.equal(await archive.markFilled('one', [move(0, 0, 10), move(1, 0, 0)]), true);
      assert.equal(
        await archive.markFilled('one', [move(0, 10, 20), move(1, 1, 5)]),
        false,
        'lower than it was',
      );
      assert.equal(await archive.markFilled('one', [move(2, 3, 20)]), false, 'not there');
      assert.equal(await archive.markFilled('one', [move(0, 3, 7), move(2, 0, 4)]), true);
      const all = ['logs.a/0: 10', 'logs.a/1: 0', 'logs.a/2: 4'];
      assert.deepEqual(await offsetsOf(archive), all);
      assert.equal(await archive.removedBefore(), -Infinity);
      await archive.dropBefore(20);
      await archive.dropBefore(10);
      const again = await reopen();
      assert.deepEqual(await offsetsOf(again), all);
      assert.equal(await again.removedBefore(), 20);
      assert.deepEqual(await again.filled('two'), []);
      assert.equal(await again.markFilled('two', [move(0, 0, 1)]), true);
      assert.deepEqual(await offsetsOf(again, 'two'), ['logs.a/0: 1']);
    },
  );

  withArchive('it says which events and documents it does not hold', async (archive) => {
    await archive.put([event(1, 10), event(2, 20)]);
    await archive.putCorrelations([document('0-1', 2), document('0-2', 1)]);
    const events = await archive.missingEvents([event(1, 10), event(2, 20), event(3, 30)]);
    assert.deepEqual(
      events.map(({ offset }) => offset),
      [3],
    );
    const wanted = [document('0-1', 1), document('0-1', 3), document('0-2', 1), document('0-3', 1)];
    const documents = await archive.missingCorrelations(wanted);
    assert.deepEqual(
      documents.map(({ id, revision }) => `${id}/${revision}`),
      ['0-1/3', '0-3/1'],
    );
  });
}

/** The event as the archive returns it. */
function archived(event: PlacedEvent): PlacedEvent {
  return { ...event, source: sourceOf(event.partition, event.offset) };
}

async function collect(events: AsyncIterable<PlacedEvent>): Promise<PlacedEvent[]> {
  const found: PlacedEvent[] = [];
  for await (const one of events) found.push(one);
  return found;
}

function event(offset: number, timestamp: number, rest: Partial<PlacedEvent> = {}): PlacedEvent {
  return placedEvent(offset, { id: `http-p-0-${offset}`, timestamp, correlationId: 'c', ...rest });
}

function document(id: string, revision: number, rest: Partial<Correlation> = {}): Correlation {
  return correlationDocument(id, { revision, ...rest });
}
