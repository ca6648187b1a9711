import { temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFilesPrivate, keepDataPrivate } from './private-files.ts';

const mode = (path: string): number => statSync(path).mode & 0o777;

test('data that others could read is private after a start; what is not Logloom’s stays as it is', () => {
  const folder = temporaryFolder('private').path;
  try {
    mkdirSync(join(folder, 'log'));
    writeFileSync(join(folder, 'log/topic.db'), '');
    writeFileSync(join(folder, 'other'), '');
    for (const [name, before] of [
      ['log', 0o755],
      ['log/topic.db', 0o644],
      ['other', 0o644],
      ['.', 0o755],
    ] as const)
      chmodSync(join(folder, name), before);
    assert.deepEqual(keepDataPrivate(folder, ['log', 'stores']), []);
    const after = ['log', 'log/topic.db', 'other', '.'].map((name) => mode(join(folder, name)));
    assert.deepEqual(after, [0o700, 0o600, 0o644, 0o755]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('new files and folders are private', () => {
  const folder = temporaryFolder('private').path;
  try {
    createFilesPrivate();
    mkdirSync(join(folder, 'a'));
    writeFileSync(join(folder, 'a/b'), '');
    assert.deepEqual([mode(join(folder, 'a')), mode(join(folder, 'a/b'))], [0o700, 0o600]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
