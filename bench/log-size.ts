/**
 * How much of the disk does the embedded log take for each byte that was sent, beside zstd -3 of the same lines in one file? And what does
 * it cost to append a record and to read one?
 *
 * Usage: node bench/log-size.ts [file.ndjson ...]     Without files: generated traffic of the demo shop.
 */
import { SqliteEventLog, type LogRecord, type NewRecord } from '@logloom/event-log';
import { topics } from '@logloom/schemas';
import { createTelemetry } from '@logloom/telemetry';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { constants, zstdCompressSync } from 'node:zlib';
import { parseSettings } from '../apps/logloom/src/settings.ts';
import { BatchJoiner } from '../libs/event-log/src/sqlite/batch-joiner.ts';
import { startIngest } from '../services/ingest/src/index.ts';
import { demoLines } from '../tests/pipeline/traffic.ts';
import { printConditions } from './conditions.ts';
import { postBody } from './engines/ingest-bodies.ts';

const partitions = 4;
const perRequest = 1000;
/** Each is a commit of its own, which waits for the disk. */
const singleEvents = 20_000;
const readEach = 1000;

/** Bytes of the files, the write-ahead ones included. */
function sizeOf(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

/** µs of CPU of this process for each of `count`. */
async function cpuEach(count: number, work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / count;
}

async function joinAll(folder: string): Promise<void> {
  const path = join(folder, `${topics.events}.db`);
  const { signal } = new AbortController();
  await new BatchJoiner().join({ path, partitions }, { appendedBefore: Infinity }, signal);
}

async function readAll(log: SqliteEventLog): Promise<LogRecord[]> {
  const found: LogRecord[] = [];
  for (let p = 0; p < partitions; p++)
    for (let next = 0; ;) {
      const records = await log.read(topics.events, p, next, readEach);
      if (records.length === 0) break;
      for (const record of records) found.push(record);
      next = records.at(-1)!.offset + 1;
    }
  return found;
}

async function openLog(folder: string): Promise<SqliteEventLog> {
  const log = new SqliteEventLog(folder);
  await log.createTopics([{ name: topics.events, partitions }]);
  return log;
}

/** The records that ingest makes of the lines, in their order. */
async function throughIngest(folder: string, lines: readonly string[]): Promise<NewRecord[]> {
  const stop = new AbortController();
  const settings = parseSettings({
    LOGLOOM_DATA: folder,
    INGEST_PORT: '0',
    SYSLOG_PORT: '0',
    LOG_PARTITIONS: String(partitions),
  });
  const telemetry = createTelemetry('ingest', 'error');
  const { address, done } = await startIngest({
    settings,
    telemetry,
    signal: stop.signal,
    onReady: () => {},
  });
  const agent = new Agent({ keepAlive: true });
  for (let i = 0; i < lines.length; i += perRequest)
    await postBody(address, agent, Buffer.from(lines.slice(i, i + perRequest).join('\n')));
  agent.destroy();
  stop.abort();
  await done;
  const log = await openLog(join(folder, 'log'));
  const records = await readAll(log);
  await log.close();
  return records.sort((a, b) => a.timestampMs - b.timestampMs);
}

async function measure(name: string, lines: readonly string[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-log-size-'));
  try {
    const raw = Buffer.from(`${lines.join('\n')}\n`);
    const row = (what: string, bytes: number, of = raw.length): void =>
      console.log(`  ${what.padEnd(44)} ${(bytes / of).toFixed(3).padStart(7)} bytes a raw byte`);
    const cost = (what: string, micros: number): void =>
      console.log(`  ${what.padEnd(44)} ${micros.toFixed(2).padStart(7)} µs of CPU a record`);
    console.log(`${name}: ${lines.length} events, ${raw.length} bytes`);
    const records = await throughIngest(join(folder, 'data'), lines);
    const file = zstdCompressSync(raw, { params: { [constants.ZSTD_c_compressionLevel]: 3 } });
    row('the lines in one file, zstd -3', file.length);

    const batches = join(folder, 'batches');
    let log = await openLog(batches);
    const append = await cpuEach(records.length, async () => {
      for (let i = 0; i < records.length; i += perRequest)
        await log.append(topics.events, records.slice(i, i + perRequest));
    });
    await log.close();
    row('the log, as appended by requests of 1,000', sizeOf(batches));
    log = await openLog(batches);
    const read = await cpuEach(records.length, async () => void (await readAll(log)));
    await log.close();
    const joining = await cpuEach(records.length, () => joinAll(batches));
    row('the log, joined', sizeOf(batches));
    log = await openLog(batches);
    const readJoined = await cpuEach(records.length, async () => void (await readAll(log)));
    await log.close();

    const single = join(folder, 'single');
    log = await openLog(single);
    const some = records.slice(0, singleEvents);
    const share = (raw.length * some.length) / records.length;
    const waits: number[] = [];
    for (const record of some) {
      const startedAt = performance.now();
      await log.append(topics.events, [record]);
      waits.push(performance.now() - startedAt);
    }
    await log.close();
    row(`the log, ${some.length} events one by one`, sizeOf(single), share);
    await joinAll(single);
    row('the same, joined', sizeOf(single), share);
    cost('append, 1,000 records at once', append);
    cost('read, as appended', read);
    cost('join', joining);
    cost('read, joined', readJoined);
    waits.sort((a, b) => a - b);
    const at = (share: number): string => waits[Math.floor(waits.length * share)]!.toFixed(2);
    console.log(`  durable append of one event: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

printConditions(`${partitions} partitions; reads of ${readEach} records`);
const files = process.argv.slice(2);
if (files.length === 0) await measure('demo shop', demoLines(15_000));
for (const file of files) await measure(basename(file), readFileSync(file, 'utf8').trimEnd().split('\n'));
process.exit();
