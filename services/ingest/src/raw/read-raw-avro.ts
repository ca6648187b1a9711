import { SchemaRegistryError, type Serde } from '@logloom/schema-registry';
import { canaryKind, isPlaceholderId, loadtestKind, type LogEvent, type Source } from '@logloom/schemas';
import { reject, type Rejection } from '../errors.ts';
import { jsonText, type JsonFindings } from '../event/json-text.ts';
import type { Normalizer } from '../event/normalize.ts';

const maxIdLength = 256;

/**
 * Reads a record in the framing of a schema registry: a LogEvent, or any other record, whose fields are recognized by name as in JSON.
 * Rejects only when the registry cannot be reached.
 */
export async function readRawAvro(
  value: Buffer,
  source: Source,
  receivedAtMs: number,
  { serde, normalizer }: { serde: Serde; normalizer: Normalizer },
): Promise<LogEvent | Rejection> {
  await serde.load([value]);
  try {
    const foreign = await serde.decodeForeign(value);
    if (foreign !== undefined) {
      const result = normalizer.normalize(foreign, source, receivedAtMs);
      return 'ok' in result ? result.ok : result;
    }
    const { name, value: event } = serde.decode(value);
    if (name !== 'LogEvent') return reject('bad-avro', `the record is a ${name}, not a LogEvent`);
    return checkEvent(event) ?? withId({ ...event, source, receivedAt: receivedAtMs });
  } catch (error) {
    if (error instanceof SchemaRegistryError && error.retriable) throw error;
    return reject('bad-avro', (error as Error).message);
  }
}

/** Checks what readers rely on and the schema cannot express: attributes are JSON, times are in range, ids have a bound. */
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
  if (event.correlationId !== null && !isPlaceholderId(event.correlationId)) {
    const { correlationKind } = event;
    // Of the kinds, these hide an event from users, so no record may choose one.
    const isHiding = correlationKind === canaryKind || correlationKind === loadtestKind;
    return {
      ...event,
      correlationKind: isHiding || correlationKind === null ? 'correlationId' : correlationKind,
    };
  }
  if (event.traceId === null || isPlaceholderId(event.traceId))
    return { ...event, correlationId: null, correlationKind: null };
  return { ...event, correlationId: event.traceId, correlationKind: 'traceId' };
}
