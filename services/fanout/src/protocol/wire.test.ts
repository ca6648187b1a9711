import { isAllowedOrigin } from '@logloom/auth';
import { parseFilter } from '@logloom/filter';
import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatCursor, parseCursor } from './cursor.ts';
import { eventsStream } from '../stream/events-stream.ts';
import { rememberFilters } from '../stream/filter-cache.ts';
import { textFrame } from '../encoding/frame.ts';
import { Ring } from '../stream/ring.ts';
import type { LiveItem } from '../stream/stream-kind.ts';
import { parseFromText } from './subscribe-from.ts';
import { defaultLimits } from '../admission/viewer-limits.ts';

test('a cursor reads back as it was written and can stand in a URL', () => {
  const offsets = fc.array(fc.nat({ max: Number.MAX_SAFE_INTEGER }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme-ascii', minLength: 1 }), offsets, (epoch, given) => {
      const text = formatCursor('e', epoch, given);
      assert.equal(
        encodeURIComponent(decodeURIComponent(encodeURIComponent(text))),
        encodeURIComponent(text),
      );
      assert.deepEqual(parseCursor(text), { letter: 'e', epoch, offsets: given });
    }),
  );
});

test('what is no cursor is not read as one', () => {
  for (const text of [
    '',
    'v1.e.x.',
    'v1.e.x.0-',
    'v1.e.x.-1',
    'v1.e.x.00',
    'v2.e.x.0',
    'v1.e.x.0 ',
    'v1.e.%.0',
    'v1.e.x.zzzzzzzzzzz',
    'v1.e.x.0.0',
  ])
    assert.equal(parseCursor(text), undefined, text);
});

test('frames encode their length as RFC 6455 says', () => {
  for (const [length, header] of [
    [0, [0x81, 0]],
    [125, [0x81, 125]],
    [126, [0x81, 126, 0, 126]],
    [65_535, [0x81, 126, 255, 255]],
    [65_536, [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]],
  ] as const) {
    const frame = textFrame('x'.repeat(length));
    assert.deepEqual([...frame.subarray(0, header.length)], header);
    assert.equal(frame.length, header.length + length);
  }
  assert.equal(textFrame('äöü€').toString('utf8', 2), 'äöü€');
});

test('only pages of the same host, or both on loopback, may connect', () => {
  assert.ok(isAllowedOrigin(undefined, 'logs.example'));
  assert.ok(isAllowedOrigin('https://logs.example', 'logs.example'));
  assert.ok(isAllowedOrigin('http://LOGS.example:8080', 'logs.example:8080'));
  assert.ok(isAllowedOrigin('http://localhost:5173', '127.0.0.1:4380'));
  assert.ok(isAllowedOrigin('http://[::1]:1', 'localhost:4380'));
  for (const [origin, host] of [
    ['https://evil.example', 'logs.example'],
    ['http://logs.example:81', 'logs.example'],
    ['http://localhost.evil.example', 'localhost:4380'],
    ['http://localhost', 'logs.example'],
    ['null', 'localhost'],
    ['http://x', undefined],
  ] as const)
    assert.equal(isAllowedOrigin(origin, host), false, origin);
});

test('from, as it stands in a URL', () => {
  assert.deepEqual(parseFromText('now'), { ok: true, from: { type: 'now' } });
  assert.deepEqual(parseFromText('tail:100'), { ok: true, from: { type: 'tail', count: 100 } });
  assert.deepEqual(parseFromText('last:5m'), { ok: true, from: { type: 'last', ms: 300_000 } });
  assert.deepEqual(parseFromText('{"tail":5}'), { ok: true, from: { type: 'tail', count: 5 } });
  assert.deepEqual(parseFromText('v1.e.x.0'), { ok: true, from: { type: 'cursor', cursor: 'v1.e.x.0' } });
  for (const text of [
    'tail:',
    'tail:0',
    'tail:1.5',
    'tail:10001',
    'last:5',
    'last:0s',
    'last:9999999d',
    '{"tail":1,"last":"5m"}',
    '{',
  ])
    assert.equal(parseFromText(text).ok, false, text);
});

test('the ring finds the place of any offsets that it reaches', () => {
  const additions = fc.array(
    fc.record({
      partition: fc.nat({ max: 2 }),
      skip: fc.nat({ max: 3 }),
      bytes: fc.integer({ min: 1, max: 40 }),
    }),
    { maxLength: 3000 },
  );
  fc.assert(
    fc.property(
      additions,
      fc.integer({ min: 1, max: 200 }),
      fc.array(fc.nat({ max: 3000 }), { minLength: 3, maxLength: 3 }),
      (added, size, from) => {
        const next = [0, 0, 0];
        const ring = new Ring(next, size, 2000);
        const all: LiveItem[] = [];
        for (const { partition, skip, bytes } of added) {
          const offset = next[partition]! + skip;
          next[partition] = offset + 1;
          const item = { partition, offset, bytes } as LiveItem;
          all.push(item);
          ring.add(item);
        }
        assert.ok(ring.end - ring.first <= size);
        const offsets = from.map((offset, p) => Math.max(offset, ring.reach(p)));
        assert.ok(ring.reaches(offsets));
        const found: LiveItem[] = [];
        for (let place = ring.placeOf(offsets); place < ring.end; place++) found.push(ring.at(place));
        const isWanted = ({ partition, offset }: LiveItem): boolean => offset >= offsets[partition]!;
        assert.deepEqual(found.filter(isWanted), all.filter(isWanted));
      },
    ),
  );
});

test('a filter is read once while it is among the last thousand, and a bad one each time', () => {
  const asked: string[] = [];
  const { filter: limits } = defaultLimits;
  const remembering = rememberFilters((text, ...rest) => {
    asked.push(text);
    return eventsStream.compile(text, ...rest);
  });
  const compile = (text: string) => remembering(text, limits);
  assert.equal(compile('service:a'), compile('service:a'));
  for (let n = 0; n < 999; n++) compile(`host:h${n}`);
  compile('service:a');
  assert.equal(asked.length, 1000);
  compile('host:new');
  compile('service:a');
  compile('host:h0');
  assert.deepEqual(asked.slice(1000), ['host:new', 'host:h0']);
  for (let n = 0; n < 2; n++) assert.equal(compile('level:(').ok, false);
  assert.equal(asked.length, 1004);
});

test('a filter that is remembered is remembered for its tenant', () => {
  const { filter: limits } = defaultLimits;
  const compiled = ['service:a', 'service:b', undefined].map((text) => {
    if (text === undefined) return eventsStream.compile('level:error', limits);
    const parsed = parseFilter(text);
    assert.ok(parsed.ok);
    return eventsStream.compile('level:error', limits, parsed.filter);
  });
  const canonical = compiled.map((each) => each.ok && each.filter.canonical);
  assert.deepEqual(canonical, ['level:error AND service:"a"', 'level:error AND service:"b"', 'level:error']);
});
