import { SchemaRegistryError } from '@logloom/schema-registry';
import type { LogEvent, Source } from '@logloom/schemas';
import { reject, type Rejection } from '../errors.ts';
import { jsonText, type JsonFindings } from '../event/json-text.ts';
import type { RawReaderOptions } from './read-raw-record.ts';

const maxIdLength = 256;

/**
 * Reads a record that a schema registry frames: a LogEvent, or any other record, whose fields are known by their names as those of JSON
 * are. Rejects only when the registry is out of reach.
 */
export async function readRawAvro(
  value: Buffer,
  source: Source,
  receivedAt: number,
  { serde, normalizer }: Pick<RawReaderOptions, 'serde' | 'normalizer'>,
): Promise<LogEvent | Rejection> {
  await serde.load([value]);
  try {
    const foreign = await serde.decodeForeign(value);
    if (foreign !== undefined) {
      const result = normalizer.normalize(foreign, source, receivedAt);
      return 'ok' in result ? result.ok : result;
    }
    const { name, value: event } = serde.decode(value);
    if (name !== 'LogEvent') return reject('bad-avro', `the record is a ${name}, not a LogEvent`);
    return checkEvent(event) ?? withId({ ...event, source, receivedAt });
  } catch (error) {
    if (error instanceof SchemaRegistryError && error.retriable) throw error;
    return reject('bad-avro', (error as Error).message);
  }
}

/** What the schema cannot say, and readers rely on: attributes are JSON, times are ours, ids have a bound. */
function checkEvent(event: LogEvent): Rejection | undefined {
  const attributes: unknown = JSON.parse(event.attributes);
  if (typeof attributes !== 'object' || attributes === null || Array.isArray(attributes))
    return reject('bad-avro', 'attributes is not a JSON object');
  const findings: JsonFindings = { tooDeep: false, rounded: false };
  jsonText(attributes, 0, findings);
  if (findings.tooDeep) return reject('too-deep');
  if (event.timestamp < 0) return reject('timestamp-out-of-range');
  for (const field of ['service', 'host', 'correlationId', 'traceId', 'spanId'] as const)
    if ((event[field]?.length ?? 0) > maxIdLength) return reject('bad-field', `${field} is too long`);
  return undefined;
}

function withId(event: LogEvent): LogEvent {
  if (event.correlationId !== null)
    return { ...event, correlationKind: event.correlationKind ?? 'correlationId' };
  if (event.traceId === null) return { ...event, correlationKind: null };
  return { ...event, correlationId: event.traceId, correlationKind: 'traceId' };
}
