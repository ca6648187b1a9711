import type { LogEvent } from '@logloom/schemas';
import { RejectedError } from '../../errors.ts';
import type { Normalizer } from '../../event/normalize.ts';
import { parseJsonBytes, parseJsonObject } from '../../event/parse-json.ts';
import { readText } from '../../text/read-text.ts';
import { localContext } from '../../text/time/scan-parts.ts';
import { withAbsent, type RecordObject } from '../accept-records.ts';

/** What an event of Splunk's collector says of itself beside what was logged, in the object or in the address. */
export interface SplunkMeta {
  time?: unknown;
  host?: unknown;
  source?: unknown;
  sourcetype?: unknown;
  index?: unknown;
}

/** Reads an object of /services/collector/event. Throws RejectedError. */
export function readSplunkEvent(bytes: Buffer, defaults: SplunkMeta): RecordObject {
  const outer = parseJsonBytes(bytes) as RecordObject;
  const { event, fields } = outer;
  if (event === undefined || event === null || event === '')
    throw new RejectedError('empty-event', 'the object has no event');
  const object = copyOf(isObject(event) ? event : textFields(event));
  // Docker's driver calls the line so.
  if (typeof object['line'] === 'string' && object['message'] === undefined) {
    object['message'] = object['line'];
    delete object['line'];
  } else if (isObject(object['line'])) {
    const { line } = object;
    delete object['line'];
    withAbsent(object, line);
  }
  if (isObject(fields)) withAbsent(object, fields);
  return withMeta(object, outer, defaults);
}

/** Reads a line of /services/collector/raw. Throws RejectedError. */
export function readSplunkLine(
  bytes: Buffer,
  meta: SplunkMeta,
  receivedAtMs: number,
  normalizer: Normalizer,
): RecordObject {
  const text = bytes.toString('utf8');
  const parsed = text.startsWith('{') ? parseJsonObject(text) : undefined;
  const context = { ...localContext(receivedAtMs), formats: normalizer.formats?.table };
  return withMeta(parsed ?? { ...readText(text, context) }, {}, meta);
}

function withMeta(object: RecordObject, own: SplunkMeta, defaults: SplunkMeta): RecordObject {
  return withAbsent(object, {
    time: own.time ?? defaults.time,
    host: own.host ?? defaults.host,
    source: own.source ?? defaults.source,
    sourcetype: own.sourcetype ?? defaults.sourcetype,
    index: own.index ?? defaults.index,
  });
}

/** The source, or the type of the source, is the service where nothing else names one. A path is none. */
export function nameService(event: LogEvent, { source, sourcetype }: RecordObject): void {
  if (event.service !== 'unknown') return;
  const found = [source, sourcetype].find(
    (name) => typeof name === 'string' && /^[^/\\\s]{1,256}$/.test(name) && !name.startsWith('_'),
  );
  if (typeof found === 'string') event.service = found;
}

function textFields(event: unknown): RecordObject {
  return { message: typeof event === 'string' ? event : JSON.stringify(event) };
}

function copyOf(object: RecordObject): RecordObject {
  return Object.assign(Object.create(null) as RecordObject, object);
}

function isObject(value: unknown): value is RecordObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
