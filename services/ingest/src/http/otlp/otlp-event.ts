import type { Level, LogEvent, Source } from '@logloom/schemas';
import type { Rejection } from '../../errors.ts';
import { fieldNames } from '../../event/field-names.ts';
import { freeName } from '../../event/free-name.ts';
import { jsonText, type JsonFindings } from '../../event/json-text.ts';
import type { GivenFields, Normalizer } from '../../event/normalize.ts';
import type { AnyValue, Attributes, OtlpRecord, OtlpSender } from './otlp-record.ts';
import { originOf } from '../../event/origin.ts';
import { levelOfSeverityNumber, levelOfText } from '../../event/parse-level.ts';
import { microsOfNanos } from '../../event/parse-timestamp.ts';

/** What the records of a group share, converted once. */
export interface SenderFields {
  service: string | undefined;
  host: string | undefined;
  /** A JSON object as text; '' when there is nothing. */
  resource: string;
  scope: string;
}

// Reading has limited the depth of both already.
const findings: JsonFindings = { tooDeep: false, rounded: false };

/**
 * Returns the shared fields: service and host by themselves, the rest of the resource and the scope as one object each. Where nobody has set
 * `service.name`, the workload in Kubernetes or the container is the service.
 */
export function senderFields({
  attributes,
  droppedAttributesCount,
  schemaUrl,
  scope,
}: OtlpSender): SenderFields {
  const resource: Attributes = Object.assign(Object.create(null) as Attributes, attributes);
  const { service, host } = originOf(attributes);
  if (resource['service.name'] === service || resource['service.name'] === '')
    delete resource['service.name'];
  if (resource['host.name'] === host || resource['host.name'] === '') delete resource['host.name'];
  addCommon(resource, droppedAttributesCount, schemaUrl);
  const { name, version } = scope;
  const scopeObject: Attributes = {
    ...(name !== '' && { name }),
    ...(version !== '' && { version }),
    ...(hasMembers(scope.attributes) && { attributes: scope.attributes }),
  };
  addCommon(scopeObject, scope.droppedAttributesCount, scope.schemaUrl);
  return { service, host, resource: objectText(resource), scope: objectText(scopeObject) };
}

function addCommon(object: Attributes, droppedAttributesCount: number, schemaUrl: string): void {
  if (droppedAttributesCount !== 0)
    object[freeName('droppedAttributesCount', object)] = droppedAttributesCount;
  if (schemaUrl !== '') object[freeName('schemaUrl', object)] = schemaUrl;
}

function objectText(object: Attributes): string {
  return hasMembers(object) ? jsonText(object, 1, findings) : '';
}

/** Returns the LogEvent of a record, by the rules of OpenTelemetry's log data model. */
export function otlpEvent(
  record: OtlpRecord,
  sender: SenderFields,
  source: Source,
  receivedAtMs: number,
  normalizer: Normalizer,
): LogEvent | Rejection {
  const { message, object } = readBody(record);
  const level = levelOf(record);
  const given: GivenFields = {
    timestamp: microsOf(record.timeNanos) ?? microsOf(record.observedTimeNanos),
    level,
    message,
    service: sender.service,
    host: sender.host,
    traceId: idOf(record.traceId),
    spanId: idOf(record.spanId),
    members: membersOf(record, sender, level, object),
  };
  const result = normalizer.normalizeGiven(given, object, source, receivedAtMs);
  return 'ok' in result ? result.ok : result;
}

/** Returns the message, and the attributes with the part of the body that is not the message. */
function readBody({ body, attributes, eventName }: OtlpRecord): {
  message: string | undefined;
  object: Attributes;
} {
  if (typeof body === 'string') return { message: body, object: attributes };
  const named = eventName === '' ? undefined : eventName;
  if (body === undefined || body === null)
    return { message: hasMessage(attributes) ? undefined : named, object: attributes };
  if (typeof body === 'object' && !Array.isArray(body)) {
    const object = mergeBody(body, attributes);
    return { message: hasMessage(object) ? undefined : (named ?? jsonText(body, 0, findings)), object };
  }
  const message = typeof body === 'object' ? jsonText(body, 0, findings) : String(body);
  return { message, object: withMember(attributes, 'body', body) };
}

/** Merges a structured body into the event, as if an application had sent it to /ingest; attributes keep their names. */
function mergeBody(body: Attributes, attributes: Attributes): Attributes {
  const object: Attributes = Object.create(null) as Attributes;
  const rest: Attributes = Object.create(null) as Attributes;
  for (const name in body) (name in attributes ? rest : object)[name] = body[name]!;
  for (const name in attributes) object[name] = attributes[name]!;
  return hasMembers(rest) ? withMember(object, 'body', rest) : object;
}

function withMember(object: Attributes, name: string, value: AnyValue): Attributes {
  object[freeName(name, object)] = value;
  return object;
}

function hasMessage(object: Attributes): boolean {
  return fieldNames.message.some((name) => typeof object[name] === 'string' && object[name] !== '');
}

/** Returns what has no field in a LogEvent, and the parts of the severity that the level does not express. */
function membersOf(
  record: OtlpRecord,
  { resource, scope }: SenderFields,
  level: Level | undefined,
  object: Attributes,
): string {
  const {
    severityNumber,
    severityText,
    observedTimeNanos,
    timeNanos,
    flags,
    eventName,
    droppedAttributesCount,
  } = record;
  let members = '';
  const add = (name: string, json: string): void => {
    members += `,${JSON.stringify(freeName(name, object))}:${json}`;
  };
  const isBase = severityNumber % 4 === 1 && severityNumber <= 21;
  if (severityNumber !== 0 && !isBase) add('severityNumber', String(severityNumber));
  if (severityText !== '' && (level === undefined || levelOfText(severityText) !== level))
    add('severityText', JSON.stringify(severityText));
  if (observedTimeNanos !== 0n && timeNanos !== 0n && observedTimeNanos !== timeNanos)
    add('observedTimeUnixNano', `"${observedTimeNanos}"`);
  if (flags !== 0) add('flags', String(flags));
  if (eventName !== '') add('eventName', JSON.stringify(eventName));
  if (droppedAttributesCount !== 0) add('droppedAttributesCount', String(droppedAttributesCount));
  if (resource !== '') add('resource', resource);
  if (scope !== '') add('scope', scope);
  return members;
}

/** The number counts where there is one; the text is the source's own name for it. */
function levelOf({ severityNumber, severityText }: OtlpRecord): Level | undefined {
  return (
    levelOfSeverityNumber(severityNumber) ?? (severityText === '' ? undefined : levelOfText(severityText))
  );
}

/** Returns nanoseconds, or another unit that was taken for them, as microseconds; undefined for 0, which means unknown. */
export function microsOf(nanoseconds: bigint): number | undefined {
  return nanoseconds === 0n ? undefined : microsOfNanos(nanoseconds);
}

/** Returns an id; undefined for one of zeros. */
export function idOf(id: string): string | undefined {
  return /^0*$/.test(id) ? undefined : id;
}

function hasMembers(object: Attributes): boolean {
  for (const _name in object) return true;
  return false;
}
