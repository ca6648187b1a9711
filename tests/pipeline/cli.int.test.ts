import { TestIssuer } from '@logloom/auth/test-issuer';
import { eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { Pipeline } from './pipeline.ts';
import { demoLines } from './traffic.ts';

const main = join(import.meta.dirname, '../../apps/logloom/src/main.ts');

const started = new Set<ReturnType<typeof spawn>>();
after(() => {
  for (const child of started) child.kill('SIGKILL');
});

interface Ended {
  code: number | null;
  out: string;
  err: string;
}

function start(pipeline: Pipeline, args: readonly string[]) {
  const child = spawn(process.execPath, [main, ...args], { env: pipeline.env, cwd: pipeline.dataFolder });
  // A failed assertion leaves it running; it must not keep the test from ending.
  started.add(child);
  return child;
}

async function run(pipeline: Pipeline, args: readonly string[], input = ''): Promise<Ended> {
  const child = start(pipeline, args);
  child.stdin.end(input);
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: child.exitCode, out, err };
}

test('the command line, on a running Logloom', async (t) => {
  await using pipeline = await Pipeline.create({
    CORRELATION_IDLE_MS: '1000',
    CORRELATION_BACKFILL_IDLE_MS: '1000',
  });
  const lines = demoLines(60);
  const third = Math.ceil(lines.length / 3);

  await t.test('without one: exit code 2 and a word why', async () => {
    for (const args of [['search'], ['status'], ['correlation', 'x'], ['loadtest']]) {
      const { code, err } = await run(pipeline, args);
      assert.equal(code, 2);
      assert.match(err, /is Logloom running/);
    }
  });

  await t.test('rules check tells every problem; rules try counts requests over several files', async () => {
    const file = (name: string): string => join(pipeline.dataFolder, name);
    writeFileSync(file('bad.yaml'), "rules:\n  - { name: a, when: 'level:>=eror', count: many }\n");
    const bad = await run(pipeline, ['rules', 'check', 'bad.yaml']);
    assert.equal(bad.code, 1);
    assert.match(bad.out, /^bad\.yaml:2:29: .*\(bad-rule-filter\)\nbad\.yaml:2:45: .*\(bad-rule\)$/m);
    writeFileSync(
      file('good.yaml'),
      "rules: [{ name: failed, when: 'level:>=error', count: 2, alert: true }]\n",
    );
    assert.equal((await run(pipeline, ['rules', 'check', 'good.yaml'])).code, 0);

    const errors = new Map<string, number>();
    for (const line of lines) {
      const { traceId, level } = JSON.parse(line) as { traceId?: string; level: string };
      if (traceId !== undefined && ['error', 'fatal'].includes(level))
        errors.set(traceId, (errors.get(traceId) ?? 0) + 1);
    }
    // As two services write them: the second file begins when the first does.
    writeFileSync(file('even.ndjson'), lines.filter((_, i) => i % 2 === 0).join('\n'));
    writeFileSync(file('odd.ndjson.gz'), gzipSync(lines.filter((_, i) => i % 2 === 1).join('\n')));
    const args = ['rules', 'try', 'good.yaml', '--from', 'even.ndjson', 'odd.ndjson.gz', '--json'];
    const tried = JSON.parse((await run(pipeline, args)).out) as {
      events: number;
      rules: { documents: number; alerts: number; events: { when: number } }[];
    };
    const failed = [...errors.values()].filter((count) => count >= 2).length;
    assert.equal(tried.events, lines.length);
    const { documents, alerts, events } = tried.rules[0]!;
    const all = [...errors.values()].reduce((sum, count) => sum + count, 0);
    assert.deepEqual(
      { documents, alerts, events },
      { documents: failed, alerts: failed, events: { when: all } },
    );
    writeFileSync(file('app.xz'), Buffer.from('fd377a585a000004', 'hex'));
    const packed = await run(pipeline, ['rules', 'try', 'good.yaml', '--from', 'app.xz']);
    assert.match(packed.err, /xz -dc app\.xz/);
  });

  await pipeline.start();

  await t.test(
    'send takes NDJSON, gzip, zstd and standard input; rejected lines give exit code 1',
    async () => {
      const file = (name: string): string => join(pipeline.dataFolder, name);
      writeFileSync(file('a.ndjson'), lines.slice(0, third).join('\n'));
      writeFileSync(file('b.gz'), gzipSync(lines.slice(third, 2 * third).join('\n')));
      writeFileSync(file('c.zst'), zstdCompressSync(lines.slice(2 * third).join('\n')));
      const sent = await run(pipeline, ['send', '--json', file('a.ndjson'), file('b.gz'), file('c.zst')]);
      assert.deepEqual(JSON.parse(sent.out), { accepted: lines.length, rejected: 0, reasons: [] });
      assert.equal(sent.code, 0);
      const plain = await run(
        pipeline,
        ['send', '--service', 'legacy'],
        'a plain line\n\nreq-38101a0b-2096-447d-96ea-a692162415ae another\n',
      );
      assert.match(plain.out, /2 accepted, 0 rejected/);
      const refused = await run(pipeline, ['send'], '{}\n{"message":"fine"}\n');
      assert.equal(refused.code, 1);
      assert.match(refused.out, /1 accepted, 1 rejected\nline 1: .*\(empty-event\)/);
    },
  );
  await pipeline.untilDone();

  await t.test('search prints what the API finds, as lines or JSON, page after page', async () => {
    const { total } = await pipeline.get<{ total: { value: number } }>(
      '/api/search?q=service:gateway&limit=1',
    );
    const all = await run(pipeline, [
      'search',
      'service:gateway',
      '--limit',
      '100000',
      '--order',
      'asc',
      '--json',
    ]);
    const events = all.out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { timestamp: string; service: string });
    assert.equal(events.length, total.value);
    assert.deepEqual(
      events.map((e) => e.timestamp),
      events.map((e) => e.timestamp).toSorted(),
    );
    const legacy = await run(pipeline, ['search', 'service:legacy AND plain']);
    assert.match(legacy.out, /info {2}legacy a plain line/);
    assert.equal((await run(pipeline, ['search', 'service:nobody'])).code, 1);
    assert.equal((await run(pipeline, ['correlation', 'no-such-request'])).code, 1);
    const bad = await run(pipeline, ['search', 'level:(error']);
    assert.equal(bad.code, 2);
    assert.match(bad.err, /level:\(error\n {8}\^/);
  });

  await t.test('viewers lists who watches and what each is sent, and ends one', async () => {
    const tail = start(pipeline, ['tail', 'level:fatal', '--json']);
    interface Listed {
      id: string;
      subscriptions: { filter: string }[];
    }
    const watching = async (): Promise<Listed[]> => {
      const { viewers } = await pipeline.get<{ viewers: Listed[] }>('/api/viewers');
      return viewers.filter(({ subscriptions: [first] }) => first?.filter === 'level:fatal');
    };
    await eventually('it watches', async () => (await watching()).length === 1);
    const [{ id } = { id: '' }] = await watching();
    const listed = await run(pipeline, ['viewers', '--json']);
    assert.equal((JSON.parse(listed.out.trimEnd().split('\n').at(-1)!) as Listed).id, id);
    assert.match((await run(pipeline, ['viewers'])).out, new RegExp(`${id} websocket 127\\.0\\.0\\.1 since`));
    assert.deepEqual(await run(pipeline, ['viewers', '--end', id]), {
      code: 0,
      out: `ended ${id}\n`,
      err: '',
    });
    await eventually('it is gone', async () => (await watching()).length === 0);
    const again = await run(pipeline, ['viewers', '--end', id]);
    assert.equal(again.code, 1);
    assert.match(again.err, /is connected/);
    tail.kill('SIGKILL');
  });

  await t.test('correlation shows a request by its own id; status shows that nothing lags', async () => {
    const shown = await run(pipeline, ['correlation', 'req-38101a0b-2096-447d-96ea-a692162415ae', '--json']);
    const request = JSON.parse(shown.out) as { kind: string; eventCount: number; events: unknown[] };
    assert.deepEqual([request.kind, request.eventCount, request.events.length], ['message', 1, 1]);
    const status = JSON.parse((await run(pipeline, ['status', '--json'])).out) as {
      consumers: { lag: number }[];
      counts: { events: number };
    };
    assert.ok(status.consumers.every(({ lag }) => lag === 0));
    assert.equal(status.counts.events, lines.length + 3);
    assert.match((await run(pipeline, ['status'])).out, /correlator +logs\.events +lag 0/);
  });

  await t.test('requests summary counts the requests of each service and shape', async () => {
    const summary = await run(pipeline, ['requests', 'summary', '--by', 'service', '--json']);
    const { all, groups } = JSON.parse(summary.out) as {
      all: { requests: number };
      groups: { key: { service: string }; requests: number }[];
    };
    const { total } = await pipeline.get<{ total: { value: number } }>('/api/correlations?limit=0');
    assert.equal(all.requests, total.value);
    assert.ok(groups.every(({ requests }) => requests <= all.requests));
    const shapes = await run(pipeline, ['requests', 'summary', `service:"${groups[0]!.key.service}"`]);
    assert.match(shapes.out, new RegExp(`^ +${groups[0]!.requests} .*  all$`, 'm'));
    const none = await run(pipeline, ['requests', 'summary', 'service:nobody']);
    assert.equal(none.code, 1);
    const unknown = await run(pipeline, ['requests', 'summary', 'host:x']);
    assert.deepEqual([unknown.code, /no field 'host'/.test(unknown.err)], [2, true]);
  });

  await t.test('tail shows what was and what comes, across a kill -9 of the server, once', async () => {
    const child = start(pipeline, ['tail', 'service:tailed', '--json']);
    let out = '';
    child.stdout.on('data', (data: Buffer) => (out += data.toString()));
    const seen = (): string[] =>
      out
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => (JSON.parse(line) as { message: string }).message);
    const tailed = (n: number): string => JSON.stringify({ service: 'tailed', message: `n${n}` });
    let sent = 0;
    await eventually('watching', async () => {
      await pipeline.ingest(tailed(sent++));
      return seen().length > 0;
    });
    await pipeline.end('SIGKILL');
    await pipeline.start();
    for (let i = 0; i < 20; i++) await pipeline.ingest(tailed(sent++));
    await eventually('all of them', async () => seen().at(-1) === `n${sent - 1}`);
    const first = Number(seen()[0]!.slice(1));
    assert.deepEqual(
      seen(),
      Array.from({ length: sent - first }, (_, i) => `n${first + i}`),
    );
    child.kill('SIGINT');
    assert.deepEqual(await once(child, 'exit'), [0, null]);
    const last = start(pipeline, ['tail', 'service:tailed', '-n', '3']);
    let shown = '';
    last.stdout.on('data', (data: Buffer) => (shown += data.toString()));
    await eventually('the last three', async () => shown.split('\n').length === 4);
    assert.match(shown, new RegExp(`tailed n${sent - 3}\n.*tailed n${sent - 2}\n.*tailed n${sent - 1}\n$`));
    last.kill('SIGINT');
    await once(last, 'exit');
  });

  await t.test('loadtest: each of many viewers gets each event once', async () => {
    const flags = ['--viewers', '30', '--rate', '200', '--seconds', '1', '--json'];
    const { code, out, err } = await run(pipeline, ['loadtest', ...flags]);
    assert.equal(code, 0, err);
    const result = JSON.parse(out) as Record<string, number> & { latencyMs: { p50: number; max: number } };
    const { viewers, refused, sent, wrong, lost, missed, deliveries, latencyMs } = result;
    assert.deepEqual(
      { viewers, refused, sent, wrong, lost, missed },
      { viewers: 30, refused: 0, sent: 200, wrong: 0, lost: 0, missed: 0 },
    );
    assert.ok(deliveries! > 0 && deliveries! <= 6000, out);
    assert.ok(latencyMs.p50 > 0 && latencyMs.p50 <= latencyMs.max);
  });

  await t.test('demo sends traffic of several services, the same for the same seed', async () => {
    const sent = await run(pipeline, ['demo', '--rate', '200', '--seconds', '2', '--seed', '5', '--json']);
    const { accepted, rejected } = JSON.parse(sent.out) as { accepted: number; rejected: number };
    assert.ok(accepted > 100, `${accepted} accepted`);
    assert.equal(rejected, 0);
  });

  await t.test('a Logloom that asks for tokens: --token, or LOGLOOM_TOKEN', async () => {
    const issuer = await TestIssuer.create('k');
    const keys = join(pipeline.dataFolder, 'keys.json');
    writeFileSync(keys, issuer.jwks());
    pipeline.env['LIVE_AUTH_JWKS'] = keys;
    await pipeline.end('SIGTERM');
    await pipeline.start();
    const commands = [
      ['search', 'service:legacy'],
      ['correlation', 'req-38101a0b-2096-447d-96ea-a692162415ae'],
      ['status'],
      ['requests', 'summary'],
      ['redrive', '--dry-run'],
      ['loadtest', '--viewers', '1', '--rate', '5', '--seconds', '1'],
    ];
    const tailed = async (args: string[]): Promise<string> => {
      const child = start(pipeline, ['tail', 'service:legacy', '-n', '1', ...args]);
      const [data] = (await once(child.stdout, 'data')) as [Buffer];
      child.kill('SIGINT');
      await once(child, 'exit');
      return data.toString();
    };
    const token = await issuer.sign();
    for (const command of commands) {
      const refused = await run(pipeline, command);
      assert.equal(refused.code, 2, command.join(' '));
      assert.match(refused.err, /token|401/);
      const { code, err } = await run(pipeline, [...command, '--token', token]);
      assert.equal(code, 0, err);
    }
    assert.match(await tailed(['--token', token]), /legacy/);
    pipeline.env['LOGLOOM_TOKEN'] = token;
    for (const command of commands) assert.equal((await run(pipeline, command)).code, 0, command.join(' '));
    assert.match(await tailed([]), /legacy/);
    // What is given on the command line wins.
    assert.equal((await run(pipeline, ['status', '--token', 'none'])).code, 2);
    // A tenant searches its own.
    const tenant = await issuer.sign({ logloom_filter: 'service:nobody' });
    assert.equal((await run(pipeline, ['search', 'service:legacy', '--token', tenant])).code, 1);
  });

  await t.test('a wrong option, a wrong setting, a folder in use: exit code 2', async () => {
    assert.equal((await run(pipeline, ['search', '--nonsense'])).code, 2);
    const inUse = await run(pipeline, ['up']);
    assert.equal(inUse.code, 2);
    assert.match(inUse.err, /another process uses the data folder/);
    pipeline.env['LIVE_PORT'] = 'x';
    pipeline.env['CORRELATION_IDLE_MS'] = '-1';
    const wrong = await run(pipeline, ['up']);
    assert.equal(wrong.code, 2);
    assert.match(wrong.err, /LIVE_PORT[^]*CORRELATION_IDLE_MS/);
  });
});
