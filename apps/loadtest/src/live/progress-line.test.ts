import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exampleResult } from '../testing/example-result.ts';
import { ProgressLine, progressText, type Terminal } from './progress-line.ts';
import type { RunProgress } from './run-progress.ts';

const result = exampleResult('ready');

function at(atS: number, change: Partial<RunProgress> = {}): RunProgress {
  const latest = result.timeline[atS];
  return { phase: 'load', atS, durationS: result.durationS, latest, look: () => result, ...change };
}

function terminal(options: Partial<Terminal> = {}): Terminal & { text: string } {
  const written = { text: '', write: (text: string): void => void (written.text += text), ...options };
  return written;
}

test('a terminal has one line that is always up to date, and never wraps', () => {
  const written = terminal({ isTTY: true, columns: 40 });
  const line = new ProgressLine(written);
  for (const atS of [10, 11, 12]) line.show(at(atS));
  line.end();
  line.end();
  const shown = written.text.split('\r\x1b[K').slice(1);
  assert.deepEqual(
    shown.map((text) => text.slice(0, 5)),
    ['00:10', '00:11', '00:12', ''],
    'the last one clears it',
  );
  for (const text of shown) assert.ok(text.length <= 39 && !text.includes('\n'), text);
});

test('elsewhere there is a line every ten seconds, and one for each phase', () => {
  const written = terminal();
  const line = new ProgressLine(written);
  for (let atS = 0; atS < 25; atS++) line.show(at(atS));
  line.show(at(25, { phase: 'deliveries' }));
  line.show(at(25, { phase: 'search' }));
  line.end();
  assert.deepEqual(
    written.text.split('\n').map((text) => text.slice(0, 5)),
    ['00:00', '00:10', '00:20', '00:25', '00:25', ''],
  );
  assert.match(written.text, /waiting for deliveries/);
  assert.match(written.text, /looking for the events in the search/);
});

test('what was not measured is left out, what went wrong is not', () => {
  const latest = { ...result.timeline[5]!, serverCpu: null, p99Ms: null, connectFailures: 3, disconnects: 2 };
  const text = progressText(at(5, { latest }));
  assert.doesNotMatch(text, /server|p99/);
  assert.match(text, /3 connects failed {2}2 connections lost/);
  assert.match(progressText(at(0, { latest: undefined })), /starting$/);
});
