import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProgressBar, progressLine } from './progress-bar.ts';

test('a line says how much of the files is sent, how fast, and how long it takes', () => {
  const half = { accepted: 900, rejected: 100, bytes: 50, totalBytes: 100 };
  assert.equal(
    progressLine(half, 10),
    `[${'#'.repeat(15)}${'.'.repeat(15)}] 50%  900 accepted, 100 rejected, 100/s, 10 s left`,
  );
  assert.equal(progressLine({ ...half, rejected: 0, totalBytes: undefined }, 9), '900 accepted, 100/s');
});

test('only a terminal is drawn on', () => {
  const written: string[] = [];
  const terminal = new ProgressBar({ isTTY: true, write: (text) => written.push(text) });
  terminal.update({ accepted: 1, rejected: 0, bytes: 1, totalBytes: 1 });
  terminal.clear();
  assert.match(written[0]!, /^\r\[#+\] 100%/);
  assert.equal(written[1], '\r\x1b[K');
  const plain = new ProgressBar({ write: (text) => written.push(text) });
  plain.update({ accepted: 1, rejected: 0, bytes: 1, totalBytes: 1 });
  plain.clear();
  assert.equal(written.length, 2);
});
