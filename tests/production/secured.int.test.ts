import { closedPorts, eventually, freePort, temporaryFolder } from '@logloom/testing';
import { topics } from '@logloom/schemas';
import kafkajs from 'kafkajs';
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startStack, type Stack } from '../../infra/local/start-stack.ts';
import { PrometheusServer, skipUnless } from '../../infra/monitoring/testing/prometheus-server.ts';
import { rulesText } from '../pipeline/ruled-requests.ts';
import { loadTraffic } from '../pipeline/traffic.ts';
import { WebhookReceiver } from '../pipeline/webhook-receiver.ts';
import { AlertWatch } from './alert-watch.ts';
import { assertDrained, assertExact, assertSeen, untilStored, type Line } from './assert-exact.ts';
import { assertRuled } from './assert-ruled.ts';
import { CanaryProcess } from './canary-process.ts';
import { RuledTraffic } from './ruled-traffic.ts';
import { application, SecuredAccess, wrongCredentials } from './secured-stack.ts';
import { serviceNames, Services } from './services.ts';
import { SteadyTraffic } from './steady-traffic.ts';
import { Viewer } from './viewer.ts';
import { readLog } from './views.ts';

const eventsPerSecond = 300;
const quietMs = 20_000;
const canaryIntervalMs = 2_000;
const canaryLostAfterMs = 40_000;
/** By an application of its own, through logs.raw. */
const linesByApplication = 1_000;
/** What a receiver acknowledges is never lost. Syslog acknowledges nothing: what is sent to an ingest that is killed may be. */
const acknowledging = ['json', 'elasticsearch', 'loki', 'otlp', 'raw'];
const receivers = [...acknowledging, 'syslog-tcp', 'syslog-udp'];
/** Of a machine that has other work, and of processes that have just started: their first memory looks like growth over 15 s. */
const ofTheMachine = [
  'LogloomMemoryGrows',
  'LogloomEventLoopSlow',
  'LogloomCanaryAgeBudget',
  'LogloomViewerAgeBudget',
  'LogloomSearchableAge',
  'LogloomCorrelatedAge',
  'LogloomSentAge',
];
/** Of a machine whose other work lets nothing through for 15 s. */
const ofItsPauses = ['LogloomConsumerLagGrows', 'LogloomCanarySilent'];
/** Of a refusal of each engine, and of killed services. */
const ofTheFaults = ['LogloomDown', 'LogloomNotReady', 'LogloomStoreUnavailable'];
/** Those that depend on how long each fault lasts. */
const mayFollow = [
  'LogloomIngestErrorBudget',
  'LogloomApiErrorBudget',
  'LogloomConsumerLag',
  'LogloomIngestRejectsEvents',
  'LogloomJobsFailing',
  'LogloomViewersRefused',
  'LogloomCanaryRefused',
  'LogloomCanaryLossBudget',
];
const skip = skipUnless(process.env['LOGLOOM_FULL'] === '1', 'runs it: it takes long');

test(
  'every engine by TLS and a login of each service with the documented permissions, with a canary and a Prometheus; secrets changed and services killed under traffic: every event in every view, once, and no alert but those of these faults',
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
        ...closedPorts,
        SYSLOG_PORT: String(await freePort()),
        CANARY: 'on',
        CANARY_SECRET_FILE: access.file('canary'),
      },
      access.settings,
    );
    await using canary = await CanaryProcess.start(
      {
        ...services.env,
        ...access.canarySettings,
        CANARY_SEARCH_URL: services.apiUrl,
        CANARY_INTERVAL_MS: String(canaryIntervalMs),
        CANARY_LOST_AFTER_MS: String(canaryLostAfterMs),
      },
      join(folder.path, 'canary.log'),
    );
    await using viewer = await Viewer.open(services.liveUrl, 'level:>=warn');
    await using everything = await Viewer.open(services.liveUrl, '');
    await eventually('the rules in force everywhere', () => services.haveRules());
    const targets = [...serviceNames.map((name) => services.of(name)), canary.process];
    await using watching = new AsyncDisposableStack();
    const prometheus = watching.use(
      await PrometheusServer.start(...targets.map(({ port }) => `127.0.0.1:${port}`)),
    );
    const alerts = new AlertWatch(prometheus);
    await using ruled = new RuledTraffic(services.ingestUrl);
    const traffic = loadTraffic().lines;
    await using sending = new SteadyTraffic(services.ingestUrl, traffic, eventsPerSecond);
    const begin = performance.now();
    const report = (what: string): void =>
      t.diagnostic(`${((performance.now() - begin) / 1000).toFixed(0)} s: ${what}`);
    const pids = (): (number | undefined)[] => serviceNames.map((name) => services.of(name).pid);
    try {
      await canary.untilArrived(receivers, 4);
      await sleep(quietMs);
      assert.equal((await prometheus.query('up == 1')).length, targets.length, 'every target is up');
      const early = await alerts.assertFired('before the faults', [], [...ofTheMachine, ...ofItsPauses]);
      report(`every target up, the canary on every path; alerts: ${early.join(', ') || 'none'}`);
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

      const fired = await alerts.assertFired('of these faults', ofTheFaults, [
        ...mayFollow,
        ...ofTheMachine,
        ...ofItsPauses,
      ]);
      report(`alerts of these faults: ${fired.join(', ')}`);
      const [{ lines: texts, result }, late] = await Promise.all([sending.stop(), ruled.stop()]);
      assert.deepEqual([result.accepted, result.rejected], [texts.length, 0]);
      assert.deepEqual([late.result.accepted, late.result.rejected], [late.lines.length, 0]);
      await eventually(
        'no alert of the faults is left',
        async () => [...(await prometheus.firing())].every((name) => ofTheMachine.includes(name)),
        300_000,
      );
      // Two events a round, and longer than until the last one that is missing would count as lost.
      await canary.untilArrived(
        receivers,
        2 * Math.ceil((1.2 * canaryLostAfterMs) / canaryIntervalMs),
        300_000,
      );
      const { sent, refused, lost } = await canary.assertComplete(acknowledging);
      report(
        `the canary is complete: ${sent} events sent, ${refused} refused, ${lost} of syslog lost; no alert is left`,
      );
      await watching.disposeAsync();
      await canary.process.kill('SIGTERM');

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
