import { eventually, temporaryFolder } from '@logloom/testing';
import { topics } from '@logloom/schemas';
import kafkajs from 'kafkajs';
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startStack, type Stack } from '../../infra/local/start-stack.ts';
import { rulesText } from '../pipeline/ruled-requests.ts';
import { loadTraffic } from '../pipeline/traffic.ts';
import { WebhookReceiver } from '../pipeline/webhook-receiver.ts';
import { assertDrained, assertExact, assertSeen, untilStored, type Line } from './assert-exact.ts';
import { assertRuled } from './assert-ruled.ts';
import { RuledTraffic } from './ruled-traffic.ts';
import { application, SecuredAccess, wrongCredentials } from './secured-stack.ts';
import { serviceNames, Services } from './services.ts';
import { SteadyTraffic } from './steady-traffic.ts';
import { Viewer } from './viewer.ts';
import { readLog } from './views.ts';

const eventsPerSecond = 50;
/** By an application of its own, through logs.raw. */
const linesByApplication = 1_000;
const skip = process.env['LOGLOOM_FULL'] === '1' ? false : 'takes long; LOGLOOM_FULL=1 runs it';

test(
  'every engine by TLS and a login of each service with the documented permissions; secrets changed and services killed under traffic: every event in every view, once',
  { skip },
  async (t) => {
    await using stack = await startStack({ without: ['zipkin'], brokers: 3, secured: true });
    const missing = Object.values(stack.missing)[0];
    if (missing !== undefined) return t.skip(missing);
    await using access = await SecuredAccess.create(stack);
    using folder = temporaryFolder('rules');
    const rulesFile = join(folder.path, 'rules.yaml');
    using hook = await WebhookReceiver.open();
    writeFileSync(rulesFile, rulesText(hook.url));
    await using services = await Services.start(
      stack,
      {
        CORRELATION_RULES: rulesFile,
        // Shorter than late events are late; the grace time outlasts the test, so that each request has one document.
        CORRELATION_IDLE_MS: '4000',
        CORRELATION_MAX_MS: '120000',
        CORRELATION_GRACE_MS: '600000',
        LIVE_BUFFER_BYTES: String(64 * 2 ** 20),
      },
      access.settings,
    );
    await using viewer = await Viewer.open(services.liveUrl, 'level:>=warn');
    await using everything = await Viewer.open(services.liveUrl, '');
    await eventually('the rules in force everywhere', () => services.haveRules());
    const ruled = new RuledTraffic(services.ingestUrl);
    const traffic = loadTraffic().lines;
    await using sending = new SteadyTraffic(services.ingestUrl, traffic, eventsPerSecond);
    const begin = performance.now();
    const report = (what: string): void =>
      t.diagnostic(`${((performance.now() - begin) / 1000).toFixed(0)} s: ${what}`);
    const pids = (): (number | undefined)[] => serviceNames.map((name) => services.of(name).pid);
    try {
      await sleep(5_000);
      const produced = await produceAsApplication(stack, access, traffic.slice(-linesByApplication));
      report(`${produced.length} lines by an application, and a record that nobody can read`);
      await redriveDeadLetter(services);
      report('its dead letter was redriven');
      writeFileSync(rulesFile, rulesText(hook.url, { withSecond: true }));

      const before = pids();
      await access.rotate();
      report('every secret changed, on both sides');
      // Connections end, so that all have to log in again, by what is in the files now.
      for (const broker of stack.kafka.brokers) {
        await broker.kill('SIGTERM');
        await broker.start();
        report(`${broker.name} restarted`);
      }
      await stack.redis.restart();
      report('Redis restarted');
      await eventually('every service ready by the new secrets', async () => {
        const states = await Promise.all(serviceNames.map((name) => services.readiness(name)));
        return states.every(({ status }) => status === 200);
      });
      assert.deepEqual(pids(), before, 'no service was restarted');
      const acknowledged = sending.acknowledged;
      await eventually('traffic goes on', async () => sending.acknowledged > acknowledged);

      for (const { service, problem, begin: refuse, mend } of access.refusals) {
        await refuse();
        await eventually(`${service} unready: ${problem.source}`, async () => {
          const { status, body } = await services.readiness(service);
          return status === 503 && problem.test(body.replaceAll('\\"', '"'));
        });
        await mend();
        await eventually(
          `${service} ready again`,
          async () => (await services.readiness(service)).status === 200,
        );
        report(`${service} was refused and let in again: ${problem.source}`);
      }
      assert.deepEqual(pids(), before, 'no service was restarted');
      for (const [setting, settings] of wrongCredentials(access.file('wrong')))
        await assert.rejects(services.another('indexer', settings), ({ message }: Error) => {
          const refusal = new RegExp(`exit code 2\\nlogloom indexer: [^\\n]*${setting}[^\\n]*$`);
          assert.match(message, refusal);
          return !message.includes('not-it');
        });
      report('wrong credentials of five engines: exit code 2 and one line');

      for (const name of serviceNames) {
        await services.of(name).kill('SIGKILL');
        await sleep(1_000);
        await services.of(name).start();
        report(`${name} back after kill -9`);
        await sleep(3_000);
      }

      const [{ lines: texts, result }, late] = await Promise.all([sending.stop(), ruled.stop()]);
      assert.deepEqual([result.accepted, result.rejected], [texts.length, 0]);
      assert.deepEqual([late.result.accepted, late.result.rejected], [late.lines.length, 0]);
      report(`${texts.length + late.lines.length} events acknowledged`);
      const lines = [...[...texts, ...produced].map((text) => JSON.parse(text) as Line), ...late.lines];
      await untilStored(services, lines.length);
      report('stored');
      const logged = await readLog(services);
      t.diagnostic(JSON.stringify(await assertExact(services, logged, lines)));
      t.diagnostic(JSON.stringify(await assertRuled(services, ruled.requests, hook)));
      await assertSeen(viewer, logged, lines, (l) => ['warn', 'error', 'fatal'].includes(l.level));
      await assertSeen(everything, logged, lines, () => true);
      t.diagnostic(`viewers connected ${viewer.connections} and ${everything.connections} times`);
      await assertDrained(services);
    } catch (error) {
      t.diagnostic(services.logs);
      throw error;
    }
  },
);

/** Ingest refuses the record again, so that there are two dead letters. */
async function redriveDeadLetter(services: Services): Promise<void> {
  const deadLetters = async (): Promise<number> => {
    const { topics: ends } = await services.get<{ topics: Record<string, { end: number }[]> }>('/api/status');
    return ends[topics.deadLetter]!.reduce((sum, { end }) => sum + end, 0);
  };
  await eventually('a dead letter', async () => (await deadLetters()) > 0);
  const response = await fetch(`${services.apiUrl}/api/jobs/redrive`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  assert.equal(response.status, 202, await response.clone().text());
  const { id } = (await response.json()) as { id: string };
  let redriven: number | undefined;
  await eventually('the redrive', async () => {
    const job = await services.get<{ state: string; result?: { redriven: number } }>(`/api/jobs/${id}`);
    redriven = job.result?.redriven;
    return job.state === 'completed';
  });
  assert.equal(redriven, 1);
  // The claim of the job is one, too.
  await eventually('another dead letter', async () => (await deadLetters()) >= 3);
}

/** Returns the lines, which are in logs.raw, before a record that is none. */
async function produceAsApplication(
  stack: Stack,
  access: SecuredAccess,
  lines: readonly string[],
): Promise<readonly string[]> {
  const kafka = new kafkajs.Kafka({
    brokers: stack.env['KAFKA_BROKERS']!.split(','),
    ssl: { ca: readFileSync(stack.security!.ca, 'utf8') },
    sasl: {
      mechanism: 'scram-sha-512',
      username: application,
      password: access.read(`kafka-${application}`),
    },
    logLevel: kafkajs.logLevel.NOTHING,
  });
  const producer = kafka.producer();
  await producer.connect();
  try {
    for (let i = 0; i < lines.length; i += 500)
      await producer.send({
        topic: topics.raw,
        acks: -1,
        messages: lines.slice(i, i + 500).map((value) => ({ value })),
      });
    // A zero byte begins a framed record, whose schema this one does not name.
    await producer.send({ topic: topics.raw, acks: -1, messages: [{ value: Buffer.from([0, 1]) }] });
  } finally {
    await producer.disconnect();
  }
  return lines;
}
