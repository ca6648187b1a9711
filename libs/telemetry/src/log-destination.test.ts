import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { logDestination } from './log-destination.ts';

function logged(write: (logger: ReturnType<typeof pino>) => void, secrets: readonly string[]): string {
  let text = '';
  write(pino({}, logDestination({ write: (line) => (text += line) }, secrets)));
  return text;
}

test('a secret of the settings is in no line, wherever an error quotes it', () => {
  const error = Object.assign(new Error('cannot connect to https://elastic:p"w1@search:9200'), {
    meta: { connection: { url: 'https://elastic:p"w1@search:9200', headers: { authorization: 'p"w' } } },
  });
  const text = logged((logger) => logger.error({ err: error }, 'p"w1 is wrong'), ['p"w', 'p"w1']);
  const { msg, err } = JSON.parse(text) as { msg: string; err: { message: string } };
  assert.equal(msg, '*** is wrong');
  assert.equal(err.message, 'cannot connect to https://elastic:***@search:9200');
  assert.doesNotMatch(text, /p\\?"w/);
});

test('what a log line quotes cannot steer a terminal', () => {
  const text = logged((logger) => logger.warn({ name: 'a\u009b2J\u202e' }, 'bad \u001b[2J'), []);
  assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  assert.equal((JSON.parse(text) as { name: string }).name, 'a\u009b2J\u202e');
});
