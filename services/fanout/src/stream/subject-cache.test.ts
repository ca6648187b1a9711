import { FilterSubject } from '@logloom/filter';
import { logEvent, placedEvent } from '@logloom/testing';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventsStream } from './events-stream.ts';
import { SubjectCache, type SubjectOwner } from './subject-cache.ts';

class Owner implements SubjectOwner {
  isKept: boolean;
  constructor(cache: SubjectCache, offset: number, attributes = '{}') {
    this.isKept = cache.keep(this, new FilterSubject(placedEvent(offset, { attributes, message: '' })));
  }

  forgetSubject(): void {
    this.isKept = false;
  }
}

test('the newest keep their subjects, as many as there is room for', () => {
  // 300 bytes each, and 16 for the attributes.
  const cache = new SubjectCache(316 * 1_000);
  const owners = Array.from({ length: 5_000 }, (_, offset) => new Owner(cache, offset));
  assert.deepEqual(
    owners.map(({ isKept }) => isKept),
    owners.map((_, i) => i >= 4_000),
  );
});

test('a large event displaces no other', () => {
  const cache = new SubjectCache(316 * 1_000);
  const owners = Array.from({ length: 1_000 }, (_, offset) => new Owner(cache, offset));
  assert.equal(new Owner(cache, 1_000, JSON.stringify({ a: 'x'.repeat(10_000) })).isKept, false);
  assert.ok(owners.every(({ isKept }) => isKept));
});

test('an event is read once for all filters that test it, and after it was forgotten once more', () => {
  const value = logEvent(0, { attributes: '{"share":"s1"}' });
  const item = eventsStream.item({ name: 'LogEvent', value }, 'epoch', 0, 0, 0, 200)!;
  const subject = item.subject();
  assert.equal(item.subject(), subject);
  assert.deepEqual(subject.attributes.get('share'), ['s1']);
  (item as unknown as SubjectOwner).forgetSubject();
  assert.notEqual(item.subject(), subject);
});
