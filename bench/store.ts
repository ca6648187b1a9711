/**
 * What does an event cost the embedded store: µs of CPU to store it for search and archive, bytes on the disk for each byte that was sent,
 * once settled, and ms until a store of so many events answers? Beside it: zstd -3 of the same lines in one file.
 *
 *     node bench/store.ts [--times n] [file.ndjson ...]      Without files: the recording of TrainTicket and traffic of the demo shop.
 *
 * --times stores the lines n times, each time a day later.
 */
import { ColumnStore } from '@logloom/column-store';
import { parseMicros, placeId, type Level, type PlacedEvent } from '@logloom/schemas';
import { recordedLines } from '@logloom/testing';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { constants, zstdCompressSync } from 'node:zlib';
import { demoLines } from '../tests/pipeline/traffic.ts';
import { printConditions } from './conditions.ts';

const batch = 10_000;
const dayMicros = 86_400_000_000;

/** A line of JSON as ingest would name its fields. */
function eventOf(line: string, offset: number, shiftMicros: number): PlacedEvent {
  const { timestamp, level, service, host, message, traceId, spanId, correlationId, ...attributes } =
    JSON.parse(line) as Record<string, string | undefined>;
  const id = correlationId ?? traceId ?? null;
  return {
    source: { kind: 'http', topic: 'bench', partition: 0, offset, index: 0 },
    id: placeId('bench', 0, offset),
    partition: 0,
    offset,
    timestamp: parseMicros(timestamp ?? '2026-01-01T00:00:00Z') + shiftMicros,
    receivedAt: 1_700_000_000_000 + Math.floor(offset / 50),
    level: (level ?? 'info').toLowerCase() as Level,
    service: service ?? 'unknown',
    host: host ?? null,
    message: message ?? '',
    correlationId: id,
    correlationKind: id === null ? null : correlationId === undefined ? 'traceId' : 'correlationId',
    traceId: traceId ?? null,
    spanId: spanId ?? null,
    attributes: JSON.stringify(attributes),
  };
}

function bytesOf(folder: string, pattern: RegExp): number {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => pattern.test(name))
    .reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

function cpuMicros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** A process that opens the store and asks for the number of events and the newest hundred. Returns ms from its start. */
async function startMs(folder: string): Promise<{ ms: number; rssBytes: number }> {
  const module = new URL('../libs/column-store/src/index.ts', import.meta.url).href;
  const code = `
    const { ColumnStore } = await import(${JSON.stringify(module)});
    const store = new ColumnStore(${JSON.stringify(folder)});
    store.counts('search');
    await store.read('search', (view) => {
      const { toMicros } = view.slices[0];
      const relation = view.events({ fromMicros: toMicros - 60_000_000 });
      return view.rows('SELECT id FROM ' + relation + ' ORDER BY timestamp DESC LIMIT 100');
    });
    console.log(process.memoryUsage.rss());
    process.kill(process.pid, 'SIGKILL');`;
  const startedAt = performance.now();
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [text] = (await once(child.stdout, 'data')) as [Buffer];
  const ms = performance.now() - startedAt;
  await once(child, 'exit');
  return { ms, rssBytes: Number(text.toString()) };
}

async function measure(name: string, lines: readonly string[], times: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-store-'));
  try {
    const raw = Buffer.from(`${lines.join('\n')}\n`);
    const all = lines.length * times;
    const bytes = raw.length * times;
    const row = (what: string, value: string): void => console.log(`  ${what.padEnd(46)} ${value}`);
    console.log(`${name}: ${all} events, ${bytes} bytes`);
    const file = zstdCompressSync(raw, { params: { [constants.ZSTD_c_compressionLevel]: 3 } });
    row('the lines in one file, zstd -3', `${(file.length / raw.length).toFixed(3)} bytes a raw byte`);

    const store = new ColumnStore(folder, { memoryBytes: 128 * 2 ** 20 });
    store.use('search');
    store.use('archive');
    let storing = 0;
    let peakRss = 0;
    let offset = 0;
    const startedAt = performance.now();
    for (let day = 0; day < times; day++)
      for (let i = 0; i < lines.length; i += batch) {
        const events = lines.slice(i, i + batch).map((line) => eventOf(line, offset++, day * dayMicros));
        const before = cpuMicros();
        await Promise.all([store.putEvents('search', events), store.putEvents('archive', events)]);
        storing += cpuMicros() - before;
        peakRss = Math.max(peakRss, process.memoryUsage.rss());
      }
    const seconds = (performance.now() - startedAt) / 1000;
    const before = cpuMicros();
    await store.settle();
    const settling = cpuMicros() - before;
    await store.close();
    row('CPU to store for both views, with merging', `${(storing / all).toFixed(1)} µs an event`);
    row('CPU to merge the rest and index', `${(settling / all).toFixed(1)} µs an event`);
    row('stored, with making the events', `${Math.round(all / seconds)} events/s`);
    row('memory of this process, its lines included', `${Math.round(peakRss / 1e6)} MB at most`);
    rmSync(join(folder, 'tmp'), { recursive: true, force: true });
    const named = new ColumnStore(folder, { readOnly: true });
    const slices = named.catalog.slices();
    await named.close();
    const files = slices.reduce((sum, slice) => sum + slice.bytes, 0);
    const stems = slices.map(({ file: path }) => path.replace(/\.parquet$/, ''));
    const beside = readdirSync(folder)
      .filter((path) => !path.endsWith('.parquet') && stems.some((stem) => path.startsWith(`${stem}.`)))
      .reduce((sum, path) => sum + statSync(join(folder, path)).size, 0);
    const share = (of: number): string => `${(of / bytes).toFixed(3)} bytes a raw byte`;
    row(`the store, settled (${slices.length} files)`, share(files + beside + bytesOf(folder, /^catalog/)));
    row('  of these: columns', share(files));
    row('  of these: indexes', share(beside));
    const starts = [await startMs(folder), await startMs(folder), await startMs(folder)];
    row(
      'process started, counted and newest 100 read',
      `${starts.map(({ ms }) => Math.round(ms)).join(', ')} ms; ${Math.round(starts[0]!.rssBytes / 1e6)} MB`,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function linesOf(path: string): string[] {
  const text = path.endsWith('.xz')
    ? execFileSync('xz', ['-dc', path], { maxBuffer: 2 ** 31 - 1, encoding: 'utf8' })
    : readFileSync(path, 'utf8');
  return text.trimEnd().split('\n');
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { times: { type: 'string', default: '1' } },
});
printConditions(`batches of ${batch}; each to search and archive; 128 MiB for DuckDB`);
if (positionals.length === 0) {
  await measure('TrainTicket', recordedLines(), Number(values.times));
  await measure('demo shop', demoLines(15_000), Number(values.times));
}
for (const path of positionals) await measure(basename(path), linesOf(path), Number(values.times));
