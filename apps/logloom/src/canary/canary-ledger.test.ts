import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CanaryLedger, type CanaryFindings } from './canary-ledger.ts';

const lostAfterMs = { searchable: 1000, correlated: 2000, sent: 1000 };

/** A ledger with one accepted batch of two events that was sent at 0, and what it finds out, as text. */
function newLedger({ isOrdered = true } = {}) {
  const found: string[] = [];
  const note =
    (what: string) =>
    (receiver: string, path: string, value: number): void =>
      void found.push(`${what} ${receiver} ${path} ${value}`);
  const findings: CanaryFindings = {
    arrived: (receiver, path, events, ageMs) =>
      void found.push(`arrived ${receiver} ${path} ${events} ${ageMs}`),
    complete: note('complete'),
    lost: note('lost'),
    late: note('late'),
    duplicated: note('duplicated'),
    disordered: note('disordered'),
  };
  const ledger = new CanaryLedger({ findings, lostAfterMs });
  const batch = { receiver: 'json', round: 1, events: 2, sentAtMs: 0, isOrdered };
  ledger.sending(batch);
  const event = (index: number) => ({ receiver: 'json', round: 1, index });
  const at = (offset: number, partition = 0) => ({ partition, offset });
  return { ledger, batch, found, event, at };
}

test('events that arrive are counted with their ages, also before the receiver has answered', () => {
  const { ledger, batch, found, event, at } = newLedger();
  ledger.arrived('sent', event(0), at(5), 10);
  ledger.accepted(batch);
  ledger.arrived('sent', event(1), at(6), 30);
  ledger.correlated(batch, 2, 500);
  assert.equal(ledger.oldestMissing('searchable'), 0);
  ledger.arrived('searchable', event(0), at(5), 100);
  ledger.arrived('searchable', event(1), at(6), 100);
  assert.equal(ledger.oldestMissing('searchable'), undefined);
  ledger.expire(10_000);
  assert.deepEqual(found, [
    'arrived json sent 1 10',
    'arrived json sent 1 30',
    'complete json sent 30',
    'arrived json correlated 2 500',
    'complete json correlated 500',
    'arrived json searchable 1 100',
    'arrived json searchable 1 100',
    'complete json searchable 100',
  ]);
});

test('what has not arrived in time is lost on that path alone, once, and late if it comes after all', () => {
  const { ledger, batch, found, event, at } = newLedger();
  ledger.accepted(batch);
  ledger.arrived('sent', event(0), at(5), 10);
  ledger.arrived('sent', event(1), at(6), 10);
  ledger.arrived('searchable', event(0), at(5), 10);
  ledger.expire(999);
  found.length = 0;
  ledger.expire(1000);
  ledger.expire(1500);
  assert.deepEqual(found, ['lost json searchable 1']);
  // It may still come.
  assert.equal(ledger.oldestMissing('searchable'), 0);
  ledger.expire(2000);
  ledger.arrived('searchable', event(1), at(6), 2500);
  ledger.correlated(batch, 1, 2600);
  ledger.correlated(batch, 2, 2700);
  assert.deepEqual(found.slice(1), [
    'lost json correlated 2',
    'late json searchable 1',
    'complete json searchable 2500',
    'late json correlated 1',
    'late json correlated 1',
    'complete json correlated 2700',
  ]);
});

test('what a receiver has refused is not expected', () => {
  const { ledger, batch, found, event, at } = newLedger();
  ledger.refused(batch);
  assert.equal(ledger.oldestMissing('sent'), undefined);
  ledger.arrived('sent', event(0), at(5), 10);
  ledger.expire(5000);
  assert.deepEqual(found, ['arrived json sent 1 10']);
});

test('a search finds the same event again, a viewer gets it twice, and another place is a duplicate on both', () => {
  const { ledger, found, event, at } = newLedger();
  for (let i = 0; i < 3; i++) ledger.arrived('searchable', event(0), at(5), 10);
  assert.deepEqual(found, ['arrived json searchable 1 10']);
  ledger.arrived('searchable', event(0), at(9), 10);
  ledger.arrived('searchable', event(0), at(9), 10);
  ledger.arrived('sent', event(0), at(5), 10);
  ledger.arrived('sent', event(0), at(5), 20);
  assert.deepEqual(found.slice(1), [
    'duplicated json searchable 1',
    'arrived json sent 1 10',
    'duplicated json sent 1',
  ]);
});

test('members beyond the events of a batch are duplicates, each counted once', () => {
  const { ledger, batch, found } = newLedger();
  ledger.correlated(batch, 3, 10);
  ledger.correlated(batch, 3, 20);
  ledger.correlated(batch, 4, 30);
  assert.deepEqual(found, [
    'arrived json correlated 2 10',
    'complete json correlated 10',
    'duplicated json correlated 1',
    'duplicated json correlated 1',
  ]);
});

test('an event before an earlier one is out of order, unless the protocol promises none', () => {
  const { ledger, found, event, at } = newLedger();
  ledger.arrived('sent', event(1), at(5), 10);
  ledger.arrived('sent', event(0), at(6), 10);
  // The log has the second event first.
  ledger.arrived('searchable', event(0), at(6), 10);
  ledger.arrived('searchable', event(1), at(5), 10);
  assert.deepEqual(
    found.filter((text) => text.startsWith('disordered')),
    ['disordered json sent 1', 'disordered json searchable 1'],
  );
  const datagrams = newLedger({ isOrdered: false });
  datagrams.ledger.arrived('sent', event(1), at(5), 10);
  datagrams.ledger.arrived('sent', event(0), at(6), 10);
  assert.ok(!datagrams.found.some((text) => text.startsWith('disordered')));
});

test('a process that stood still has lost nothing', () => {
  const { ledger, batch, found, event, at } = newLedger();
  ledger.accepted(batch);
  ledger.stoodStill(60_000);
  ledger.expire(60_100);
  assert.deepEqual(found, []);
  ledger.arrived('sent', event(0), at(5), 60_200);
  assert.deepEqual(found, ['arrived json sent 1 200']);
});

test('events of another run, and batches that are long over, are nobody’s', () => {
  const { ledger, batch, found, event, at } = newLedger();
  ledger.accepted(batch);
  ledger.arrived('sent', { receiver: 'json', round: 2, index: 0 }, at(1), 10);
  ledger.expire(2000);
  found.length = 0;
  ledger.expire(400_000);
  ledger.arrived('sent', event(0), at(5), 400_000);
  assert.deepEqual(found, []);
});
