import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventJoiner } from '../lines/event-joiner.ts';
import { readText } from '../read-text.ts';
import { timeZone } from '../time/time-zone.ts';
import { parseFormats } from './parse-formats.ts';
import type { UserFormats } from './user-formats.ts';

const context = { receivedAtMs: Date.parse('2025-12-01T12:00:00Z'), zone: timeZone('UTC')! };

function formatsOf(text: string): UserFormats {
  const result = parseFormats(text);
  assert.ok(result.ok, JSON.stringify(result));
  return result.formats;
}

const payments = `
formats:
  - name: payments
    detect: PAY
    pattern:
      - '%{TIME} PAY (%{LEVEL:level}|!) <%{WORD:requestId}> %{DATA:user.name} = %{INT:cents}( %{QUOTED:note})?; %{GREEDYDATA:message}'
      - '%{TIME} PAY %{NOTSPACE:level} %{GREEDYDATA:message}'
    time: '%d.%m.%Y %H:%M:%S'
    timezone: Europe/Berlin
    service: payments
    levels: { X: error }
    attributes: { team: money }
    multiline: begins
    continues: '>> '
    examples:
      - '14.03.2025 10:26:53 PAY ERROR <r1> ann = 5 "a \\"b\\""; refused'
`;

test('a format reads its lines, with its own time, zone, levels and attributes', () => {
  const { table } = formatsOf(payments);
  const read = (text: string): object => readText(text, { ...context, formats: table });
  assert.deepEqual(read('14.03.2025 10:26:53,5 PAY ERROR <r1> ann = 5 "a \\"b\\""; refused\nmore'), {
    timestamp: '2025-03-14T09:26:53.500000Z',
    level: 'ERROR',
    requestId: 'r1',
    user: { name: 'ann' },
    cents: 5,
    note: 'a "b"',
    message: 'refused\nmore',
    team: 'money',
    service: 'payments',
  });
  assert.partialDeepStrictEqual(read('14.07.2025 10:26:53 PAY X gone'), {
    timestamp: '2025-07-14T08:26:53.000000Z',
    level: 'error',
    message: 'gone',
  });
  // What only looks like it is read as ever.
  assert.deepEqual(read('[ERROR] no PAY here'), { level: 'ERROR', message: '[ERROR] no PAY here' });
});

test('lines up to the next that fits are one event', () => {
  const joiner = new EventJoiner({ rule: formatsOf(payments).joinRule });
  const lines = ['14.03.2025 10:26:53 PAY X a', 'select', 'from', '14.03.2025 10:26:54 PAY X b', '>> c'];
  const events = [...lines.map((line, i) => joiner.push(line, i)), joiner.flush()];
  assert.deepEqual(
    events.flatMap((event) => (event === undefined ? [] : [event.text])),
    ['14.03.2025 10:26:53 PAY X a\nselect\nfrom', '14.03.2025 10:26:54 PAY X b\n>> c'],
  );
});

test('every problem is named, with its place', () => {
  const result = parseFormats(`formats:
  - name: a
    pattern: '%{TIME} %{NOPE:x}'
  - name: a
    pattern: '(x'
  - name: c
    pattern: '%{DATA:x}%{INT:y}'
  - name: d
    pattern: '%{TIME}'
    time: '%Q'
  - name: e
    pattern: x
    timezone: Mars
  - name: f
    pattern: '%{INT:a} %{GREEDYDATA:b} c'
  - name: g
    pattern: '(a)*'
  - name: h
    pattern: '%{INT:a}'
    examples: [x]
`);
  assert.ok(!result.ok);
  assert.deepEqual(
    result.problems.map(({ line, column, message }) => `${line}:${column}: ${message.slice(0, 60)}`),
    [
      '3:23: a: the type NOPE is not known: there are TIME, DATA, GREEDYD',
      '4:11: another format has the name a',
      '5:15: a: the group has no end: write \\( for the character',
      '7:15: c: text or a blank must stand behind DATA, which ends there',
      '10:12: d: %Q is not known in a time format: known are %Y %y %m %d %',
      '13:15: e: Mars is no time zone: write Europe/Berlin, +02:00, CET or',
      '15:24: f: GREEDYDATA is the rest of the line, so it is the last: wr',
      '17:18: g: groups cannot be repeated: that could be slow',
      '20:15: h: an example does not fit: x',
    ],
  );
  for (const text of [
    '',
    'formats: []',
    'formats: x',
    'a: 1',
    'formats: [{name: a}]',
    '[',
    'formats:\n  - name: A B\n    pattern: x',
  ])
    assert.ok(!parseFormats(text).ok, text);
});
