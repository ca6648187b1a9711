import { eventually, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { startStack } from '../../../infra/local/start-stack.ts';
import { alertState, resolvedState } from './testing/alert.ts';
import { startHttpReceiver, status } from './testing/http-receiver.ts';
import { openNotifierRig } from './testing/notifier-rig.ts';

const stack = await startStack({ only: ['redis'] });

describe('on Redis', { skip: stack.missing.redis ?? false }, () => {
  after(() => stack.stop());

  test('two indexers tell a receiver of one group together, keep to Retry-After, and forget it together', async () => {
    await using receiver = await startHttpReceiver();
    const answers = [status(429, { 'retry-after': '0' })];
    receiver.answerWith((taken, response) => (answers.shift() ?? status(200))(taken, response));
    using folder = temporaryFolder('notify');
    const text = `receivers:
  - { name: hook, webhook: { url: '${receiver.url}' } }
routes:
  - { receiver: hook, groupWait: 300ms, groupInterval: 200ms }
`;
    const options = { folder: folder.path, text, redisUrl: stack.env['REDIS_URL']! };
    await using one = await openNotifierRig(options);
    await using two = await openNotifierRig(options);
    const [first, second] = [alertState(1), alertState(2)];
    await Promise.all([one.notifier.notify([first]), two.notifier.notify([second, first])]);
    const told = (): string[] =>
      receiver.taken.map(({ body }) =>
        (JSON.parse(body) as { alerts: { fingerprint: string; status: string }[] }).alerts
          .map(({ fingerprint, status: state }) => `${fingerprint.at(-1)} ${state}`)
          .join(),
      );
    await eventually('it was told after its 429', () => told().length >= 2);
    assert.deepEqual(told(), ['1 firing,2 firing', '1 firing,2 firing']);
    await Promise.all([
      one.notifier.notify([resolvedState(first)]),
      two.notifier.notify([resolvedState(second)]),
    ]);
    await eventually('both are resolved', () => {
      const all = told().join();
      return all.includes('1 resolved') && all.includes('2 resolved');
    });
    await eventually(
      'the group is forgotten',
      async () => (await one.records.list('notify-group')).length === 0,
    );
    assert.deepEqual(await one.records.list('notify-alert'), []);
  });
});
