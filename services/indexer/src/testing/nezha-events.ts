import { placeId, type Level, type PlacedEvent } from '@logloom/schemas';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const path = join(import.meta.dirname, '../../../../../shared/data/nezha-2023-01-30.ndjson.xz');

export interface NezhaLine {
  timestamp: string;
  service: string;
  host: string;
  level: Level;
  message: string;
  traceId?: string;
  spanId?: string;
}

/** Whether the real log is on this machine. */
export const hasNezha = existsSync(path);

/** The first lines of the real log of TrainTicket, for tests and benchmarks. */
export function nezhaLines(count: number): NezhaLine[] {
  const text = execFileSync('xz', ['-dc', path], { maxBuffer: 2 ** 28, encoding: 'utf8' });
  return text
    .split('\n', count)
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as NezhaLine);
}

/** A line as the event that ingest would make of it, at that offset of partition 0. */
export function nezhaEvent(line: NezhaLine, offset: number, micros: number): PlacedEvent {
  const source = { kind: 'http', topic: 'nezha', partition: 0, offset, index: 0 };
  return {
    source,
    id: placeId('nezha', 0, offset),
    partition: 0,
    offset,
    timestamp: micros,
    receivedAt: 1_700_000_000_000,
    level: line.level,
    service: line.service,
    host: line.host,
    message: line.message,
    correlationId: line.traceId ?? null,
    correlationKind: line.traceId === undefined ? null : 'traceId',
    traceId: line.traceId ?? null,
    spanId: line.spanId ?? null,
    attributes: '{}',
  };
}
