import { type Correlation, type PlacedEvent } from '@logloom/schemas';
import { correlationDocument, placedEvent, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { ArchiveError } from '../archive.ts';
import { archiveContract } from '../contract/archive.contract.ts';
import { openSqliteArchive } from './sqlite-archive.ts';

archiveContract('sqlite', async () => {
  const folder = temporaryFolder('archive').path;
  let archive = openSqliteArchive(folder);
  return {
    archive,
    reopen: async () => {
      await archive.close();
      return (archive = openSqliteArchive(folder));
    },
    dispose: async () => {
      await archive.close();
      rmSync(folder, { recursive: true });
    },
  };
});

test('what a reader finds damaged is moved by the writer, and the reader continues with the new file', async (t) => {
  const folder = temporaryFolder('archive').path;
  t.after(() => rmSync(folder, { recursive: true }));
  const first = openSqliteArchive(folder);
  await first.put(Array.from({ length: 5000 }, (_, i) => event(i)));
  await first.close();
  const path = join(folder, 'archive.db');
  const bytes = readFileSync(path);
  // Its schema stays readable.
  writeFileSync(path, bytes.fill(0xff, bytes.length / 2));
  const moved: string[] = [];
  const writer = openSqliteArchive(folder, { onDamaged: ({ movedTo }) => void moved.push(movedTo) });
  const reader = openSqliteArchive(folder, { readOnly: true });
  const all = { fromMicros: 0, toMicros: Infinity };
  const scan = async (): Promise<number> => {
    const offsets: number[] = [];
    for await (const { offset } of reader.scan(all, new AbortController().signal)) offsets.push(offset);
    return offsets.length;
  };
  await assert.rejects(scan(), (error) => error instanceof ArchiveError && error.message.startsWith(path));
  await writer.put([event(1), event(2)]);
  assert.deepEqual(
    moved.map((name) => basename(name)),
    readdirSync(folder).filter((name) => /corrupt-\d+$/.test(name)),
  );
  assert.match(moved.join(), /^[^,]*archive\.db\.corrupt-\d+$/);
  assert.equal(await scan(), 2);
  await Promise.all([writer.close(), reader.close()]);
});

test('what an older release archived gets the ids of now: places in the log', async () => {
  const folder = temporaryFolder('archive').path;
  try {
    const old = openSqliteArchive(folder);
    await old.put([{ ...event(5, 'http-p-0-7'), partition: 2 }, event(9, 'http-p-0-8')]);
    await old.putCorrelations([document('2-5')]);
    await old.close();
    for (const epoch of ['k3x9', 'never again']) {
      const archive = openSqliteArchive(folder, { epoch });
      assert.deepEqual(
        (await archive.byCorrelation('c')).map(({ id }) => id),
        ['k3x9-2-5', 'k3x9-0-9'],
      );
      assert.deepEqual(await archive.correlation('k3x9-2-5'), document('k3x9-2-5'));
      assert.equal(await archive.correlation('2-5'), undefined);
      await archive.close();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

function event(offset: number, id = `http-p-0-${offset}`): PlacedEvent {
  return placedEvent(offset, { id, timestamp: offset, receivedAt: 0, correlationId: 'c' });
}

function document(id: string): Correlation {
  return correlationDocument(id, {
    kind: 'correlationId',
    firstAt: 1_700_000_000_000_001,
    lastAt: 1_700_000_000_000_002,
    partition: 2,
    firstOffset: 5,
    closeOffset: 6,
    firstClosedAt: 0,
  });
}
