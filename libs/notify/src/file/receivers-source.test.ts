import { eventually, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ReceiversSource } from './receivers-source.ts';

const text = `receivers: [{ name: a, pagerduty: { routingKey: '\${KEY}' } }]
routes: [{ receiver: a }]
`;

test('a secret that is exchanged is taken over, also by moving a link as Kubernetes does; a file that is gone is a problem', async () => {
  using folder = temporaryFolder('receivers');
  const pathOf = (name: string): string => join(folder.path, name);
  writeFileSync(pathOf('first'), 'first-key\n');
  writeFileSync(pathOf('second'), 'second-key\n');
  symlinkSync('first', pathOf('key'));
  writeFileSync(pathOf('receivers.yaml'), text);
  const problems: string[] = [];
  const changes: string[] = [];
  using source = new ReceiversSource({
    path: pathOf('receivers.yaml'),
    env: { KEY_FILE: pathOf('key') },
    onProblems: (lines) => problems.push(...lines),
    onChange: ({ secrets }) => changes.push(secrets.join()),
    lookEveryMs: 5,
  });
  const key = (): string | undefined => source.current.receivers.get('a')?.pagerduty?.routingKey;
  assert.equal(key(), 'first-key');
  symlinkSync('second', pathOf('key.new'));
  renameSync(pathOf('key.new'), pathOf('key'));
  await eventually('the second key is in use', () => key() === 'second-key');
  assert.deepEqual(changes, ['first-key', 'second-key']);
  rmSync(pathOf('receivers.yaml'));
  await eventually('it is missed', () => problems.length === 1);
  assert.match(problems[0]!, /receivers\.yaml:1:1: there is no such file \(unreadable-receivers\)/);
  assert.equal(key(), 'second-key', 'what was there stays');
});

test('a start with problems says all of them', () => {
  using folder = temporaryFolder('receivers');
  const path = join(folder.path, 'receivers.yaml');
  writeFileSync(path, 'receivers: []\nroutes: []\n');
  const open = (): ReceiversSource =>
    new ReceiversSource({ path, env: {}, onProblems: () => {}, onChange: () => {} });
  assert.throws(open, (error: Error) => /:1:12: receivers: .*\n.*:2:9: routes: /.test(error.message));
});
