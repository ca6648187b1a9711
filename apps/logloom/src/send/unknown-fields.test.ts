import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UnknownFields } from './unknown-fields.ts';

test('what is unknown for more than a tenth of the lines is said, with an example and what helps', () => {
  const unknown = new UnknownFields();
  for (let i = 0; i < 90; i++)
    unknown.count(
      { timestamp: '2025-03-14T09:26:53Z', level: 'ERROR', message: 'm', service: 'shop' },
      'a.log',
    );
  for (let i = 0; i < 5; i++) unknown.count({ message: 'without' }, 'a.log');
  assert.deepEqual(unknown.warnings(), []);
  for (let i = 0; i < 10; i++)
    unknown.count('{"@timestamp":"2025-03-14T09:26:53Z","log":{"level":"info"},"msg":"x"}', 'b.ndjson');
  const [line, ...others] = unknown.warnings();
  assert.equal(others.length, 0);
  assert.match(line!, /^the service of 14 % of the lines is not known.* a\.log: without\n.*--service/s);
});

test('levels, times and services are found under all names, nested, dotted, and within a container line', () => {
  const unknown = new UnknownFields();
  for (const text of [
    '{"time":1,"severity":"x","service.name":"a"}',
    '{"@t":"1","@l":"Error","Service":{"Name":"a"}}',
    '{"log":"{\\"ts\\":1,\\"lvl\\":\\"x\\",\\"app\\":\\"a\\"}","stream":"stdout"}',
  ])
    unknown.count(text, 'a');
  assert.deepEqual(unknown.counts, { time: 0, level: 0, service: 0 });
});
