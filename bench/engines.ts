/**
 * How near are ingest, correlator and indexer, on Kafka, Elasticsearch and the MongoDB stand-in, to what the same clients do with nothing
 * around them? Ingest is beside kafkajs that produces the very records that it wrote; the correlator, whose groups close while it reads,
 * beside kafkajs that reads them and does nothing; the indexer beside kafkajs, Elasticsearch's bulk helper and
 * MongoDB's insertMany() with documents that were made before the clock started. So the difference is all that we do: reading lines, JSON,
 * ids, Avro, making documents, order and copies. Each is a process of its own and they take turns in one run; the engines and the sender
 * have the same cores. With LOGLOOM_PROFILE=folder the services leave CPU profiles there.
 *
 *     node bench/engines.ts [events] [rounds]
 */
import { Client } from '@elastic/elasticsearch';
import { connectLog } from '@logloom/runtime';
import { topics } from '@logloom/schemas';
import { parseSettings } from '../apps/logloom/src/settings.ts';
import { MongoClient } from 'mongodb';
import { fork } from 'node:child_process';
import { on, once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startStack } from '../infra/local/start-stack.ts';
import { printConditions } from './conditions.ts';
import type { Report, Task } from './engines/task.ts';
import { makeBodies, postBody } from './engines/ingest-bodies.ts';

const perBody = 1000;
const events = Math.ceil(Number(process.argv[2] ?? 30_000) / perBody) * perBody;
const rounds = Number(process.argv[3] ?? 3);
const connections = 4;
const partitions = 4;

interface Cost {
  wallMs: number;
  cpuMs: number;
}

const folder = mkdtempSync(join(tmpdir(), 'bench-engines-'));
await using stack = await startStack({ only: ['kafka', 'elasticsearch', 'mongodb'], throughput: true });
const missing = Object.values(stack.missing);
if (missing.length > 0) {
  console.log(missing.join('\n'));
  process.exitCode = 1;
} else await compare();
rmSync(folder, { recursive: true });

async function compare(): Promise<void> {
  printConditions(
    `one broker with ${partitions} partitions, Elasticsearch, MongoDB stand-in; ${events} events, ${perBody} a request, ${connections} ` +
      `connections; median of ${rounds} after a warm-up`,
  );
  const env: Record<string, string> = {
    ...stack.env,
    INGEST_PORT: '0',
    SYSLOG_PORT: '0',
    LOG_PARTITIONS: String(partitions),
    BARE_TOPIC: 'bare',
    CORRELATION_IDLE_MS: '200',
  };
  const bodies = makeBodies(events / perBody, perBody);
  const costs: Record<Task['role'], Cost[]> = {
    ingest: [],
    'bare producer': [],
    correlator: [],
    'bare consumer': [],
    indexer: [],
    'bare indexer': [],
  };
  let documents = 0;
  for (let round = 0; round <= rounds; round++) {
    env['LOGLOOM_DATA'] = join(folder, String(round));
    await using connection = await connectLog(parseSettings(env));
    const { log } = connection;
    // Each round has a log of its own.
    for (const name of [topics.events, topics.correlations, topics.alerts, 'bare']) {
      if (round > 0) await log.deleteTopic(name);
      await log.createTopics([{ name, partitions }]);
    }
    const from = await log.endOffsets(topics.events);
    const run = async (role: Task['role'], drive?: (address: string) => Promise<void>): Promise<void> => {
      const cost = await contend({ role, env, events, from }, drive);
      if (round > 0) costs[role].push(cost);
    };
    await run('ingest', (address) => sendAll(address, bodies));
    const written = (await log.endOffsets(topics.events)).reduce((sum, end, i) => sum + end - from[i]!, 0);
    if (written !== events) throw new Error(`${written} of ${events} events are in the log`);
    await run('bare producer');
    const readers: Task['role'][] = ['correlator', 'bare consumer'];
    for (const role of round % 2 === 0 ? readers : readers.toReversed()) await run(role);
    const ends = await log.endOffsets(topics.correlations);
    documents = ends.reduce((sum, end) => sum + end, 0);
    // The indexer's part is about events.
    await log.deleteTopic(topics.correlations);
    await log.createTopics([{ name: topics.correlations, partitions }]);
    const order: Task['role'][] = ['indexer', 'bare indexer'];
    // The first makes the templates that the bare client's indices need as well.
    for (const role of round % 2 === 0 ? order : order.toReversed()) {
      await run(role);
      await checkAndEmptyStores(role);
    }
  }
  report('ingest', costs['ingest'], 'kafkajs alone', costs['bare producer']);
  report(`correlator (${documents} documents)`, costs['correlator'], 'kafkajs alone', costs['bare consumer']);
  report('indexer', costs['indexer'], 'the three clients alone', costs['bare indexer']);
}

/** Runs one contender; `drive` is what it has to do with, until that is done. */
async function contend(task: Task, drive?: (address: string) => Promise<void>): Promise<Cost> {
  const profiles = process.env['LOGLOOM_PROFILE'];
  const isOurs = ['ingest', 'correlator', 'indexer'].includes(task.role);
  const child = fork(join(import.meta.dirname, 'engines/contender.ts'), [JSON.stringify(task)], {
    stdio: 'inherit',
    execArgv:
      profiles !== undefined && isOurs ? ['--cpu-prof', `--cpu-prof-dir=${profiles}/${task.role}`] : [],
  });
  const exited = once(child, 'exit');
  const failed = exited.then(() => Promise.reject(new Error(`${task.role} ended before its end`)));
  failed.catch(() => {});
  const messages = on(child, 'message') as AsyncIterator<[Report]>;
  const next = async (): Promise<Report> => {
    const { value } = (await Promise.race([messages.next(), failed])) as IteratorYieldResult<[Report]>;
    return value[0];
  };
  try {
    const ready = await next();
    child.send('begin');
    if (drive !== undefined && 'address' in ready) {
      await Promise.race([drive(ready.address), failed]);
      child.send('end');
    }
    const cost = await next();
    if (!('cpuMs' in cost)) throw new Error('no costs');
    return cost;
  } finally {
    child.kill('SIGTERM');
    await exited;
  }
}

async function sendAll(address: string, bodies: readonly Buffer[]): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  let next = 0;
  const connection = async (): Promise<void> => {
    while (next < bodies.length) {
      const accepted = await postBody(address, agent, bodies[next++]!);
      if (accepted !== perBody) throw new Error(`${accepted} of ${perBody} events were accepted`);
    }
  };
  await Promise.all(Array.from({ length: connections }, connection));
  agent.destroy();
}

async function checkAndEmptyStores(role: string): Promise<void> {
  const client = new Client({ node: stack.env['ELASTICSEARCH_URL']! });
  const mongo = new MongoClient(stack.env['MONGODB_URL']!);
  try {
    const indices = (await client.indices.resolveIndex({ name: '*' })).indices.map(({ name }) => name);
    const days = indices.filter((name) => name.startsWith('logs-'));
    await client.indices.refresh({ index: days });
    const { count } = await client.count({ index: days });
    const database = mongo.db('logloom');
    let archived = 0;
    for (const { name } of await database.listCollections().toArray())
      if (name.startsWith('events_')) archived += await database.collection(name).countDocuments();
    if (count !== events || archived !== events)
      throw new Error(`${role}: ${count} are in Elasticsearch, ${archived} in MongoDB, of ${events}`);
    await client.indices.delete({ index: indices });
    await database.dropDatabase();
  } finally {
    await Promise.all([client.close(), mongo.close()]);
  }
}

function report(name: string, ours: readonly Cost[], rival: string, theirs: readonly Cost[]): void {
  const median = (costs: readonly Cost[], key: keyof Cost): number =>
    costs.map((cost) => cost[key]).toSorted((a, b) => a - b)[costs.length >> 1]!;
  const line = (costs: readonly Cost[]): string =>
    `${Math.round((events / median(costs, 'wallMs')) * 1000).toLocaleString('en')} events/s at ` +
    `${((median(costs, 'cpuMs') / events) * 1000).toFixed(1)} µs of CPU`;
  const rate = median(theirs, 'wallMs') / median(ours, 'wallMs');
  const cpu = median(ours, 'cpuMs') / median(theirs, 'cpuMs');
  console.log(
    `${name}: ${line(ours)}; ${rival}: ${line(theirs)}; rate ${rate.toFixed(2)} of it, CPU ${cpu.toFixed(2)}`,
  );
}
