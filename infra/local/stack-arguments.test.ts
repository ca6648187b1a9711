import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseStackArguments } from './stack-arguments.ts';

test('no arguments: all engines, in the foreground, on any port', () => {
  const { command, keep, options } = parseStackArguments([]);
  assert.deepEqual(
    [command, keep, options.only, options.brokers, options.ports],
    ['run', false, undefined, undefined, {}],
  );
});

test('engines, brokers and ports are taken from the options', () => {
  const args = 'start --only kafka,schema-registry --brokers 3 --kafka-port 9092 --schema-registry-port 8081';
  const { command, options } = parseStackArguments(args.split(' '));
  assert.equal(command, 'start');
  assert.deepEqual(options.only, ['kafka', 'schema-registry']);
  assert.equal(options.brokers, 3);
  assert.deepEqual(options.ports, { kafka: 9092, 'schema-registry': 8081 });
});

test('all problems are told at once', () => {
  const args = [
    'begin',
    '--without',
    'postgres',
    '--brokers',
    '0',
    '--redis-port',
    '70000',
    '--mongodb-mode',
    'rs',
  ];
  assert.throws(
    () => parseStackArguments(args),
    ({ message }: Error) => {
      for (const wrong of ['begin', 'postgres', '--brokers 0', '--redis-port 70000', '--mongodb-mode rs'])
        assert.ok(message.includes(wrong), `${wrong} is not told in: ${message}`);
      return true;
    },
  );
});
