import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileMongo, mongoFields, parseFilter } from '../index.ts';

const compiled = (text: string): unknown => {
  const result = parseFilter(text);
  assert.ok(result.ok, text);
  return compileMongo(result.filter);
};

test('the fields of an event hold its words, and each value of its attributes under its path', () => {
  assert.deepEqual(
    mongoFields({ message: 'Time-out!', attributes: '{"a":{"b":[5,"05","x",true,-0.0,null]}}' }),
    {
      words: ' time out ',
      values: [
        { k: 'a.b', s: '5', n: 5, t: 1 },
        { k: 'a.b', s: '05', n: 5 },
        { k: 'a.b', s: 'x' },
        { k: 'a.b', s: 'true' },
        { k: 'a.b', s: '0', n: 0, t: 1 },
      ],
    },
  );
});

test('nothing in a value is taken for a pattern or an operator', () => {
  assert.deepEqual(compiled('service:"$where"'), { service: '$where' });
  assert.deepEqual(compiled('service:a.b*'), { service: { $regex: '^a\\.b.*\\z', $options: 's' } });
  assert.deepEqual(compiled('\\$or:x'), { values: { $elemMatch: { k: '$or', s: 'x' } } });
});

test('what lies between stars is matched without going back over it', () => {
  assert.deepEqual(compiled('service:*a*b?c*d'), {
    service: { $regex: '^(?>.*?a)(?>.*?b.c).*d\\z', $options: 's' },
  });
  assert.deepEqual(compiled('"time out"'), { words: { $regex: ' time out ' } });
  assert.deepEqual(compiled('*im* o?t'), {
    $and: [{ words: { $regex: ' (?>[^ ]*?im)[^ ]* ' } }, { words: { $regex: ' o[^ ]t ' } }],
  });
});

test('the complement is exact', () => {
  assert.deepEqual(compiled('NOT *'), { _id: { $in: [] } });
  assert.deepEqual(compiled('NOT host:*'), { $nor: [{ host: { $exists: true } }] });
});
