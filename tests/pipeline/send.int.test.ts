import { eventually, openStackLog } from '@logloom/testing';
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { Pipeline } from './pipeline.ts';

const main = join(import.meta.dirname, '../../apps/logloom/src/main.ts');

const started = new Set<ChildProcess>();
after(() => {
  for (const child of started) child.kill('SIGKILL');
});

function start(pipeline: Pipeline, args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, [main, 'send', ...args], {
    env: { ...pipeline.env, XDG_STATE_HOME: join(pipeline.dataFolder, 'state') },
    cwd: pipeline.dataFolder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.add(child);
  return child;
}

async function run(pipeline: Pipeline, args: readonly string[]) {
  const child = start(pipeline, args);
  const [out, err] = await Promise.all([text(child.stdout!), text(child.stderr!), once(child, 'close')]);
  return { code: child.exitCode, out, err };
}

interface Found {
  total: { value: number };
  events: {
    message: string;
    offset: number;
    service: string;
    level: string;
    correlationId?: string;
    attributes: unknown;
  }[];
  next?: string;
}

async function search(pipeline: Pipeline, filter: string): Promise<Found['events']> {
  const events: Found['events'] = [];
  for (let cursor = ''; ;) {
    const page = await pipeline.get<Found>(
      `/api/search?q=${encodeURIComponent(filter)}&limit=1000${cursor === '' ? '' : `&cursor=${cursor}`}`,
    );
    events.push(...page.events);
    if (page.next === undefined || page.events.length === 0) return events;
    cursor = page.next;
  }
}

test('logloom send', async (t) => {
  // A Logloom that asks for a key: what sends has it from its environment.
  const settings = {
    CORRELATION_IDLE_MS: '1000',
    CORRELATION_BACKFILL_IDLE_MS: '1000',
    TZ: 'UTC',
    INGEST_KEYS: 'keys.yaml',
    LOGLOOM_KEY: 'secret',
  };
  await using pipeline = await Pipeline.create(settings);
  const file = (name: string): string => join(pipeline.dataFolder, name);
  const sha256 = createHash('sha256').update('secret').digest('hex');
  writeFileSync(file('keys.yaml'), JSON.stringify({ keys: [{ name: 'sender', sha256 }] }));
  await pipeline.start();

  await t.test(
    'a wrong key is refused, and nothing is skipped: the next run continues with the same lines',
    async () => {
      writeFileSync(
        file('keyed.ndjson'),
        '{"service":"keyed","message":"a"}\n{"service":"keyed","message":"b"}\n',
      );
      const args = ['--position', file('keyed.json'), file('keyed.ndjson')];
      const refused = await run(pipeline, ['--key', 'wrong', ...args]);
      assert.deepEqual([refused.code, refused.out], [2, '']);
      assert.match(refused.err, /refused: no key came with the request, or none that is known/);
      assert.match((await run(pipeline, args)).out, /2 accepted, 0 rejected/);
      await pipeline.untilDone();
      assert.equal((await search(pipeline, 'service:keyed')).length, 2);
    },
  );

  await t.test(
    '--follow: each line once, through kill -9, rotation, truncation and a server that is unreachable',
    async () => {
      const log = file('app.log');
      const other = file('other.log');
      let written = 0;
      const write = (path: string, count: number): void => {
        let lines = '';
        for (let i = 0; i < count; i++) lines += `2026-01-01 10:00:00 INFO line ${written++}\n`;
        appendFileSync(path, lines);
      };
      write(log, 10);
      write(other, 10);
      const args = ['--follow', '--service', 'followed', '--position', file('follow.json'), log, other];
      const sequence = (): number =>
        existsSync(file('follow.json'))
          ? (JSON.parse(readFileSync(file('follow.json'), 'utf8')) as { sequence: number }).sequence
          : 0;
      for (let life = 0; life < 6; life++) {
        const isAway = life === 4;
        if (isAway) await pipeline.end('SIGKILL');
        const child = start(pipeline, args);
        const exit = once(child, 'exit');
        const from = sequence();
        const deadline = Date.now() + (isAway ? 2000 : 60_000);
        while (sequence() <= from && Date.now() < deadline) {
          write(log, 1 + Math.floor(Math.random() * 300));
          write(other, 1);
          await sleep(20);
        }
        await sleep(Math.random() * 300);
        child.kill('SIGKILL');
        await exit;
        if (life % 3 === 0) {
          renameSync(log, `${log}.${life + 1}`);
          write(log, 5);
        }
        if (isAway) await pipeline.start();
      }
      const child = start(pipeline, args);
      const all = async (): Promise<boolean> =>
        (await pipeline.get<Found>('/api/search?q=service:followed&limit=1')).total.value >= written;
      await eventually('all lines found', all);
      // Only now: what a truncation takes before it was read is gone.
      truncateSync(log);
      await sleep(1000);
      write(log, 7);
      await eventually('the lines behind the truncation found', all);
      child.kill('SIGINT');
      assert.deepEqual(await once(child, 'exit'), [0, null]);
      const events = await search(pipeline, 'service:followed');
      assert.deepEqual(
        events.map(({ message }) => Number(message.replace('line ', ''))).toSorted((a, b) => a - b),
        Array.from({ length: written }, (_, n) => n),
      );
    },
  );

  await t.test('files of one command are merged by time, each line once, also through kill -9', async () => {
    const count = 600;
    const names = ['m1.ndjson', 'm2.ndjson', 'm3.ndjson'];
    const lines = Array.from({ length: count }, (_, n) => ({
      timestamp: new Date(Date.UTC(2026, 0, 1) + n * 1000).toISOString(),
      service: 'merged',
      message: `${n}`,
    }));
    for (const [i, name] of names.entries())
      writeFileSync(
        file(name),
        lines
          .filter((_, n) => (n * 7) % names.length === i)
          .map((line) => `${JSON.stringify(line)}\n`)
          .join(''),
      );
    // Pauses, within which it is killed.
    const args = ['--rate', '400', '--position', file('merged.json'), ...names.map(file)];
    for (let kill = 0; kill < 2; kill++) {
      const child = start(pipeline, args);
      const exit = once(child, 'exit');
      await eventually('some lines are sent', async () => {
        const { total } = await pipeline.get<Found>('/api/search?q=service:merged&limit=1');
        return total.value > 100 * kill;
      });
      child.kill('SIGKILL');
      await exit;
    }
    assert.equal((await run(pipeline, args)).code, 0);
    await pipeline.untilDone();
    const events = await search(pipeline, 'service:merged');
    // All are of one service without a request, so of one partition.
    assert.deepEqual(
      events.toSorted((a, b) => a.offset - b.offset).map(({ message }) => Number(message)),
      Array.from({ length: count }, (_, n) => n),
    );
  });

  await t.test('--position: a second run sends what is new; a second sender is refused', async () => {
    writeFileSync(file('p.log'), 'one\ntwo\n');
    const args = ['--service', 'positioned', '--position', file('p.json'), '--json', file('p.log')];
    const accepted = async () =>
      (JSON.parse((await run(pipeline, args)).out) as { accepted: number }).accepted;
    assert.equal(await accepted(), 2);
    assert.equal(await accepted(), 0);
    appendFileSync(file('p.log'), 'three\n');
    assert.equal(await accepted(), 1);
    const follower = start(pipeline, ['--follow', ...args]);
    appendFileSync(file('p.log'), 'four\n');
    // Once it has sent something, it holds the position.
    await eventually(
      'it sends',
      async () => (await search(pipeline, 'service:positioned AND message:four')).length === 1,
    );
    const { code, err } = await run(pipeline, args);
    assert.equal(code, 2);
    assert.match(err, /another logloom send/);
    follower.kill('SIGINT');
    await once(follower, 'exit');
    writeFileSync(file('bad.json'), '{}');
    assert.equal((await run(pipeline, ['--position', file('bad.json'), file('p.log')])).code, 2);
    assert.equal((await run(pipeline, ['--follow', '-'])).code, 2);
    writeFileSync(file('a.xz'), Buffer.from('fd377a585a000004', 'hex'));
    assert.match((await run(pipeline, [file('a.xz')])).err, /xz -dc/);
  });

  await t.test('stack traces are one event; --rate holds back', async () => {
    const trace =
      '2026-01-01 10:00:00 ERROR c.f.Bar - failed\njava.lang.Error: x\n\tat c.f.Bar.run(Bar.java:1)';
    writeFileSync(file('t.gz'), gzipSync(`${trace}\n2026-01-01 10:00:01 INFO c.f.Bar - next\n`.repeat(20)));
    const { out } = await run(pipeline, ['--service', 'traces', '--rate', '40', file('t.gz')]);
    assert.match(out, /40 accepted, 0 rejected/);
    await pipeline.untilDone();
    const events = await search(pipeline, 'service:traces AND level:error');
    assert.equal(events.length, 20);
    assert.equal(events[0]!.message, 'failed\njava.lang.Error: x\n\tat c.f.Bar.run(Bar.java:1)');
  });

  await t.test(
    "a folder of Kubernetes' pods, a pattern, a damaged archive and formats of one's own",
    async () => {
      const folder = file('pods');
      const pod = join(folder, 'prod_shop-0_0ad23ba5-7f0e-4f8a-9c3f-3b5d9a1e2c11', 'web');
      mkdirSync(pod, { recursive: true });
      const cri = [
        '2025-03-14T09:26:53.1Z stdout F {"level":"warn","msg":"json","trace_id":"0af7651916cd43dd8448eb211c80319c"}',
        '2025-03-14T09:26:53.2Z stderr P 2025-03-14 09:26:53Z ERROR long ',
        '2025-03-14T09:26:53.3Z stdout F fine',
        '2025-03-14T09:26:53.4Z stderr F line',
        '2025-03-14T09:26:53.5Z stdout F PAY r-1 paid',
      ];
      writeFileSync(join(pod, '0.log'), `${cri.join('\n')}\n`);
      const whole = gzipSync(Array.from({ length: 5000 }, (_, i) => `line ${i} ${Math.sin(i)}`).join('\n'));
      writeFileSync(file('cut-1.gz'), whole.subarray(0, whole.length / 2));
      writeFileSync(
        file('formats.yaml'),
        "formats: [{ name: pay, pattern: 'PAY %{NOTSPACE:requestId} %{GREEDYDATA:message}' }]\n",
      );
      const { code, out, err } = await run(pipeline, [
        ...['--formats', file('formats.yaml'), '--attribute', 'team=money', folder, file('cut-*.gz')],
      ]);
      assert.equal(code, 1);
      assert.match(out, /, 0 rejected/);
      assert.match(err, /cut-1\.gz is damaged/);
      assert.match(err, /the time of \d+ % of the lines is not known.*For example .*cut-1\.gz: line 0/);
      await pipeline.untilDone();
      const events = await search(pipeline, 'service:web AND attributes.team:money');
      assert.deepEqual(events.map(({ message }) => message).toSorted(), [
        'fine',
        'json',
        'long line',
        'paid',
      ]);
      assert.equal((await search(pipeline, 'service:web AND host:"shop-0" AND level:error')).length, 1);
      assert.equal(
        (await search(pipeline, 'correlationId:"r-1" AND attributes.log.file.path:*0.log')).length,
        1,
      );
      const lines = await search(pipeline, 'attributes.log.file.path:*cut-1.gz');
      assert.ok(lines.length > 1000 && lines.length < 5000, String(lines.length));
    },
  );

  await t.test("OpenStack as plain text: every request's group is right", async () => {
    const direct = new Map<string, number>();
    const log = openStackLog();
    const file = join(pipeline.dataFolder, 'openstack.log');
    writeFileSync(file, log);
    for (const line of log.split('\n')) {
      const id = /\breq-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/.exec(line)?.[0];
      if (id !== undefined) direct.set(id, (direct.get(id) ?? 0) + 1);
    }
    const { out } = await run(pipeline, [file]);
    assert.match(out, /2000 accepted, 0 rejected/);
    await pipeline.untilDone();
    const grouped = new Map<string, number>();
    for (let cursor = ''; ;) {
      const page = await pipeline.get<{
        correlations: { correlationId: string; eventCount: number }[];
        next?: string;
      }>(`/api/correlations?limit=500${cursor === '' ? '' : `&cursor=${cursor}`}`);
      for (const { correlationId, eventCount } of page.correlations)
        if (correlationId.startsWith('req-'))
          grouped.set(correlationId, (grouped.get(correlationId) ?? 0) + eventCount);
      if (page.next === undefined || page.correlations.length === 0) break;
      cursor = page.next;
    }
    assert.deepEqual([...grouped].toSorted(), [...direct].toSorted());
    const services = new Set((await search(pipeline, 'message:req*')).map(({ service }) => service));
    assert.deepEqual([...services].toSorted(), ['nova-api', 'nova-compute', 'nova-scheduler']);
    t.diagnostic(`${direct.size} request ids in ${log.trim().split('\n').length} lines`);
  });
});
