import { RejectedError } from '../../errors.ts';
import { textOfValue } from '../../event/json-text.ts';
import { jsonDeadLetter, jsonPart } from '../json-dead-letter.ts';
import type { Labels, LokiEntry, LokiStream } from './loki-push.ts';
import { parseTimestamp } from '../../event/parse-timestamp.ts';
import { parseLabels } from './parse-labels.ts';
import { groupBytes, type RequestCost } from '../../admission/request-cost.ts';

/** Returns the streams of a parsed push request in JSON. Throws RejectedError `wrong-shape` when its frame is broken. */
export function readLokiJson(request: unknown, cost: RequestCost): LokiStream<unknown>[] {
  const { streams } = (isObject(request) ? request : {}) as { streams?: unknown };
  if (!Array.isArray(streams)) throw bad('streams is not an array');
  return streams.map((stream: unknown) => {
    if (!isObject(stream)) throw bad('a stream is not an object');
    const { values = stream['entries'] } = stream;
    const labels = stream['stream'] ?? labelsOf(stream['labels']);
    if (!Array.isArray(values)) throw bad('values is not an array');
    cost.add(groupBytes);
    cost.events(values.length);
    return {
      labels: readLabels(labels, 'stream'),
      entries: values,
      part: jsonPart,
      deadLetter: (parts) =>
        jsonDeadLetter({ streams: [{ stream: labels, values: [] }] }, '"values":[', parts),
    };
  });
}

/**
 * Reads an entry: `[nanoseconds, line]` or `[nanoseconds, line, metadata]`. What is no time becomes the metadata `timestamp`, where the entry
 * has none. Throws RejectedError `wrong-shape`.
 */
export function readJsonEntry(entry: unknown): LokiEntry {
  // The form of before Loki 1.0.
  if (isObject(entry)) return readOldEntry(entry);
  if (!Array.isArray(entry)) throw bad('a value is not an array');
  const [time, line, metadata = {}] = entry as unknown[];
  if (typeof line !== 'string') throw bad('the line is not a string');
  const labels = readLabels(metadata, 'structured metadata');
  const digits = typeof time === 'number' ? String(time) : time;
  if (typeof digits === 'string' && /^\d{1,20}$/.test(digits))
    return { timeNanos: BigInt(digits), line, metadata: labels };
  labels['timestamp'] ??= textOfValue(time);
  return { timeNanos: 0n, line, metadata: labels };
}

function readOldEntry({ ts, line }: Readonly<Record<string, unknown>>): LokiEntry {
  if (typeof line !== 'string') throw bad('the line is not a string');
  const micros = parseTimestamp(ts);
  if (Number.isNaN(micros)) throw new RejectedError('wrong-shape', 'ts is not a time');
  return { timeNanos: BigInt(Math.round(micros)) * 1000n, line, metadata: noLabels() };
}

/** Labels as Loki writes them in protobuf: `{app="a"}`. */
function labelsOf(text: unknown): Labels {
  return typeof text === 'string' ? parseLabels(text) : noLabels();
}

const noLabels = (): Labels => Object.create(null) as Labels;

function readLabels(value: unknown, what: string): Labels {
  if (!isObject(value)) throw bad(`${what} is not an object`);
  const labels = Object.create(null) as Labels;
  for (const name in value) {
    const text = value[name];
    labels[name] = textOfValue(text);
  }
  return labels;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function bad(detail: string): RejectedError {
  return new RejectedError('wrong-shape', detail);
}
