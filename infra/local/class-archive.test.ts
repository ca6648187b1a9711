import { temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { classArchive, type ClassArchive } from './class-archive.ts';
import type { EngineContext } from './engine.ts';

test('one server writes the archive, and those after its orderly end use it', async () => {
  using folder = temporaryFolder('class-archive');
  const ask = (version: string, rest: Partial<EngineContext> = {}): Promise<ClassArchive> => {
    const context = { cacheDir: folder.path, brokers: 1, throughput: false, ...rest } as EngineContext;
    return classArchive(context, 'engine', process.execPath, [folder.path, version]);
  };
  const fileIn = ({ options }: ClassArchive, option: string): string => {
    const [only] = options;
    assert.ok(only!.startsWith(`-XX:${option}=${folder.path}`), only);
    return only!.slice(only!.indexOf('=') + 1);
  };

  const killed = await ask('1');
  writeFileSync(fileIn(killed, 'ArchiveClassesAtExit'), 'a part');
  assert.deepEqual((await ask('1')).options, []);
  killed.onEnd!(false);
  await delay(0);

  assert.deepEqual((await ask('1', { brokers: 3 })).options, []);
  assert.deepEqual((await ask('1', { throughput: true })).options, []);
  const writer = await ask('1');
  writeFileSync(fileIn(writer, 'ArchiveClassesAtExit'), 'whole');
  writer.onEnd!(true);
  const file = fileIn(await ask('1', { brokers: 3 }), 'SharedArchiveFile');
  assert.equal(fileIn(await ask('1'), 'SharedArchiveFile'), file);
  assert.deepEqual((await ask('1', { throughput: true })).options, []);

  const other = await ask('2');
  fileIn(other, 'ArchiveClassesAtExit');
  other.onEnd!(false);
});
