import { startHttpReceiver, status } from '@logloom/notify/testing';
import { temporaryFolder } from '@logloom/testing';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Pipeline } from '../../tests/pipeline/pipeline.ts';
import { firesDuring, keepDoing } from './testing/faults.ts';
import { PrometheusServer, skipUnless } from './testing/prometheus-server.ts';

const skip = skipUnless(process.env['LOGLOOM_FULL'] === '1', 'makes these faults: they take minutes');

test(
  'a real Prometheus: alerts about notifications that do not arrive, and a receivers file with problems',
  { skip },
  async (t) => {
    using folder = temporaryFolder('faults');
    const pathOf = (name: string): string => join(folder.path, name);
    await using receiver = await startHttpReceiver();
    writeFileSync(
      pathOf('rules.yaml'),
      `rules:\n  - { name: failed, when: 'level:error', alert: true, close: true }\n`,
    );
    const receivers = `receivers:
  - { name: oncall, webhook: { url: '${receiver.url}' } }
routes:
  - { receiver: oncall, groupWait: 100ms, groupInterval: 1s, repeatInterval: 1s }
`;
    writeFileSync(pathOf('receivers.yaml'), receivers);
    await using pipeline = await Pipeline.create({
      CORRELATION_IDLE_MS: '500',
      CORRELATION_RULES: pathOf('rules.yaml'),
      RECEIVERS: pathOf('receivers.yaml'),
      RECEIVERS_ALLOWED_HOSTS: '127.0.0.1',
    });
    await pipeline.start();
    await using prometheus = await PrometheusServer.start(new URL(pipeline.viewersUrl).host);
    await using always = new AsyncDisposableStack();
    const failure = (): string => `{"level":"error","message":"failed","traceId":"${crypto.randomUUID()}"}`;
    always.use(keepDoing(() => pipeline.ingest(failure())));

    await t.test('a receiver that refuses messages', async () => {
      await firesDuring(prometheus, ['LogloomNotificationsFailing'], (faults) => {
        receiver.answerWith(status(400));
        faults.defer(() => receiver.answerWith(status(200)));
      });
    });

    await t.test('a receivers file that cannot be used', async () => {
      let changes = 0;
      await firesDuring(prometheus, ['LogloomReceiversFileUnusable'], (faults) => {
        faults.defer(() => writeFileSync(pathOf('receivers.yaml'), receivers));
        faults.use(
          keepDoing(
            async () => writeFileSync(pathOf('receivers.yaml'), `receivers: [] # ${++changes}\n`),
            1_500,
          ),
        );
      });
    });
  },
);
