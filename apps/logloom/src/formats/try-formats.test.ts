import { temporaryFolder } from '@logloom/testing';
import { timeZone } from '@logloom/ingest/time-zone';
import { parseFormats } from '@logloom/ingest/formats';
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { tryFormats, type TriedEvent } from './try-formats.ts';

test('each event is shown with what it was read by, and how sure that is', async () => {
  const file = join(temporaryFolder('try-formats').path, 'app.log');
  writeFileSync(
    file,
    [
      'PAY r-1 paid',
      '{"level":"warn","msg":"json","service":"shop"}',
      '[Fri Mar 14 09:26:53 2025] [notice] configured',
      '2025-03-14 09:26:53 ERROR [main] c.d.E - failed',
      'java.lang.Error: x',
      '\tat c.d.E.run(E.java:1)',
      '2025-03-14 09:26:54 only a time',
      'nothing at all',
    ].join('\n'),
  );
  const loaded = parseFormats(
    "formats: [{ name: pay, pattern: 'PAY %{NOTSPACE:requestId} %{GREEDYDATA:message}' }]",
  );
  assert.ok(loaded.ok);
  const shown: TriedEvent[] = [];
  const trial = await tryFormats(file, {
    settings: { INGEST_ID_PATTERNS: [], CORRELATION_ID_ORDER: ['requestId'] },
    formats: loaded.formats,
    zone: timeZone('UTC')!,
    service: undefined,
    limit: 5,
    onEvent: (event) => shown.push(event),
  });
  assert.deepEqual(
    shown.map(({ line, layout, sureness }) => [line, layout, sureness]),
    [
      [1, 'pay', 'sure'],
      [2, 'json', 'sure'],
      [3, 'apache-error', 'sure'],
      [6, 'header', 'likely'],
      [7, 'header', 'guess'],
    ],
  );
  assert.equal(shown[0]!.event!['correlationId'], 'r-1');
  assert.equal(shown[1]!.event!['timestamp'], 'of its receipt');
  assert.equal(shown[3]!.event!['level'], 'error');
  assert.deepEqual(trial, {
    events: 6,
    layouts: { pay: 1, json: 1, 'apache-error': 1, header: 2, 'no layout': 1 },
    unknown: { time: 3, level: 3, service: 4 },
  });
});
