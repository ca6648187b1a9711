import { freePort, temporaryFolder } from '@logloom/testing';
import type { RunResult } from '@logloom/loadtest';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { CuttingProxy } from './cutting-proxy.ts';
import { Pipeline } from './pipeline.ts';

const main = join(import.meta.dirname, '../../apps/logloom/src/main.ts');
const objectives = ['lost', 'duplicated', 'corrupted', 'unexpected', 'search-lost', 'requests-broken'].map(
  (metric) => `{ metric: ${metric}, atMost: 0 }`,
);

const viewers = `
viewers:
  stages: [{ to: 40, for: 1s }, { for: 5s }]
  mix:
    - { watch: all, from: start, priority: high }
    - { watch: service, from: { tail: 50 } }
    - { filter: 'level:error OR attributes.loadtest.n:[100 TO 200]', from: { last: 2s }, compression: true }
    - { watch: errors, sessions: { watch: 1s, think: [{ weight: 3, for: 200ms }, { for: 1s }] } }
    - { watch: service, sessions: { watch: 1s, think: 300ms, resume: now } }
    - { watch: all, readBytesPerSecond: 200000, priority: low }
    - { watch: all, stall: { every: 2s, for: 1s } }
    - { watch: all, encoding: avro }
  churn: { share: 0.1, every: 1s }
`;

describe('the options of a scenario, against a running Logloom', { concurrency: 2 }, () => {
  const folder = temporaryFolder('loadtest-options').path;
  let pipeline: Pipeline;
  let syslogPort: number;

  before(async () => {
    syslogPort = await freePort();
    pipeline = await Pipeline.create({ CORRELATION_IDLE_MS: '1000', SYSLOG_PORT: String(syslogPort) });
    await pipeline.start();
  });
  after(async () => {
    await pipeline.end('SIGTERM');
  });

  async function run(
    name: string,
    scenario: string,
    more: string[] = [],
    { url = pipeline.viewersUrl, ingestUrl = pipeline.ingestUrl } = {},
  ): Promise<RunResult> {
    const file = join(folder, `${name}.yaml`);
    writeFileSync(file, `${scenario}\nobjectives: [${[...objectives, ...more].join(', ')}]\n`);
    const args = [main, 'loadtest', 'run', file, '--report', 'json', '--out', join(folder, name)];
    args.push('--url', url, '--ingest-url', ingestUrl);
    args.push('--syslog', `127.0.0.1:${syslogPort}`);
    const text = await new Promise<string>((resolve) => {
      execFile(process.execPath, args, (_error, stdout, stderr) => resolve(stdout + stderr));
    });
    const [made] = readdirSync(join(folder, name));
    assert.ok(made !== undefined, text);
    const result = JSON.parse(readFileSync(join(folder, name, made, 'result.json'), 'utf8')) as RunResult;
    const { delivery, search } = result;
    assert.equal(delivery.received, delivery.expected, text);
    for (const kind of ['lost', 'duplicated', 'disordered', 'corrupted', 'unexpected'] as const)
      assert.equal(delivery[kind].count, 0, `${kind}: ${text}`);
    assert.equal(search?.found, result.ingest.acknowledged, text);
    assert.deepEqual([search?.requests.found, search?.requests.broken], [search?.requests.expected, 0], text);
    return result;
  }

  test('viewers of every kind get exactly what they have to', async () => {
    const { delivery, ingest, connections } = await run(
      'viewers',
      `${viewers}
events:
  services: 4
  serviceSkew: 1
  errorShare: 0.1
  messageBytes: [{ weight: 9, bytes: 100 }, { bytes: 2000 }]
  stages: [{ to: 100, for: 1s }, { for: 4s }]
`,
    );
    assert.equal(ingest.acknowledged, 450);
    // The five who begin at the start have to get all events, whenever they came.
    assert.ok(delivery.expected > 5 * 450);
    assert.ok(connections.resumed > 10);
    assert.equal(connections.watching, 40);
  });

  test('recorded lines come line by line, round after round', async () => {
    const begin = Date.parse('2026-01-01T00:00:00Z');
    const lines = Array.from({ length: 60 }, (_, i) =>
      JSON.stringify({
        time: begin + i * 100,
        msg: `recorded line ${i}`,
        level: i % 10 === 0 ? 'error' : 'info',
        app: i % 2 === 0 ? 'shop' : 'cart',
        req_id: `r${Math.floor(i / 6)}`,
        size: i,
      }),
    );
    writeFileSync(join(folder, 'lines.ndjson'), lines.join('\n'));
    const { delivery, ingest } = await run(
      'replay',
      `
viewers:
  stages: [{ to: 8, for: 500ms }, { for: 5s }]
  mix: [{ watch: service }, { filter: 'attributes.size:>=30', from: start }, { watch: errors }]
events: { replay: { file: lines.ndjson, speed: 3, times: 2 } }
`,
    );
    assert.equal(ingest.acknowledged, 120);
    // Two of the eight get half of all.
    assert.ok(delivery.expected >= 2 * 60);
  });

  const watched = `
viewers:
  stages: [{ to: 12, for: 500ms }, { for: 5s }]
  mix: [{ watch: all, from: start }, { watch: service }, { watch: errors }]
`;

  test('events that go in by any receiver over HTTP and at any address come once, and users do not see them', async () => {
    await using live = await CuttingProxy.open(Number(new URL(pipeline.viewersUrl).port));
    await using receivers = await CuttingProxy.open(Number(new URL(pipeline.ingestUrl).port));
    const through = (own: string, { port }: CuttingProxy): string => `${own},http://127.0.0.1:${port}`;
    const { ingest, target } = await run(
      'receivers',
      `${watched}
events: { receiver: [json, elasticsearch, loki, otlp], errorShare: 0.1, stages: [{ to: 120, for: 4s }] }
`,
      [],
      { url: through(pipeline.viewersUrl, live), ingestUrl: through(pipeline.ingestUrl, receivers) },
    );
    assert.deepEqual(ingest.receivers, ['json', 'elasticsearch', 'loki', 'otlp']);
    assert.deepEqual([ingest.acknowledged, ingest.acknowledges, target.isHidden], [240, true, true]);
    // Loki's own answer.
    assert.ok(ingest.requestsByStatus['204']! > 0);
    assert.deepEqual(target.moreUrls, [`http://127.0.0.1:${live.port}`]);
    // Some viewers came this way, others not; and so did the sender.
    const viewers = live.webSocketMessages().size;
    assert.ok(viewers > 0 && viewers < 12, String(viewers));
    assert.ok(receivers.bytesPassed > 0);
  });

  test('events that go in by syslog come once, though nobody acknowledges them', async () => {
    const { ingest, target, verdict } = await run(
      'syslog',
      `${watched}
events: { receiver: syslog, errorShare: 0.1, stages: [{ to: 120, for: 4s }] }
`,
      ['{ metric: ingest-unknown, atMost: 0 }'],
    );
    assert.deepEqual([ingest.acknowledged, ingest.unknown], [240, 0]);
    assert.deepEqual([ingest.acknowledges, ingest.latency.count, target.isHidden], [false, 0, false]);
    const unknown = verdict.objectives.find(({ metric }) => metric === 'ingest-unknown');
    assert.equal(unknown?.outcome, 'not-shown');
    assert.match(unknown.reason, /acknowledges nothing/);
  });
});
