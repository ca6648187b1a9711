import { freePort } from '@logloom/testing';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { test } from 'node:test';
import type { AddressInfo } from 'node:net';
import { exampleResult } from '../testing/example-result.ts';
import { postNotices } from './post-notices.ts';

interface Taken {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

/** A receiver on the loopback address that answers each request with the next status, the last one again and again. */
async function startReceiver(...statuses: number[]) {
  const taken: Taken[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      taken.push({ method: request.method!, path: request.url!, headers: request.headers, body });
      const status = statuses[Math.min(taken.length, statuses.length) - 1] ?? 200;
      response.writeHead(status, status === 302 ? { location: 'http://127.0.0.1:1/' } : {}).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    taken,
    [Symbol.dispose]: () => void server.close(),
  };
}

const { signal } = new AbortController();

test('webhooks get the verdict with its reasons and the place of the report, with the login of their URL', async () => {
  using receiver = await startReceiver();
  const result = exampleResult('not-ready');
  const problems = await postNotices(
    result,
    'https://ci.example.com/runs/7',
    { webhooks: [`http://user:pass%40word@${receiver.host}/hook?a=b`] },
    signal,
  );
  assert.deepEqual(problems, []);
  const [{ method, path, headers, body }] = receiver.taken as [Taken];
  assert.deepEqual([method, path, headers['content-type']], ['POST', '/hook?a=b', 'application/json']);
  assert.equal(headers.authorization, `Basic ${Buffer.from('user:pass@word').toString('base64')}`);
  const notice = JSON.parse(body) as Record<string, unknown> & { why: string[]; objectives: unknown[] };
  assert.equal(notice['verdict'], 'not-ready');
  assert.equal(notice['report'], 'https://ci.example.com/runs/7');
  assert.equal(notice['run'], result.run);
  assert.equal(notice.objectives.length, result.verdict.objectives.length);
  assert.ok(notice.why.some((line) => line.startsWith('Missed:')));
});

test('Slack gets a message that it can show, with its markup escaped', async () => {
  using receiver = await startReceiver();
  const example = exampleResult('not-shown');
  const result = {
    ...example,
    scenario: { ...example.scenario, name: 'a <b> & c' },
    generator: {
      ...example.generator,
      limits: ['x'.repeat(4_000)],
      limitedS: example.timeline.map(({ atS }) => atS),
    },
  };
  assert.deepEqual(
    await postNotices(
      result,
      '/tmp/runs/report.html',
      { slack: [`http://${receiver.host}/services/T0/B0/secret`] },
      signal,
    ),
    [],
  );
  const message = JSON.parse(receiver.taken[0]!.body) as {
    text: string;
    blocks: { type: string; text?: { type: string; text: string }; elements?: { text: string }[] }[];
  };
  assert.match(message.text, /^\? Not shown.*load test a &lt;b&gt; &amp; c$/);
  assert.deepEqual(
    message.blocks.map(({ type }) => type),
    ['section', 'section', 'context'],
  );
  for (const { text } of message.blocks) assert.ok((text?.text.length ?? 0) <= 3_000);
  assert.match(message.blocks[2]!.elements![0]!.text, /Report: `\/tmp\/runs\/report.html`$/);
});

test('a Pushgateway gets the metrics of the run in a group of its scenario', async () => {
  using receiver = await startReceiver();
  const result = exampleResult('ready');
  assert.deepEqual(
    await postNotices(result, undefined, { pushgateways: [`http://${receiver.host}/push/`] }, signal),
    [],
  );
  const [{ method, path, body }] = receiver.taken as [Taken];
  const group = Buffer.from(result.scenario.name).toString('base64url');
  assert.deepEqual([method, path], ['PUT', `/push/metrics/job/logloom-loadtest/scenario@base64/${group}`]);
  assert.match(body, /^logloom_loadtest_verdict\{scenario="[^"]+",verdict="ready"\} 1$/m);
});

test('what passes is tried again, what does not is said, and neither says the secret of a URL', async () => {
  using passing = await startReceiver(503, 429, 200);
  using refusing = await startReceiver(404);
  using moved = await startReceiver(302);
  const closed = await freePort();
  const problems = await postNotices(
    exampleResult('ready'),
    undefined,
    {
      webhooks: [
        `http://${passing.host}/`,
        `http://${refusing.host}/secret`,
        `http://${moved.host}/secret`,
        `http://127.0.0.1:${closed}/secret`,
        'no-url',
      ],
    },
    signal,
  );
  assert.equal(passing.taken.length, 3);
  assert.equal(refusing.taken.length, 1);
  assert.equal(problems.length, 4, problems.join('\n'));
  assert.equal(problems[0], `http://${refusing.host} was not told the verdict: it answered 404`);
  assert.match(problems[1]!, /^http:\/\/127.0.0.1:\d+ was not told the verdict: it answered 302/);
  assert.match(problems[2]!, /ECONNREFUSED/);
  assert.match(problems[3]!, /^a receiver whose URL cannot be read was not told/);
  assert.ok(problems.every((problem) => !problem.includes('secret')));
});
