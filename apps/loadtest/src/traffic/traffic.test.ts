import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { defaultTraffic } from '../scenario/scenario.ts';
import { Traffic } from './traffic.ts';

const profiles = fc.record({
  services: fc.integer({ min: 1, max: 50 }),
  errorShare: fc.double({ min: 0, max: 1, noNaN: true }),
  eventsPerRequest: fc.integer({ min: 1, max: 20 }),
  concurrentRequests: fc.integer({ min: 1, max: 30 }),
  messageBytes: fc.integer({ min: 0, max: 500 }),
});

test('every event belongs to one request, at its position, and the requests are counted', () => {
  fc.assert(
    fc.property(profiles, fc.integer({ min: 0, max: 2_000 }), (profile, total) => {
      const traffic = new Traffic('00c0ffee0123', profile);
      const requests = new Map<number, number[]>();
      for (let n = 0; n < total; n++) {
        const { request, index } = traffic.placeOf(n);
        const members = requests.get(request) ?? [];
        assert.equal(index, members.length);
        requests.set(request, [...members, n]);
      }
      assert.equal(traffic.requestCount(total), requests.size);
      for (const [request, members] of requests) assert.deepEqual(traffic.membersOf(request, total), members);
    }),
  );
});

test('a share of the events is errors, and services take turns by chance, the same in every process', () => {
  const traffic = new Traffic('00c0ffee0123', { ...defaultTraffic, errorShare: 0.1, services: 4 });
  const again = new Traffic('00c0ffee0123', { ...defaultTraffic, errorShare: 0.1, services: 4 });
  const events = Array.from({ length: 10_000 }, (_, n) => traffic.event(n));
  assert.deepEqual(
    events,
    Array.from({ length: 10_000 }, (_, n) => again.event(n)),
  );
  const errors = events.filter(({ level }) => level === 'error').length;
  assert.ok(errors > 900 && errors < 1_100, String(errors));
  for (let service = 0; service < 4; service++) {
    const of = events.filter((event) => event.service === `loadtest-${service}`);
    assert.ok(of.length > 2_300 && of.length < 2_700, String(of.length));
    assert.ok(of.every(({ n }) => traffic.matches({ kind: 'service', service }, n)));
  }
  assert.ok(events.every(({ message }) => message.length >= 120));
});

test('sizes come by their weights, and services by Zipf’s law', () => {
  const traffic = new Traffic('00c0ffee0123', {
    ...defaultTraffic,
    services: 20,
    serviceSkew: 1,
    messageBytes: [
      { weight: 9, bytes: 100 },
      { weight: 1, bytes: 5_000 },
    ],
  });
  const events = Array.from({ length: 20_000 }, (_, n) => traffic.event(n));
  const large = events.filter(({ message }) => message.length === 5_000).length;
  assert.ok(large > 1_800 && large < 2_200, String(large));
  assert.ok(events.every(({ message }) => message.length === 5_000 || message.length === 100));
  const of = (service: number): number =>
    events.filter((event) => event.service === `loadtest-${service}`).length;
  // The harmonic number of 20 is 3.598.
  for (const [service, share] of [
    [0, 1 / 3.598],
    [1, 1 / 2 / 3.598],
    [19, 1 / 20 / 3.598],
  ] as const)
    assert.ok(Math.abs(of(service) / 20_000 - share) < 0.01, `${service}: ${of(service)}`);
});

test('a filter matches what Logloom’s own matcher says', () => {
  const traffic = new Traffic('00c0ffee0123', { ...defaultTraffic, errorShare: 0.3 });
  const matching = (filter: string): number[] =>
    Array.from({ length: 500 }, (_, n) => n).filter((n) => traffic.matches({ kind: 'filter', filter }, n));
  assert.deepEqual(matching('attributes.loadtest.n:[10 TO 12]'), [10, 11, 12]);
  assert.deepEqual(matching('"event 77 of"'), [77]);
  assert.deepEqual(matching('correlationId:loadtest-00c0ffee0123-3'), traffic.membersOf(3, 500));
  const errors = matching('level:error AND NOT service:loadtest-1');
  assert.ok(errors.length > 50);
  assert.ok(errors.every((n) => traffic.isError(n) && traffic.serviceOf(n) !== 1));
});
