/**
 * What does each stage of the one-process pipeline cost an event, in µs of CPU? Each stage runs in a process of its own on one log that ingest
 * has filled: HTTP to the log, correlating, storing, and the live tier without viewers; and reading and decoding alone, which three of them
 * contain.
 *
 * Usage: node bench/stages.ts [file.ndjson]     Without a file: generated traffic. LOGLOOM_PROFILE=<folder> leaves CPU profiles there.
 */
import { openAuthenticate } from '@logloom/auth';
import { runCorrelator } from '@logloom/correlator';
import { SqliteEventLog, type NewRecord } from '@logloom/event-log';
import { createLiveTier, liveOptions, openLiveStores } from '@logloom/fanout';
import { runIndexer } from '@logloom/indexer';
import { connectLog } from '@logloom/runtime';
import { topics } from '@logloom/schemas';
import { createTelemetry } from '@logloom/telemetry';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { parseSettings } from '../apps/logloom/src/settings.ts';
import { startIngest } from '../services/ingest/src/index.ts';
import { demoLines } from '../tests/pipeline/traffic.ts';
import { printConditions } from './conditions.ts';
import { postBody } from './engines/ingest-bodies.ts';

const partitions = 4;
const perRequest = 1000;
/** A stage is done when it has used less CPU than this (ms) in a look. */
const idleCpuMs = 15;
const lookMs = 400;

type Stage = 'ingest' | 'read' | 'correlator' | 'indexer' | 'live';

const settingsOf = (folder: string) =>
  parseSettings({
    LOGLOOM_DATA: folder,
    INGEST_PORT: '0',
    SYSLOG_PORT: '0',
    LOG_PARTITIONS: String(partitions),
    CORRELATION_IDLE_MS: '1000',
    CORRELATION_GRACE_MS: '500',
  });

const cpuMs = ({ user, system }: NodeJS.CpuUsage): number => (user + system) / 1000;

/** The CPU (ms) that the work took, once it has come to rest. `usage`: whose. */
async function untilIdle(before: NodeJS.CpuUsage, usage = () => process.cpuUsage()): Promise<number> {
  for (let last = -Infinity; ;) {
    await sleep(lookMs);
    const now = cpuMs(usage()) - cpuMs(before);
    if (now - last < idleCpuMs && now > 10 * idleCpuMs) return now;
    last = now;
  }
}

async function readAll(folder: string): Promise<NewRecord[]> {
  const log = new SqliteEventLog(join(folder, 'log'));
  const found: NewRecord[] = [];
  for (let partition = 0; partition < partitions; partition++)
    for (let next = 0; ;) {
      const records = await log.read(topics.events, partition, next, 1000);
      if (records.length === 0) break;
      for (const { key, value, headers } of records) found.push({ partition, key, value, headers });
      next = records.at(-1)!.offset + 1;
    }
  await log.close();
  return found;
}

/** Appends what the log of `from` holds to that of `to`, at a pace that others can follow. On a thread of its own. */
async function replay({ from, to }: { from: string; to: string }): Promise<void> {
  const records = await readAll(from);
  const log = new SqliteEventLog(join(to, 'log'));
  for (let i = 0; i < records.length; i += perRequest) {
    await log.append(topics.events, records.slice(i, i + perRequest));
    await sleep(25);
  }
  await log.close();
}

/** Runs a stage in this process; returns ms of CPU. */
async function runStage(stage: Stage, folder: string): Promise<number> {
  const settings = settingsOf(folder);
  const telemetry = createTelemetry('bench', 'error');
  const signal = new AbortController().signal;
  const context = { settings, telemetry, signal, onReady: () => {} };
  const before = process.cpuUsage();
  if (stage === 'read') {
    await readAll(folder);
    return cpuMs(process.cpuUsage(before));
  }
  if (stage !== 'live') {
    const run = stage === 'correlator' ? runCorrelator : runIndexer;
    run(context).catch((error: unknown) => (console.error(error), process.exit(1)));
    return untilIdle(before);
  }
  const other = mkdtempSync(join(tmpdir(), 'bench-stages-live-'));
  const liveSettings = settingsOf(other);
  const connection = await connectLog(liveSettings, {}, telemetry, signal);
  const stores = openLiveStores(liveSettings, telemetry.logger);
  const authenticate = await openAuthenticate(liveSettings);
  const options = liveOptions(liveSettings);
  const live = createLiveTier({
    ...connection,
    stores,
    settings: liveSettings,
    telemetry,
    authenticate,
    options,
  });
  await new Promise<void>((resolve) => void live.run(signal, resolve));
  const began = process.threadCpuUsage();
  await once(new Worker(import.meta.filename, { workerData: { from: folder, to: other } }), 'exit');
  const used = await untilIdle(began, () => process.threadCpuUsage());
  rmSync(other, { recursive: true });
  return used;
}

async function fill(folder: string): Promise<void> {
  const context = {
    settings: settingsOf(folder),
    telemetry: createTelemetry('bench', 'error'),
    signal: new AbortController().signal,
    onReady: () => {},
  };
  const { address } = await startIngest(context);
  const before = process.cpuUsage();
  process.on('message', () => process.send!(cpuMs(process.cpuUsage(before)), () => process.exit()));
  process.send!(address);
}

function start(stage: Stage, folder: string) {
  const profile = process.env['LOGLOOM_PROFILE'];
  const execArgv =
    profile === undefined
      ? []
      : ['--cpu-prof', `--cpu-prof-dir=${profile}`, `--cpu-prof-name=${stage}.cpuprofile`];
  return fork(import.meta.filename, [stage, folder], { stdio: 'inherit', execArgv });
}

async function measure(stage: Stage, folder: string, lines: readonly string[]): Promise<number> {
  const child = start(stage, folder);
  const [first] = (await once(child, 'message')) as [string | number];
  let ms = Number(first);
  if (stage === 'ingest') {
    const agent = new Agent({ keepAlive: true });
    for (let i = 0; i < lines.length; i += perRequest)
      await postBody(String(first), agent, Buffer.from(lines.slice(i, i + perRequest).join('\n')));
    agent.destroy();
    child.send('end');
    [ms] = (await once(child, 'message')) as [number];
  }
  await once(child, 'exit');
  return (ms * 1000) / lines.length;
}

/** A run is long enough that starting hardly counts: the lines several times, each time with other trace ids. */
function repeated(lines: readonly string[]): string[] {
  const rounds = Math.ceil(300_000 / lines.length);
  return Array.from({ length: rounds }, (_, round) =>
    lines.map((line) => {
      const { traceId } = JSON.parse(line) as { traceId?: string };
      return traceId === undefined || round === 0
        ? line
        : line.replaceAll(traceId, `${round.toString(16)}${traceId.slice(1)}`);
    }),
  ).flat();
}

const [first, folderGiven] = process.argv.slice(2);
const names: Record<Stage, string> = {
  ingest: 'HTTP, normalizing, append',
  read: 'reading alone, once',
  correlator: 'read, decode, correlate, write documents',
  indexer: 'read, decode, store, index',
  live: 'read, decode, broadcast to nobody',
};

if (!isMainThread) {
  await replay(workerData as { from: string; to: string });
} else if (first !== undefined && first in names) {
  if (first === 'ingest') await fill(folderGiven!);
  else process.send!(await runStage(first as Stage, folderGiven!), () => process.exit());
} else {
  const lines =
    first === undefined ? demoLines(45_000) : repeated(readFileSync(first, 'utf8').trimEnd().split('\n'));
  const bytes = Math.round(lines.reduce((sum, line) => sum + line.length, 0) / lines.length);
  printConditions(
    `${lines.length} events of ${bytes} bytes, ${perRequest} a request, ${partitions} partitions`,
  );
  const folder = mkdtempSync(join(tmpdir(), 'bench-stages-'));
  try {
    for (const stage of Object.keys(names) as Stage[]) {
      const micros = await measure(stage, folder, lines);
      console.log(
        `  ${stage.padEnd(12)} ${names[stage].padEnd(42)} ${micros.toFixed(1).padStart(6)} µs of CPU an event`,
      );
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}
