import { placedEvent, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { archiveContract } from '../contract/archive.contract.ts';
import { openEmbeddedArchive } from './embedded-archive.ts';

archiveContract('embedded', async () => {
  const folder = temporaryFolder('archive');
  let archive = openEmbeddedArchive(folder.path);
  return {
    archive,
    reopen: async () => {
      await archive.close();
      return (archive = openEmbeddedArchive(folder.path));
    },
    dispose: async () => {
      await archive.close();
      folder[Symbol.dispose]();
    },
  };
});

test('many requests that are read at once do not use up the memory of the engine', async () => {
  using folder = temporaryFolder('archive');
  const archive = openEmbeddedArchive(folder.path, { memoryBytes: 64 * 2 ** 20 });
  const ids = Array.from({ length: 200 }, (_, i) => `e1-0-${i}`);
  await archive.put(ids.map((id, i) => placedEvent(i, { id, correlationId: `c${i % 10}` })));
  const read = await Promise.all(ids.map((_, i) => archive.byCorrelation(`c${i % 10}`)));
  assert.ok(read.every((events) => events.length === 20));
  await archive.close();
});
