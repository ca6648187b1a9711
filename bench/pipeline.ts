/**
 * The whole pipeline in one process: how fast are events accepted, found by search, and in their request's document?
 * Beside it, in the same run, what a script without a pipeline does: a server that parses each line and puts it into one
 * full-text table, with no log, no grouping, no archive, no live tier; one commit a request, as durable as ours.
 *
 * Usage: node bench/pipeline.ts [events]     LOGLOOM_PROFILE=<folder> leaves a CPU profile of each thread there.
 */
import fastify from 'fastify';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pipeline } from '../tests/pipeline/pipeline.ts';
import { demoLines } from '../tests/pipeline/traffic.ts';
import { printConditions } from './conditions.ts';

const batchLines = 1000;
const connections = 4;

interface Rates {
  accepted: number;
  searchable: number;
  grouped: number;
}

function perSecond(events: number, startedAt: number): number {
  return Math.round(events / ((performance.now() - startedAt) / 1000));
}

async function send(url: string, lines: readonly string[]): Promise<void> {
  let next = 0;
  const connection = async (): Promise<void> => {
    while (next < lines.length) {
      const body = lines.slice(next, (next += batchLines)).join('\n');
      const response = await fetch(`${url}/ingest`, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/x-ndjson' },
      });
      if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
      await response.arrayBuffer();
    }
  };
  await Promise.all(Array.from({ length: connections }, connection));
}

async function measurePipeline(lines: readonly string[]): Promise<Rates> {
  const profile = process.env['LOGLOOM_PROFILE'];
  await using pipeline = await Pipeline.create({
    CORRELATION_IDLE_MS: '1000',
    ...(profile === undefined ? {} : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profile}` }),
  });
  await pipeline.start();
  const startedAt = performance.now();
  await send(pipeline.ingestUrl, lines);
  const accepted = perSecond(lines.length, startedAt);
  const lag = async (group: string, topic: string): Promise<number> => {
    const { consumers } = await pipeline.get<{ consumers: { group: string; topic: string; lag: number }[] }>(
      '/api/status',
    );
    return consumers.filter((c) => c.group === group && c.topic === topic).reduce((sum, c) => sum + c.lag, 0);
  };
  while ((await pipeline.get<{ total: { value: number } }>('/api/search?limit=1')).total.value < lines.length)
    await sleep(20);
  const searchable = perSecond(lines.length, startedAt);
  // The correlator says where it is twice a second.
  while ((await lag('correlator', 'logs.events')) > 0) await sleep(20);
  const grouped = perSecond(lines.length, startedAt);
  await pipeline.end('SIGTERM');
  return { accepted, searchable, grouped };
}

async function measureScript(lines: readonly string[]): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-script-'));
  const child = fork(import.meta.filename, ['script', folder], { stdio: 'inherit' });
  try {
    const [url] = (await once(child, 'message')) as [string];
    const startedAt = performance.now();
    await send(url, lines);
    return perSecond(lines.length, startedAt);
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
    rmSync(folder, { recursive: true });
  }
}

async function runScript(folder: string): Promise<void> {
  const db = new DatabaseSync(join(folder, 'events.db'));
  db.exec(
    'PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE VIRTUAL TABLE events USING fts5(message, event UNINDEXED)',
  );
  const insert = db.prepare('INSERT INTO events VALUES (?, ?)');
  const app = fastify({ bodyLimit: 2 ** 28 });
  app.addContentTypeParser('*', { parseAs: 'string' }, (_, body, done) => done(null, body));
  app.post('/ingest', async ({ body }) => {
    db.exec('BEGIN');
    const lines = (body as string).split('\n');
    for (const line of lines) insert.run((JSON.parse(line) as { message: string }).message, line);
    db.exec('COMMIT');
    return { accepted: lines.length };
  });
  process.send!(await app.listen({ host: '127.0.0.1', port: 0 }));
}

if (process.argv[2] === 'script') {
  await runScript(process.argv[3]!);
} else {
  const wanted = Number(process.argv[2] ?? 60_000);
  const lines = demoLines(Math.ceil(wanted / 7)).slice(0, wanted);
  const bytes = Math.round(lines.reduce((sum, line) => sum + line.length, 0) / lines.length);
  printConditions(
    `${lines.length} demo events of ${bytes} bytes, ${batchLines} a request, ${connections} connections, sender on the same machine`,
  );
  for (let round = 1; round <= 2; round++) {
    const script = await measureScript(lines);
    const ours = await measurePipeline(lines);
    const row = (name: string, rate: number): string =>
      `  ${name.padEnd(34)} ${rate.toLocaleString('en').padStart(8)} events/s   ${(rate / script).toFixed(2)} of the script`;
    console.log(`round ${round}`);
    console.log(row('script: parsed, full text, committed', script));
    console.log(row('Logloom: accepted, durable', ours.accepted));
    console.log(row('Logloom: searchable and archived', ours.searchable));
    console.log(row('Logloom: grouped', ours.grouped));
  }
}
