/**
 * What does a Logloom of one process take: seconds of CPU for 1,000 events, by service; bytes on disk for a byte of logs; memory and CPU for viewers? The figures of docs/sizing.md. Beside it: the bytes of the lines themselves, and of the same lines by zstd.
 * Options: --events 30000, --viewers 2000, --rate 50, --seconds 20.
 */
import { parseMetrics } from '@logloom/telemetry/testing/metrics-text';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { checkDelivery } from '@logloom/loadtest';
import { sendBatches } from '../apps/logloom/src/send/send-batches.ts';
import { Pipeline } from '../tests/pipeline/pipeline.ts';
import { loadTraffic } from '../tests/pipeline/traffic.ts';
import { printConditions } from './conditions.ts';
import { option } from './live/option.ts';

const events = option('events', 30_000);
const viewers = option('viewers', 2000);
const [rate, seconds] = [option('rate', 50), option('seconds', 20)];
const batch = 500;

interface Usage {
  /** Seconds for which the event loop of each service's threads was at work. */
  active: Map<string, number>;
  /** Seconds of CPU of the whole process. */
  cpu: number;
  rssBytes: number;
}

async function usageOf(pipeline: Pipeline): Promise<Usage> {
  const families = parseMetrics(await (await fetch(`${pipeline.viewersUrl}/metrics`)).text());
  const active = new Map<string, number>();
  for (const { labels, value } of families.get('logloom_event_loop_active_seconds_total')!.samples) {
    const service = /service="([^"]+)"/.exec(labels)?.[1] ?? '';
    active.set(service, (active.get(service) ?? 0) + value);
  }
  const ticks = readFileSync(`/proc/${pipeline.pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  const [, rss = ''] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pipeline.pid}/status`, 'utf8'))!;
  return { active, cpu: (Number(ticks[11]) + Number(ticks[12])) / 100, rssBytes: Number(rss) * 1024 };
}

function bytesIn(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}

async function* inBatches(lines: readonly string[]): AsyncGenerator<string[]> {
  for (let i = 0; i < lines.length; i += batch) yield lines.slice(i, i + batch);
}

const traffic = loadTraffic();
const lines = traffic.lines.slice(0, events);
const raw = Buffer.from(lines.join('\n'));
printConditions(
  `${lines.length} lines of ${traffic.name}, ${(raw.length / lines.length).toFixed(0)} bytes each, as fast as they are taken; then ${viewers} viewers of everything at ${rate} events/s for ${seconds} s`,
);
await using pipeline = await Pipeline.create();
await pipeline.start();
const before = await usageOf(pipeline);
const startedAt = performance.now();
await sendBatches(inBatches(lines), { url: pipeline.ingestUrl, onProgress: () => {} });
const acceptedMs = performance.now() - startedAt;
await pipeline.untilDone();
const doneMs = performance.now() - startedAt;
const after = await usageOf(pipeline);
const thousands = lines.length / 1000;
console.log(
  `accepted at ${((lines.length / acceptedMs) * 1000).toFixed(0)} events/s; searchable, archived and grouped at ${((lines.length / doneMs) * 1000).toFixed(0)} events/s, the wait for idle requests included`,
);
console.log(`CPU for 1,000 events: ${((after.cpu - before.cpu) / thousands).toFixed(3)} s, of which`);
for (const [service, active] of after.active)
  console.log(
    `  ${service.padEnd(12)} ${((active - (before.active.get(service) ?? 0)) / thousands).toFixed(3)} s`,
  );
// Checkpointed: otherwise the write-ahead files count twice.
await pipeline.end('SIGTERM');
const perByte = (bytes: number): string => (bytes / raw.length).toFixed(2);
console.log(
  `bytes on disk for a byte of logs: ${perByte(bytesIn(pipeline.dataFolder))}; log ${perByte(bytesIn(join(pipeline.dataFolder, 'log')))}, search and archive ${perByte(bytesIn(join(pipeline.dataFolder, 'stores')))}; the lines by zstd ${perByte(zstdCompressSync(raw).length)}`,
);

await pipeline.start();
await pipeline.untilDone();
const idle = await usageOf(pipeline);
const half = Promise.withResolvers<void>();
const watching = checkDelivery(
  { viewers, rate, seconds },
  {
    url: pipeline.viewersUrl,
    token: undefined,
    ingestUrl: pipeline.ingestUrl,
    ingestKey: undefined,
    onProgress: ({ atS, durationS }) => {
      if (atS > durationS - seconds / 2) half.resolve();
    },
  },
  new AbortController().signal,
);
await Promise.race([half.promise, watching]);
const loaded = await usageOf(pipeline);
const { result } = await watching;
const end = await usageOf(pipeline);
// The live tier runs on the main thread.
const live = end.active.get('logloom')! - idle.active.get('logloom')!;
const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
console.log(
  `${result.viewers} viewers, ${result.refused} refused, ${result.deliveries} deliveries, ${result.wrong} viewers without each event once`,
);
console.log(`memory: ${mebibytes(idle.rssBytes)} without viewers, ${mebibytes(loaded.rssBytes)} with them`);
console.log(
  `for 1,000 deliveries: ${((live / result.deliveries) * 1000).toFixed(4)} s of the live tier's thread, ${(((end.cpu - idle.cpu) / result.deliveries) * 1000).toFixed(4)} s of CPU, what was sent to ingest included`,
);
