import { freePort, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import type { RunResult } from '@logloom/loadtest';
import { Pipeline } from './pipeline.ts';

const main = join(import.meta.dirname, '../../apps/logloom/src/main.ts');
const scenario = `
viewers:
  stages: [{ to: 40, for: 1s }, { for: 7s }]
  mix: [{ watch: all }, { watch: service, weight: 3 }, { watch: errors }]
  churn: { share: 0.1, every: 1s }
events: { services: 4, errorShare: 0.1, stages: [{ to: 150, for: 1s }, { for: 6s }] }
faults: [{ kind: cut, at: 5s, share: 0.5 }]
objectives: [${[
  'lost',
  'duplicated',
  'disordered',
  'corrupted',
  'unexpected',
  'search-lost',
  'requests-broken',
]
  .map((metric) => `{ metric: ${metric}, atMost: 0 }`)
  .join(', ')}]
`;

type Events = Record<string, unknown>[];

/** What the events of a message become on their way to a viewer, or how many of them a gap announces instead; undefined: they stay. */
type Spoil = (events: Events) => Events | number | undefined;

describe('a load test against a running Logloom', () => {
  // It goes at the end of the process.
  const folder = temporaryFolder('loadtest-run');
  const file = join(folder.path, 'short.yaml');
  let server: Pipeline;

  before(async () => {
    writeFileSync(file, scenario);
    server = await Pipeline.create({ CORRELATION_IDLE_MS: '1000' });
    await server.start();
  });
  after(() => server[Symbol.asyncDispose]());

  async function run(
    url: string,
    out: string,
    ...more: string[]
  ): Promise<{ code: number; result: RunResult; text: string }> {
    const args = [main, 'loadtest', 'run', file, '--url', url, '--out', join(folder.path, out)];
    const { code, text } = await new Promise<{ code: number; text: string }>((resolve) => {
      execFile(
        process.execPath,
        [...args, '--ingest-url', server.ingestUrl, '--report', 'html,junit', ...more],
        (error, stdout, stderr) => resolve({ code: Number(error?.code ?? 0), text: stdout + stderr }),
      );
    });
    const [made] = readdirSync(join(folder.path, out));
    assert.ok(made !== undefined, text);
    const at = join(folder.path, out, made);
    assert.deepEqual(readdirSync(at).sort(), ['junit.xml', 'report.html', 'result.json']);
    return { code, text, result: JSON.parse(readFileSync(join(at, 'result.json'), 'utf8')) as RunResult };
  }

  test('finds nothing wrong with it, though viewers are cut and come back all the time', async () => {
    await using receiver = await startReceiver();
    const { result, text, code } = await run(
      server.viewersUrl,
      'right',
      ...['--notify', receiver.url, '--notify-slack', `http://127.0.0.1:${await freePort()}/secret`],
      ...['--report-url', 'https://ci.example.com/7', '--live'],
    );
    const { delivery, ingest, search, connections } = result;
    assert.equal(ingest.acknowledged, 975);
    assert.equal(delivery.received, delivery.expected);
    // Viewers that connect late on a busy machine have less to get.
    assert.ok(delivery.expected > 3_000, text);
    assert.equal(delivery.viewers.checked, 40);
    assert.equal(delivery.viewers.exact, 40);
    assert.ok(connections.resumed > 20, text);
    assert.deepEqual([search?.found, search?.requests.broken], [975, 0]);
    assert.equal(connections.watching, 40);
    const visible = await fetch(`${server.viewersUrl}/api/search?q=&limit=0`);
    assert.deepEqual(
      await visible.json(),
      { total: { value: 0, exact: true }, events: [] },
      'users see none',
    );
    const [notice] = receiver.taken;
    assert.deepEqual(
      [receiver.taken.length, notice?.verdict, notice?.report],
      [1, result.verdict.overall, 'https://ci.example.com/7'],
    );
    assert.match(text, /^http:\/\/127\.0\.0\.1:\d+ was not told the verdict: .*ECONNREFUSED/m);
    assert.match(text, /^the run is shown at http:\/\/127\.0\.0\.1:\d+\/$/m);
    assert.match(text, /^00:00 of 00:08 {2}/m);
    // On a busy machine the generator may be the limit; then nothing is shown, but never missed.
    assert.ok(code === 0 || (code === 3 && result.generator.limits.length > 0), text);
  });

  const faults: Record<string, [keyof RunResult['delivery'], Spoil]> = {
    'changes one': ['corrupted', ([first, ...others]) => [{ ...first, message: 'other' }, ...others]],
    'announces one too few': ['underAnnounced', ({ length }) => (length < 2 ? undefined : length - 1)],
  };
  for (const [what, [kind, spoil]] of Object.entries(faults))
    test(`reports a server that ${what} as what it is`, async () => {
      await using proxy = await spoilingProxy(Number(new URL(server.viewersUrl).port), spoil);
      const { code, result, text } = await run(`http://127.0.0.1:${proxy.port}`, kind);
      const found = result.delivery[kind] as RunResult['delivery']['lost'];
      assert.ok(found.count > 0 && found.example !== null, text);
      const others = (
        ['lost', 'duplicated', 'disordered', 'corrupted', 'unexpected', 'overAnnounced'] as const
      ).filter((other) => other !== kind);
      for (const other of others) assert.equal(result.delivery[other].count, 0, other);
      assert.equal(code, 1, text);
      const metric = kind === 'underAnnounced' ? 'lost' : kind;
      assert.equal(result.verdict.objectives.find((each) => each.metric === metric)?.outcome, 'missed');
    });
});

/** Takes what is posted to it as JSON. */
async function startReceiver() {
  const taken: { verdict?: string; report?: string }[] = [];
  const server = createServer((incoming, outgoing) => {
    void json(incoming).then((body) => {
      taken.push(body as (typeof taken)[number]);
      outgoing.end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    taken,
    [Symbol.asyncDispose]: async () => {
      server.close();
      await once(server, 'close');
    },
  };
}

/** A proxy in front of the viewers' port that spoils every 50th message of events of each connection. */
async function spoilingProxy(target: number, spoil: Spoil): Promise<AsyncDisposable & { port: number }> {
  const server = createServer((incoming, outgoing) => {
    const { method, url, headers } = incoming;
    const onward = request({ host: '127.0.0.1', port: target, method, path: url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(onward);
  });
  const sockets = new WebSocketServer({ server, handleProtocols: ([first]) => first! });
  sockets.on('connection', (client, { url }) => {
    const upstream = new WebSocket(`ws://127.0.0.1:${target}${url}`, client.protocol);
    let messages = 0;
    let cursor: string | undefined;
    const isOpen = once(upstream, 'open');
    isOpen.catch(() => {});
    client.on(
      'message',
      (bytes: Buffer) =>
        void isOpen.then(
          () => upstream.send(bytes.toString()),
          () => {},
        ),
    );
    upstream.on('message', (bytes: Buffer) => {
      const message = JSON.parse(bytes.toString()) as { cursor?: string; channel?: number; events?: Events };
      const from = cursor;
      cursor = message.cursor ?? cursor;
      const isDue = message.events !== undefined && message.events.length > 0 && ++messages >= 50;
      const spoilt = isDue ? spoil(message.events!) : undefined;
      if (spoilt === undefined) return client.send(bytes.toString());
      messages = 0;
      const gap = { type: 'gap', channel: message.channel, from, to: cursor, missed: spoilt, reason: 'slow' };
      client.send(JSON.stringify(typeof spoilt === 'number' ? gap : { ...message, events: spoilt }));
    });
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on('error', () => other.terminate());
      one.on('close', () => other.terminate());
    }
  });
  const port = await freePort();
  await once(server.listen(port, '127.0.0.1'), 'listening');
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      for (const client of sockets.clients) client.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
