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
  assert.ok(events.every(({ message }) => message.length >= defaultTraffic.messageBytes));
});
