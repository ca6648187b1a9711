import { lockDataFolder, partitionOf, SqliteEventLog, type NewRecord } from '@logloom/event-log';
import { topics } from '@logloom/schemas';
import { parseSettings } from '../apps/logloom/src/settings.ts';
import { createTelemetry } from '@logloom/telemetry';
import fastify from 'fastify';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent } from 'node:http';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { startIngest } from '../services/ingest/src/index.ts';
import { makeBodies, postBody } from './engines/ingest-bodies.ts';

// How many events a second does POST /ingest take in, durably, beside a bare server that only parses each line and stores it?
// Usage: node bench/ingest.ts [seconds]

const eventsPerBody = 1000;
const connections = 4;
const partitions = 4;

type Role = 'logloom' | 'bare';

async function runLogloom(folder: string): Promise<string> {
  lockDataFolder(folder);
  const { address } = await startIngest({
    settings: parseSettings({
      LOGLOOM_DATA: folder,
      INGEST_PORT: '0',
      SYSLOG_PORT: '0',
      LOG_PARTITIONS: String(partitions),
    }),
    telemetry: createTelemetry('ingest', 'error'),
    signal: new AbortController().signal,
    onReady: () => {},
  });
  return address;
}

/** The ceiling: JSON.parse for each line, the line as it is into the same log. */
async function runBare(folder: string): Promise<string> {
  const log = new SqliteEventLog(join(folder, 'log'));
  await log.createTopics([{ name: topics.events, partitions }]);
  const app = fastify({ bodyLimit: 2 ** 28 });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.post('/ingest', async ({ body }) => {
    const lines = (body as Buffer).toString('utf8').split('\n');
    const records = lines.map((line): NewRecord => {
      const { traceId } = JSON.parse(line) as { traceId: string };
      return { partition: partitionOf(traceId, partitions), key: traceId, value: Buffer.from(line) };
    });
    await log.append(topics.events, records);
    return { accepted: records.length, rejected: [] };
  });
  return app.listen({ host: '127.0.0.1', port: 0 });
}

async function measure(role: Role, bodies: Buffer[], seconds: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-ingest-'));
  const child = fork(import.meta.filename, [role, folder], {
    stdio: 'inherit',
    execArgv: profileArguments(role),
  });
  try {
    const [address] = (await once(child, 'message')) as [string];
    const agent = new Agent({ keepAlive: true, maxSockets: connections });
    await load(address, agent, bodies, 1);
    const rate = await load(address, agent, bodies, seconds);
    agent.destroy();
    return rate;
  } finally {
    child.kill('SIGTERM');
    await once(child, 'exit');
    rmSync(folder, { recursive: true });
  }
}

/** LOGLOOM_PROFILE: a folder for a CPU profile of the service. */
function profileArguments(role: Role): string[] {
  const folder = process.env['LOGLOOM_PROFILE'];
  return folder === undefined || role === 'bare' ? [] : ['--cpu-prof', `--cpu-prof-dir=${folder}`];
}

async function load(address: string, agent: Agent, bodies: Buffer[], seconds: number): Promise<number> {
  const start = performance.now();
  const end = start + seconds * 1000;
  let accepted = 0;
  let next = 0;
  const connection = async (): Promise<void> => {
    while (performance.now() < end)
      accepted += await postBody(address, agent, bodies[next++ % bodies.length]!);
  };
  await Promise.all(Array.from({ length: connections }, connection));
  return accepted / ((performance.now() - start) / 1000);
}

const [role, folder = ''] = process.argv.slice(2);
if (role === 'logloom' || role === 'bare') {
  process.send!(await (role === 'bare' ? runBare(folder) : runLogloom(folder)));
  process.once('SIGTERM', () => process.exit());
} else {
  const seconds = Number(role ?? 5);
  const bodies = makeBodies(50, eventsPerBody);
  const bytes = Math.round(bodies[0]!.length / eventsPerBody);
  const bare = await measure('bare', bodies, seconds);
  const logloom = await measure('logloom', bodies, seconds);
  const perSecond = (rate: number): string => Math.round(rate).toLocaleString('en');
  process.stdout.write(
    `bodies of ${eventsPerBody} events of ${bytes} bytes, ${connections} connections, ${seconds} s each, embedded log\n` +
      `Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model}, load generator on the same machine\n` +
      `logloom      ${perSecond(logloom)} events/s\n` +
      `bare server  ${perSecond(bare)} events/s (JSON.parse and append of the raw line only)\n` +
      `ratio        ${(logloom / bare).toFixed(2)}\n`,
  );
}
