import { Normalizer } from '@logloom/ingest/normalize';
import { readEvent } from '@logloom/ingest/read-event';
import type { LogEvent } from '@logloom/schemas';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { LoadtestError } from '../errors.ts';
import type { LoadEvent } from './load-event.ts';

/** What a recorded line says, whatever its round. */
export type RecordedLine = Pick<LoadEvent, 'service' | 'level' | 'message' | 'host' | 'attributes'>;

/** Ids that would group events of several rounds. */
const otherIds = ['requestId', 'sessionId'];
const largestFile = 2 ** 30;

/**
 * Recorded lines that are sent over and over: event n of the run is line n of the recording, counted on from round to round. They are read
 * as Logloom reads them, so that it is known what has to come. Requests have an id of their own in each round.
 */
export class Recording {
  /** In the order of their first lines. */
  readonly services: readonly string[];
  /** Since the first line, never falling. */
  readonly timesMs: readonly number[];
  readonly #lines: RecordedLine[] = [];
  readonly #serviceOf: number[] = [];
  /** Of each line its request, by the order of first lines, or -1; and its position there. */
  readonly #requestOf: number[] = [];
  readonly #indexOf: number[] = [];
  readonly #members: number[][] = [];
  /** How many requests the lines up to each begin. */
  readonly #begun: number[] = [];

  constructor(events: readonly LogEvent[]) {
    const services = new Map<string, number>();
    const requests = new Map<string, number>();
    const timesMs: number[] = [];
    for (const [line, event] of events.entries()) {
      const { service, level, message, host, correlationId } = event;
      if (!services.has(service)) services.set(service, services.size);
      this.#serviceOf.push(services.get(service)!);
      let request = -1;
      if (correlationId !== null) {
        if (!requests.has(correlationId)) requests.set(correlationId, requests.size);
        request = requests.get(correlationId)!;
        (this.#members[request] ??= []).push(line);
      }
      this.#requestOf.push(request);
      this.#indexOf.push(request < 0 ? 0 : this.#members[request]!.length - 1);
      this.#begun.push(requests.size);
      this.#lines.push({ service, level, message, ...(host === null ? {} : { host }), ...kept(event) });
      timesMs.push(Math.max(timesMs.at(-1) ?? 0, (event.timestamp - events[0]!.timestamp) / 1_000));
    }
    this.services = [...services.keys()];
    this.timesMs = timesMs;
  }

  get length(): number {
    return this.#lines.length;
  }

  lineOf(n: number): RecordedLine {
    return this.#lines[n % this.length]!;
  }

  serviceOf(n: number): number {
    return this.#serviceOf[n % this.length]!;
  }

  placeOf(n: number): { request: number; index: number } {
    const [round, line] = [Math.floor(n / this.length), n % this.length];
    const request = this.#requestOf[line]!;
    return {
      request: request < 0 ? -1 : round * this.#members.length + request,
      index: this.#indexOf[line]!,
    };
  }

  membersOf(request: number, total: number): number[] {
    const round = Math.floor(request / this.#members.length);
    return this.#members
      [request % this.#members.length]!.map((line) => round * this.length + line)
      .filter((n) => n < total);
  }

  requestCount(total: number): number {
    const [rounds, rest] = [Math.floor(total / this.length), total % this.length];
    return rounds * this.#members.length + (rest === 0 ? 0 : this.#begun[rest - 1]!);
  }
}

/** Reads a recording. Throws LoadtestError `bad-scenario` for what cannot be read, and for a line that Logloom would refuse. */
export function readRecording(file: string): Recording {
  const normalizer = new Normalizer([]);
  const now = Date.now();
  const events: LogEvent[] = [];
  for (const [i, line] of textOf(file).split('\n').entries()) {
    if (line.trim() === '') continue;
    const source = { kind: 'http', topic: '', partition: 0, offset: i, index: 0 };
    const event = readEvent(line, source, now, normalizer);
    if ('code' in event)
      throw new LoadtestError('bad-scenario', `${file}: line ${i + 1} is no event: ${event.message}`);
    events.push(event);
  }
  if (events.length === 0) throw new LoadtestError('bad-scenario', `${file} has no lines`);
  return new Recording(events);
}

function textOf(file: string): string {
  try {
    if (file.endsWith('.xz'))
      return execFileSync('xz', ['-dc', file], { maxBuffer: largestFile, encoding: 'utf8' });
    const bytes = readFileSync(file);
    if (file.endsWith('.gz')) return gunzipSync(bytes).toString();
    return (file.endsWith('.zst') ? zstdDecompressSync(bytes) : bytes).toString();
  } catch (error) {
    throw new LoadtestError(
      'bad-scenario',
      `${file} cannot be read: ${(error as Error).message.split('\n')[0]}`,
      { cause: error },
    );
  }
}

function kept({ attributes }: LogEvent): Pick<RecordedLine, 'attributes'> {
  const entries = Object.entries(JSON.parse(attributes) as Record<string, unknown>).filter(
    ([name]) => !otherIds.includes(name),
  );
  return entries.length === 0 ? {} : { attributes: Object.fromEntries(entries) };
}
