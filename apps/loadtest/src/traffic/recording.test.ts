import { recordedLines, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { defaultTraffic } from '../scenario/scenario.ts';
import { eventLine } from './event-line.ts';
import { readRecording } from './recording.ts';
import { requestId, Traffic } from './traffic.ts';

const run = '00c0ffee0123';
const folder = temporaryFolder('recording').path;

function recorded(lines: readonly string[]): Traffic {
  const file = join(folder, 'lines.ndjson');
  writeFileSync(file, lines.join('\n'));
  return new Traffic(run, defaultTraffic, readRecording(file));
}

test('event n is line n, round after round, in requests of its round', () => {
  const lines = recordedLines(200);
  const traffic = recorded(lines);
  const total = 200 * 2 + 77;
  const ids = new Map<string, number[]>();
  for (let n = 0; n < total; n++) {
    const line = JSON.parse(lines[n % 200]!) as Record<string, string>;
    const { request, level, ...event } = traffic.event(n);
    assert.equal(event.message, line.message);
    assert.equal(event.service, line.service);
    assert.equal(event.host, line.host);
    assert.equal(level, line.level!.toLowerCase());
    const round = Math.floor(n / 200);
    const id = `${round} ${line.traceId}`;
    const members = ids.get(id) ?? [];
    assert.equal(traffic.placeOf(n).index, members.length);
    ids.set(id, [...members, n]);
    assert.deepEqual(traffic.membersOf(request, n + 1), ids.get(id));
    const sent = JSON.parse(eventLine(traffic, n, 0)) as Record<string, unknown>;
    assert.equal(sent.correlationId, requestId(run, request));
    assert.equal(sent.traceId, undefined);
    assert.deepEqual(sent.loadtest, { run, n });
  }
  assert.equal(traffic.requestCount(total), ids.size);
  assert.equal(traffic.requestCount(400), [...ids.keys()].filter((id) => !id.startsWith('2')).length);
});

test('other names and levels are read as Logloom reads them, and lines without an id belong to no request', () => {
  const traffic = recorded([
    '{"ts":"2026-01-01T00:00:00Z","msg":"one","lvl":"ERROR","app":"shop","size":5,"req_id":"a"}',
    '{"ts":"2026-01-01T00:00:01Z","msg":"two","level":40,"app":"cart"}',
  ]);
  assert.deepEqual(traffic.event(2), {
    n: 2,
    request: 1,
    service: 'shop',
    level: 'error',
    message: 'one',
    attributes: { size: 5 },
  });
  assert.deepEqual([traffic.event(3).level, traffic.event(3).request], ['warn', -1]);
  assert.equal((JSON.parse(eventLine(traffic, 3, 0)) as Record<string, unknown>).correlationId, undefined);
  assert.equal(traffic.requestCount(4), 2);
  assert.equal(traffic.filterOf(traffic.watchOf({ watch: 'service' }, 1)), 'service:"cart"');
  const matching = [0, 1, 2, 3].filter((n) =>
    traffic.matches({ kind: 'filter', filter: 'attributes.size:5' }, n),
  );
  assert.deepEqual(matching, [0, 2]);
});

test('a line that Logloom would refuse is named', () => {
  assert.throws(() => recorded(['{"message":"right"}', '{"message":']), /lines\.ndjson: line 2 is no event/);
  assert.throws(() => recorded(['']), /has no lines/);
});
