import type { Silence } from '@logloom/schemas';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isTimeZone, minutesOf, nextChangeMs, silenceState } from './silence-schedule.ts';

const at = (text: string): number => Date.parse(text);

function silence(rest: Partial<Silence>): Silence {
  return {
    id: 's',
    matchers: ['alertname=x'],
    startsAt: at('2026-03-01T00:00:00Z'),
    endsAt: null,
    reason: 'r',
    author: 'a',
    createdAt: 0,
    endedBy: null,
    windows: [],
    timeZone: 'UTC',
    ...rest,
  };
}

test('a silence is active from its start to its end, which does not belong to it', () => {
  const one = silence({ endsAt: at('2026-03-01T02:00:00Z') });
  const states = [
    '2026-02-28T23:59:59.999Z',
    '2026-03-01T00:00:00Z',
    '2026-03-01T01:59:59.999Z',
    '2026-03-01T02:00:00Z',
  ];
  assert.deepEqual(
    states.map((time) => silenceState(one, at(time))),
    ['pending', 'active', 'active', 'expired'],
  );
  assert.equal(nextChangeMs(one, at('2026-02-01T00:00:00Z')), one.startsAt);
  assert.equal(nextChangeMs(one, one.startsAt), one.endsAt);
  assert.equal(nextChangeMs(one, one.endsAt!), Infinity);
});

test('a window past midnight belongs to the day on which it begins', () => {
  const one = silence({ windows: [{ days: ['fri'], from: '22:00', to: '06:00' }] });
  // 6 March 2026 is a Friday.
  for (const [time, state] of [
    ['2026-03-06T05:00:00Z', 'pending'],
    ['2026-03-06T21:59:00Z', 'pending'],
    ['2026-03-06T22:00:00Z', 'active'],
    ['2026-03-07T05:59:59Z', 'active'],
    ['2026-03-07T06:00:00Z', 'pending'],
    ['2026-03-07T22:30:00Z', 'pending'],
  ] as const)
    assert.equal(silenceState(one, at(time)), state, time);
});

test('windows follow the wall clock of their time zone, in summer and in winter', () => {
  const one = silence({
    timeZone: 'Europe/Berlin',
    windows: [{ days: ['sun', 'mon'], from: '09:00', to: '10:00' }],
  });
  for (const [time, state] of [
    ['2026-03-22T08:30:00Z', 'active'],
    ['2026-03-22T07:30:00Z', 'pending'],
    // Summer time begins on 29 March 2026.
    ['2026-03-29T07:30:00Z', 'active'],
    ['2026-03-29T08:30:00Z', 'pending'],
    ['2026-03-31T07:30:00Z', 'pending'],
  ] as const)
    assert.equal(silenceState(one, at(time)), state, time);
});

test('from and to alike are a whole day', () => {
  const one = silence({ windows: [{ days: ['sat'], from: '00:00', to: '00:00' }] });
  assert.equal(silenceState(one, at('2026-03-07T12:00:00Z')), 'active');
  assert.equal(silenceState(one, at('2026-03-08T00:00:00Z')), 'pending');
});

test('times and time zones that do not exist are recognized', () => {
  assert.deepEqual(['24:00', '7:00', '07:60', '23:59'].map(minutesOf), [
    undefined,
    undefined,
    undefined,
    1439,
  ]);
  assert.deepEqual(['Europe/Berlin', 'UTC', 'Mars/Olympus', ''].map(isTimeZone), [true, true, false, false]);
});
