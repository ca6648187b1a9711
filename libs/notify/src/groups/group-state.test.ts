import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alertState, resolvedState } from '../testing/alert.ts';
import { composeNotification } from './compose-notification.ts';
import {
  mostFailures,
  newGroup,
  nextStep,
  type GroupState,
  type Member,
  type SentState,
} from './group-state.ts';

const timings = { waitMs: 30_000, intervalMs: 300_000, repeatMs: 14_400_000 };
const telling = { resolved: true, acknowledgements: false };
const key = { id: 'g', receiver: 'chat', labels: { alertname: 'errors-by-service' }, timings };

function told(alert: Member['alert']): Member {
  const sent: SentState = {
    revision: alert.revision,
    state: 'firing',
    startsAt: alert.startsAt,
    isAcked: alert.ackedBy !== null,
  };
  return { alert, sent };
}

const fresh = (n: number): Member => ({ alert: alertState(n), sent: undefined });

test('the first message waits for groupWait, news after it for groupInterval, what stays for repeatInterval', () => {
  const group = newGroup(key, 1_000);
  assert.deepEqual(nextStep(group, [fresh(1)], telling, 1_000), { kind: 'wait', untilMs: 31_000 });
  assert.deepEqual(nextStep(group, [fresh(1)], telling, 31_000), { kind: 'send' });
  const after: GroupState = { ...group, number: 1, flushedAtMs: 31_000, sentAtMs: 32_000, hasChanged: false };
  const known = told(alertState(1));
  assert.deepEqual(nextStep(after, [known], telling, 32_000), { kind: 'wait', untilMs: 14_432_000 });
  assert.deepEqual(nextStep(after, [known, fresh(2)], telling, 32_000), { kind: 'wait', untilMs: 331_000 });
  assert.deepEqual(nextStep(after, [known, fresh(2)], telling, 331_000), { kind: 'send' });
  const resolved: Member = { alert: resolvedState(known.alert), sent: known.sent };
  assert.deepEqual(nextStep(after, [resolved], telling, 331_000), { kind: 'send' });
  assert.deepEqual(nextStep(after, [known], telling, 14_432_000), { kind: 'send' });
});

test('a group ends when nothing fires and all of it was said', () => {
  const group = { ...newGroup(key, 0), number: 1, flushedAtMs: 0, sentAtMs: 0 };
  const resolved: Member = { alert: resolvedState(alertState(1)), sent: told(alertState(1)).sent };
  assert.deepEqual(nextStep(group, [], telling, 0), { kind: 'end' });
  assert.deepEqual(nextStep(group, [resolved], { ...telling, resolved: false }, 0), { kind: 'end' });
  assert.notDeepEqual(nextStep(group, [resolved], telling, 0), { kind: 'end' });
});

test('what is silenced or acknowledged is not repeated, and its end is said', () => {
  const group = { ...newGroup(key, 0), number: 1, flushedAtMs: 0, sentAtMs: 0 };
  const late = 10 * timings.repeatMs;
  const silenced = told(alertState(1, { silencedBy: ['s'] }));
  assert.deepEqual(nextStep(group, [silenced], telling, late), { kind: 'idle' });
  const acked = told(alertState(1, { ackedBy: 'ada' }));
  assert.deepEqual(nextStep(group, [acked], telling, late), { kind: 'idle' });
  assert.deepEqual(nextStep(group, [acked, told(alertState(2))], telling, late), { kind: 'send' });
  const ended = { ...silenced, alert: resolvedState(silenced.alert) };
  assert.deepEqual(nextStep(group, [ended], telling, late), { kind: 'send' });
  const never: Member = { alert: alertState(3, { silencedBy: ['s'] }), sent: undefined };
  assert.deepEqual(nextStep(newGroup(key, 0), [never], telling, late), { kind: 'idle' });
});

test('an acknowledgement is news only to receivers that know them', () => {
  const group = { ...newGroup(key, 0), number: 1, flushedAtMs: 0, sentAtMs: 0 };
  const acked: Member = { alert: alertState(1, { ackedBy: 'ada' }), sent: told(alertState(1)).sent };
  assert.deepEqual(nextStep(group, [acked], telling, timings.intervalMs), { kind: 'idle' });
  const knowing = { ...telling, acknowledgements: true };
  assert.deepEqual(nextStep(group, [acked], knowing, timings.intervalMs), { kind: 'send' });
  const { notification } = composeNotification(group, [acked], knowing, false)!;
  assert.deepEqual([notification.isAcknowledgement, notification.ackedBy], [true, 'ada']);
});

test('a message that failed for good is tried again with the next news, else at the time of a repeat, and given up when all is over', () => {
  const group = { ...newGroup(key, 0), number: 1, flushedAtMs: 0, failures: 1, hasChanged: false };
  assert.deepEqual(nextStep(group, [fresh(1)], telling, 0), { kind: 'wait', untilMs: timings.repeatMs });
  const changed = { ...group, hasChanged: true };
  assert.deepEqual(nextStep(changed, [fresh(1)], telling, 0), { kind: 'wait', untilMs: timings.intervalMs });
  const over: Member = { alert: resolvedState(alertState(1)), sent: told(alertState(1)).sent };
  const failed = { ...group, failures: mostFailures };
  assert.deepEqual(nextStep(failed, [over], telling, 0), { kind: 'end' });
  assert.notDeepEqual(nextStep(failed, [fresh(1)], telling, 0), { kind: 'end' });
});

test('the id of a message follows from its content and number', () => {
  const group = { ...newGroup(key, 0), number: 3 };
  const compose = (members: Member[], of = group): string =>
    composeNotification(of, members, telling, false)!.notification.id;
  const one = compose([fresh(1), fresh(2)]);
  assert.equal(compose([fresh(2), fresh(1)]), one, 'the order does not matter');
  assert.notEqual(compose([fresh(1)]), one);
  assert.notEqual(compose([fresh(1), fresh(2)], { ...group, number: 4 }), one);
  assert.equal(composeNotification(group, [], telling, false), undefined);
});

test('a message names a hundred alerts and counts all, unless the receiver takes them one by one', () => {
  const members = Array.from({ length: 130 }, (_, n) => fresh(n));
  const group = { ...newGroup(key, 0), number: 1 };
  const cut = composeNotification(group, members, telling, false)!;
  assert.deepEqual(
    [cut.notification.alerts.length, cut.notification.firingCount, cut.sent.length],
    [100, 130, 130],
  );
  assert.equal(composeNotification(group, members, telling, true)!.notification.alerts.length, 130);
});

/** Plays a group: alerts fire and are resolved, messages arrive or fail, and time passes. */
test('whatever happens, in the end the receiver knows exactly what fires', () => {
  const change = fc.record({
    n: fc.integer({ min: 0, max: 4 }),
    fires: fc.boolean(),
    passMs: fc.integer({ min: 0, max: 2 * timings.intervalMs }),
  });
  fc.assert(
    fc.property(
      fc.array(change, { maxLength: 60 }),
      fc.array(fc.constantFrom('told', 'answer lost', 'refused'), { maxLength: 60 }),
      (changes, ends) => {
        const alerts = new Map<string, Member['alert']>();
        const sent = new Map<string, SentState>();
        /** What the receiver has been told. */
        const heard = new Map<string, string>();
        let group: GroupState | undefined;
        /** Whether dead letters are all that is left of a message. */
        let isGivenUp = false;
        let nowMs = 0;
        let messages = 0;
        let lastFlushMs = -Infinity;
        const members = (): Member[] =>
          [...alerts.values()].map((alert) => ({ alert, sent: sent.get(alert.fingerprint) }));
        const look = (mayFail: boolean): void => {
          if (group === undefined) return;
          const step = nextStep(group, members(), telling, nowMs);
          if (step.kind === 'end') {
            isGivenUp ||= group.failures >= mostFailures;
            group = undefined;
            alerts.clear();
            sent.clear();
            return;
          }
          if (step.kind !== 'send') return;
          assert.ok(nowMs - lastFlushMs >= timings.intervalMs, 'messages keep their distance');
          lastFlushMs = nowMs;
          group = { ...group, number: group.number + 1, flushedAtMs: nowMs, hasChanged: false };
          const composed = composeNotification(group, members(), telling, false);
          assert.ok(composed !== undefined, 'what is sent says something');
          const end = (mayFail && ends[messages++ % Math.max(1, ends.length)]) || 'told';
          if (end !== 'refused') {
            for (const { fingerprint, during } of composed.attempted) sent.set(fingerprint, during);
            for (const { fingerprint, state } of composed.notification.alerts) heard.set(fingerprint, state);
          }
          if (end !== 'told') {
            group = { ...group, failures: group.failures + 1 };
            return;
          }
          for (const [fingerprint, state] of composed.sent) sent.set(fingerprint, state);
          group = { ...group, sentAtMs: nowMs, failures: 0 };
        };
        for (const { n, fires, passMs } of changes) {
          nowMs += passMs;
          look(true);
          const before = [...alerts.values()].find(
            ({ fingerprint }) => fingerprint === alertState(n).fingerprint,
          );
          if (fires === (before?.state === 'firing')) continue;
          if (!fires && before === undefined) continue;
          const revision = (before?.revision ?? 0) + 1;
          const alert = fires
            ? alertState(n, { revision, startsAt: nowMs })
            : { ...resolvedState(before!), revision };
          if (group === undefined) {
            group = newGroup(key, nowMs);
            lastFlushMs = -Infinity;
          }
          alerts.set(alert.fingerprint, alert);
          group = { ...group, hasChanged: true };
          look(true);
        }
        const firing = [...alerts.values()]
          .filter(({ state }) => state === 'firing')
          .map((a) => a.fingerprint);
        for (let i = 0; i < 10; i++) {
          nowMs += timings.repeatMs;
          look(false);
        }
        const believed = [...heard]
          .filter(([, state]) => state === 'firing')
          .map(([fingerprint]) => fingerprint);
        if (isGivenUp) return;
        assert.deepEqual(believed.sort(), firing.sort());
      },
    ),
    { numRuns: 500 },
  );
});
