import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatMicros } from '@logloom/schemas';
import { microsOfText, scanAnyTime } from './any-time.ts';
import { readMicros } from './time-format.ts';
import { timeZone } from './time-zone.ts';

const receivedAtMs = Date.parse('2025-12-01T12:00:00Z');
const utc = { receivedAtMs, zone: timeZone('UTC')! };
const berlin = { receivedAtMs, zone: timeZone('Europe/Berlin')! };

function read(text: string, context = utc): string {
  const micros = microsOfText(text, context);
  return Number.isNaN(micros) ? 'no time' : formatMicros(micros);
}

const second = '2025-03-14T09:26:53.000000Z';
const millis = '2025-03-14T09:26:53.589000Z';
const micros = '2025-03-14T09:26:53.589793Z';

test('one instant in many forms', () => {
  for (const [expected, ...texts] of [
    [
      second,
      '2025-03-14T09:26:53Z',
      '2025-03-14 09:26:53',
      '2025/03/14 09:26:53',
      '2025.03.14 09:26:53',
      '2025-03-14_09:26:53',
      '2025-03-14  9:26:53',
      '2025-03-14T10:26:53+01:00',
      '2025-03-14 10:26:53 +0100',
      '2025-03-14T10:26:53+01',
      '2025-03-14 10:26:53 CET',
      '2025-03-14 05:26:53 EDT',
      '2025-03-14 10:26:53 Europe/Berlin',
      '2025-03-14 09:26:53 AM',
      '14/Mar/2025:10:26:53 +0100',
      '[14/Mar/2025:09:26:53 +0000]',
      '14/Mar/2025 09:26:53',
      '14-Mar-2025 09:26:53',
      '14 Mar 2025 09:26:53',
      '14 March 2025 09:26:53',
      'Mar 14 09:26:53',
      'Mar 14 2025 09:26:53',
      'Mar 14 09:26:53 2025',
      'Mar 14, 2025 9:26:53 AM',
      'Mar 14, 2025, 9:26:53\u202fAM',
      'Fri Mar 14 09:26:53 2025',
      'Fri Mar 14 09:26:53 UTC 2025',
      'Fri, 14 Mar 2025 09:26:53 GMT',
      'Fri, 14 Mar 2025 10:26:53 +0100',
      'Friday, 14-Mar-25 09:26:53 GMT',
      'Fri Mar 14 2025 10:26:53 GMT+0100 (Central European Standard Time)',
      '03/14/2025 09:26:53',
      '3/14/2025 9:26:53 AM',
      '14/03/2025 09:26:53',
      '14.03.2025 09:26:53',
      '20250314T092653Z',
      '20250314 09:26:53',
      '20250314092653',
      '1741944413',
      '2025-03-14 10:26:53 +0100 CET m=+0.012345',
    ],
    [
      millis,
      '2025-03-14 09:26:53,589',
      '2025-03-14T09:26:53.589Z',
      '2025-03-14 09:26:53:589',
      '2025-03-14T10:26:53.589+0100',
      '2025-03-14T10:26:53.589+01:00[Europe/Paris]',
      '14 Mar 2025 09:26:53,589',
      '20250314-09:26:53:589',
      '20250314092653589',
      '03-14 09:26:53.589',
      '1741944413589',
      '1741944413.589',
    ],
    [
      micros,
      '2025-03-14T09:26:53.589793238Z',
      '2025-03-14T09:26:53.589793238123Z',
      '2025-03-14-09.26.53.589793',
      '14-MAR-25 09.26.53.589793 AM +00:00',
      'Mar 14 09:26:53.589793',
      '1741944413589793',
      '1741944413589793238',
    ],
  ])
    for (const text of texts) assert.equal(read(text), expected, text);
});

test('what is no time', () => {
  for (const text of [
    '',
    'soon',
    '12',
    '404 not found',
    '2025-02-31 09:26:53',
    '2025-02-29 09:26:53',
    '2025-03-14 24:00:00',
    '2025-03-14',
    '2025-03-14 09:26:53x',
    '14/Foo/2025 09:26:53',
    '15ms',
    '1.2.3.4',
    '13/13/2025 09:26:53',
  ])
    assert.equal(read(text), 'no time', text);
});

test('a time without a zone is in the zone that is given, summer and winter', () => {
  assert.equal(read('2025-01-14 10:26:53', berlin), '2025-01-14T09:26:53.000000Z');
  assert.equal(read('2025-07-14 10:26:53', berlin), '2025-07-14T08:26:53.000000Z');
  assert.equal(read('2025-07-14 10:26:53 UTC', berlin), '2025-07-14T10:26:53.000000Z');
  // The hour that is there twice, and the one that is not there at all.
  assert.equal(read('2025-10-26 03:00:00', berlin), '2025-10-26T02:00:00.000000Z');
  assert.equal(read('2025-03-30 03:00:00', berlin), '2025-03-30T01:00:00.000000Z');
  assert.equal(timeZone('Nowhere/Land'), undefined);
  assert.equal(timeZone('+05:30')!.toUtcMicros(19_800_000_000), 0);
});

test('a time without a year is of the latest year that does not put it more than a day ahead', () => {
  assert.equal(read('Dec  1 13:00:00'), '2025-12-01T13:00:00.000000Z');
  assert.equal(read('Dec 24 13:00:00'), '2024-12-24T13:00:00.000000Z');
  assert.equal(read('Feb 29 13:00:00'), '2024-02-29T13:00:00.000000Z');
  const inJanuary = { ...utc, receivedAtMs: Date.parse('2025-12-31T23:59:00Z') };
  assert.equal(read('Jan  1 00:01:00', inJanuary), '2026-01-01T00:01:00.000000Z');
});

test('a day and a month in slashes: the month first, unless that cannot be or another order is known', () => {
  assert.equal(read('03/04/2025 09:26:53'), '2025-03-04T09:26:53.000000Z');
  assert.equal(
    read('03/04/2025 09:26:53', { ...utc, isDayFirst: true } as typeof utc),
    '2025-04-03T09:26:53.000000Z',
  );
  assert.equal(read('13/04/2025 09:26:53'), '2025-04-13T09:26:53.000000Z');
});

test('a time in front of a text ends where the text goes on', () => {
  const text = '2025-03-14 09:26:53 - shop - EST is here';
  assert.equal(scanAnyTime(text, 0, text.length, utc), 19);
  assert.equal(formatMicros(readMicros()), second);
});
