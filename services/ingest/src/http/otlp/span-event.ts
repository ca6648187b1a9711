import { spanEventKind, type Level, type LogEvent, type Source } from '@logloom/schemas';
import { reject, type Rejection } from '../../errors.ts';
import { freeName } from '../../event/free-name.ts';
import { jsonInteger } from '../../event/json-integer.ts';
import { jsonText, type JsonFindings } from '../../event/json-text.ts';
import type { Normalizer } from '../../event/normalize.ts';
import { idOf, microsOf, type SenderFields } from './otlp-event.ts';
import type { AnyValue, Attributes } from './otlp-record.ts';
import type { OtlpSpan } from './otlp-span.ts';

const kinds = ['', 'internal', 'server', 'client', 'producer', 'consumer'];
const errorStatus = 2;
const exceptionEvent = 'exception';

/**
 * Returns the LogEvent of a span. It is one that says when the span began and how long it took, so that a request shows services that only
 * trace; its attribute `eventKind` tells it from what was logged. Its message is the span's name.
 */
export function spanEvent(
  span: OtlpSpan,
  sender: SenderFields,
  source: Source,
  receivedAtMs: number,
  normalizer: Normalizer,
): LogEvent | Rejection {
  const isError = span.statusCode === errorStatus;
  const level: Level = isError ? 'error' : 'info';
  const object = withException(span, isError);
  const findings: JsonFindings = { tooDeep: false, rounded: false };
  const members = membersOf(span, sender, object, findings);
  if (findings.tooDeep) return reject('too-deep');
  const name = span.name === '' ? 'span' : span.name;
  const result = normalizer.normalizeGiven(
    {
      timestamp: microsOf(span.startNanos) ?? microsOf(span.endNanos),
      level,
      message: isError && span.statusMessage !== '' ? `${name}: ${span.statusMessage}` : name,
      service: sender.service,
      host: sender.host,
      traceId: idOf(span.traceId),
      spanId: idOf(span.spanId),
      members,
    },
    object,
    source,
    receivedAtMs,
  );
  return 'ok' in result ? result.ok : result;
}

/** Returns the span's attributes with those of the exception that it ended with, under the names that log records have for them. */
function withException({ attributes, events }: OtlpSpan, isError: boolean): Attributes {
  const exception = isError ? events.findLast(({ name }) => name === exceptionEvent) : undefined;
  return Object.assign(Object.create(null) as Attributes, exception?.attributes, attributes);
}

function membersOf(
  span: OtlpSpan,
  { resource, scope }: SenderFields,
  object: Attributes,
  findings: JsonFindings,
): string {
  let members = '';
  const add = (name: string, value: AnyValue | undefined): void => {
    if (value !== undefined && value !== '' && value !== 0) addText(name, jsonText(value, 1, findings));
  };
  const addText = (name: string, json: string): void => {
    members += `,${JSON.stringify(freeName(name, object))}:${json}`;
  };
  add('eventKind', spanEventKind);
  add('spanName', span.name);
  add('spanKind', kinds[span.kind]);
  add('parentSpanId', idOf(span.parentSpanId));
  const durationMs = durationOf(span);
  if (durationMs !== undefined) addText('durationMs', String(durationMs));
  if (span.statusCode !== 0) add('spanStatus', span.statusCode === errorStatus ? 'error' : 'ok');
  add('spanStatusMessage', span.statusMessage);
  add('traceState', span.traceState);
  add('flags', span.flags);
  add('droppedAttributesCount', span.droppedAttributesCount);
  if (span.events.length > 0)
    add(
      'spanEvents',
      span.events.map(({ timeNanos, name, attributes }) => ({
        name,
        timeUnixNano: jsonInteger(timeNanos),
        attributes,
      })),
    );
  if (span.links.length > 0) add('spanLinks', span.links as unknown as AnyValue[]);
  if (resource !== '') addText('resource', resource);
  if (scope !== '') addText('scope', scope);
  return members;
}

/** Milliseconds to the microsecond; undefined where the span does not say both times, or ends before it begins. */
function durationOf({ startNanos, endNanos }: OtlpSpan): number | undefined {
  if (startNanos === 0n || endNanos < startNanos) return undefined;
  return Number((endNanos - startNanos) / 1000n) / 1000;
}
