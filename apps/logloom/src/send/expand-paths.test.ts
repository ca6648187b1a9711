import { temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { expandPaths } from './expand-paths.ts';

test('folders, patterns and files become a list of files, each once', () => {
  const { path: folder } = temporaryFolder('expand-paths');
  const write = (name: string, content: string | Buffer): void => {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), content);
  };
  write('app.log', 'a');
  write('app.log.1', 'a');
  write('app.log.2.gz', 'a');
  write('nested/deep/access.ndjson', '{}');
  write('nested/syslog', 'a');
  write('nested/image.png', 'a');
  write('nested/config.yaml', 'a');
  write('nested/binary.log', Buffer.from([1, 0, 2, 0, 0, 3, 1, 1, 1]));
  write('nested/.hidden.log', 'a');
  write('nested/empty.log', '');
  symlinkSync(join(folder, 'app.log'), join(folder, 'nested/link.log'));
  const notes: string[] = [];
  const found = (...names: string[]): string[] =>
    expandPaths(names, (line) => notes.push(line)).map((path) => path.slice(folder.length + 1));
  assert.deepEqual(found(folder), [
    'app.log',
    'app.log.1',
    'app.log.2.gz',
    'nested/deep/access.ndjson',
    'nested/syslog',
  ]);
  assert.match(notes.join(), /binary\.log: is no text/);
  assert.deepEqual(found(join(folder, 'app.log*')), ['app.log', 'app.log.1', 'app.log.2.gz']);
  assert.deepEqual(found(join(folder, '**/*.{ndjson,png}')), [
    'nested/deep/access.ndjson',
    'nested/image.png',
  ]);
  assert.deepEqual(found(join(folder, 'app.log'), join(folder, 'app.log')), ['app.log']);
  // Whoever follows a file may name one that is not there yet.
  assert.deepEqual(found(join(folder, 'later.log')), ['later.log']);
  assert.throws(() => found(join(folder, '*.nothing')), /no file matches/);
  mkdirSync(join(folder, 'empty'));
  assert.throws(() => found(join(folder, 'empty')), /there is no log file/);
});
