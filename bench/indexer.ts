/**
 * How many events a second do the embedded search store and archive take together, and what is the ceiling? The rival is the least
 * that SQLite can do with the same rows: plain inserts into one table, keyed by the id, in the same transactions, with no index by
 * time, no words and no archive. All take turns in one run, on one thread, with synchronous=FULL.
 *
 *     node bench/indexer.ts [events]
 */
import { hasWholeRecording } from '@logloom/testing';
import { openEmbeddedArchive } from '@logloom/archive';
import { parseMicros, type PlacedEvent } from '@logloom/schemas';
import { openEmbeddedSearchStore } from '@logloom/search-store';
import { mkdtempSync, rmSync, readdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { nezhaEvent, nezhaLines, type NezhaLine } from '../services/indexer/src/testing/nezha-events.ts';
import { printConditions } from './conditions.ts';

const count = Number(process.argv[2] ?? 40_000);
const batch = 4000;
const rounds = 3;

interface Contender {
  put: (events: PlacedEvent[]) => Promise<void>;
  close: () => Promise<void>;
}

const contenders: Record<string, (folder: string) => Contender> = {
  'rival: plain inserts': plainInserts,
  'search store': (folder) => {
    const search = openEmbeddedSearchStore(folder);
    return { put: async (events) => void (await search.index(events)), close: () => search.close() };
  },
  archive: (folder) => {
    const archive = openEmbeddedArchive(folder);
    return { put: (events) => archive.put(events), close: () => archive.close() };
  },
  'both stores': (folder) => {
    const search = openEmbeddedSearchStore(folder);
    const archive = openEmbeddedArchive(folder);
    return {
      put: async (events) => void (await Promise.all([search.index(events), archive.put(events)])),
      close: async () => void (await Promise.all([search.close(), archive.close()])),
    };
  },
};

const lines = hasWholeRecording ? nezhaLines(count) : syntheticLines(count);
const events = lines.map((line, offset) => nezhaEvent(line, offset, parseMicros(line.timestamp)));
const bytes = lines.reduce((sum, line) => sum + line.message.length, 0) / lines.length;
const results = new Map<string, { wall: number[]; cpu: number[]; megabytes: number }>();
for (let round = 0; round < rounds; round++) {
  for (const [name, open] of Object.entries(contenders)) await measure(name, open);
}
report();

async function measure(name: string, open: (folder: string) => Contender): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-indexer-'));
  try {
    const contender = open(folder);
    const startedAt = performance.now();
    const cpuBefore = process.cpuUsage();
    for (let i = 0; i < events.length; i += batch) await contender.put(events.slice(i, i + batch));
    const wall = performance.now() - startedAt;
    const cpu = process.cpuUsage(cpuBefore);
    await contender.close();
    const megabytes = readdirSync(folder)
      .map((file) => statSync(join(folder, file)).size)
      .reduce((sum, size) => sum + size / 1e6, 0);
    const result = results.get(name) ?? { wall: [], cpu: [], megabytes };
    result.wall.push(wall);
    result.cpu.push((cpu.user + cpu.system) / 1000);
    results.set(name, result);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function plainInserts(folder: string): Contender {
  const db = new DatabaseSync(join(folder, 'plain.db'));
  db.exec(`PRAGMA page_size=8192; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=10000;
    CREATE TABLE events (id TEXT PRIMARY KEY, ts, level, service, host, message, correlation_id, correlation_kind, trace_id,
      span_id, attributes, partition, "offset")`);
  const insert = db.prepare(`INSERT OR IGNORE INTO events VALUES (${'?, '.repeat(12)}?)`);
  return {
    put: async (batchOfEvents) => {
      db.exec('BEGIN');
      for (const e of batchOfEvents) {
        const ids = [e.correlationId, e.correlationKind, e.traceId, e.spanId];
        insert.run(
          e.id,
          e.timestamp,
          e.level,
          e.service,
          e.host,
          e.message,
          ...ids,
          e.attributes,
          e.partition,
          e.offset,
        );
      }
      db.exec('COMMIT');
    },
    close: async () => db.close(),
  };
}

function syntheticLines(n: number): NezhaLine[] {
  return Array.from({ length: n }, (_, i) => ({
    timestamp: new Date(1_700_000_000_000 + i).toISOString(),
    service: `service-${i % 12}`,
    host: `10.0.0.${i % 30}`,
    level: i % 50 === 0 ? 'error' : 'info',
    message: `request ${i} of user ${i % 977} for /orders/${i % 311} took ${i % 90} ms `.repeat(8),
    traceId: (i >> 4).toString(16).padStart(32, '0'),
    spanId: i.toString(16).padStart(16, '0'),
  }));
}

function report(): void {
  const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;
  const ceiling = median(results.get('rival: plain inserts')!.wall);
  printConditions(
    `${events.length} events (${hasWholeRecording ? 'TrainTicket log' : 'synthetic'}, ${Math.round(bytes)} characters a message), ` +
      `${batch} a transaction, median of ${rounds}\n`,
  );
  console.log('                        events/s   CPU µs/event   of rival   MB on disk');
  for (const [name, { wall, cpu, megabytes }] of results) {
    const perSecond = Math.round((events.length / median(wall)) * 1000);
    const perEvent = ((median(cpu) * 1000) / events.length).toFixed(1);
    const share = `${Math.round((ceiling / median(wall)) * 100)} %`;
    console.log(
      `${name.padEnd(22)}${String(perSecond).padStart(10)}${perEvent.padStart(15)}${share.padStart(11)}${megabytes.toFixed(0).padStart(13)}`,
    );
  }
}
