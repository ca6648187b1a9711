import { placeId, type Level, type PlacedEvent } from '@logloom/schemas';
import { recordedLines } from '@logloom/testing';

export interface NezhaLine {
  timestamp: string;
  service: string;
  host: string;
  level: Level;
  message: string;
  traceId?: string;
  spanId?: string;
}

/** The first recorded lines of TrainTicket, for tests and benchmarks: fewer where only the sample is at hand. */
export function nezhaLines(most: number): NezhaLine[] {
  return recordedLines(most).map((line) => JSON.parse(line) as NezhaLine);
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
