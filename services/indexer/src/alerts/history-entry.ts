import type { LogRecord } from '@logloom/event-log';
import type { Serde } from '@logloom/schema-registry';
import { alertFingerprint, type Acknowledgement, type Alert, type Silence } from '@logloom/schemas';
import { silenceFields, time } from './alert-json.ts';
import { bookWriter } from './alert-part.ts';
import { labelsOf } from './alert-state.ts';
import type { Searchable } from './alert-subject.ts';

/** A record of logs.alerts, as people look for it. */
export interface HistoryEntry {
  /** The append time in ms since 1970. */
  appendedMs: number;
  searchable: Searchable;
  json: object;
  /** Undefined for a silence or an acknowledgement. */
  alert: Alert | undefined;
}

/** Undefined for a record that is not one of these, and for those that only repeat what goes on. */
export function readEntry(serde: Serde, record: LogRecord): HistoryEntry | undefined {
  let decoded: ReturnType<Serde['decode']>;
  try {
    decoded = serde.decode(record.value);
  } catch {
    return undefined;
  }
  switch (decoded.name) {
    case 'Alert':
      if (decoded.value.writer === bookWriter && decoded.value.state !== 'resolved') return undefined;
      return entryOf(
        record,
        alertFields(decoded.value),
        decoded.value.message,
        labelsOf(decoded.value),
        decoded.value,
      );
    case 'Silence':
      return entryOf(record, silenceEntryFields(decoded.value), decoded.value.reason);
    case 'Acknowledgement':
      return entryOf(record, acknowledgementFields(decoded.value), decoded.value.note);
    default:
      return undefined;
  }
}

function entryOf(
  { timestampMs, partition, offset }: LogRecord,
  fields: Record<string, unknown>,
  message: string,
  labels: Readonly<Record<string, string>> = {},
  alert?: Alert,
): HistoryEntry {
  return {
    appendedMs: timestampMs,
    searchable: { message, micros: timestampMs * 1000, fields, labels },
    json: { ...fields, appendedAt: time(timestampMs), partition, offset },
    alert,
  };
}

function alertFields(alert: Alert): Record<string, unknown> {
  const { rule, state, scope, severity, message, condition, value, at, startsAt, endsAt } = alert;
  const { fingerprint, key, documentId, correlationId, services, examples, occurrences, writer } = alert;
  return {
    type: 'alert',
    fingerprint: fingerprint === '' ? alertFingerprint(rule, key) : fingerprint,
    rule,
    state,
    scope,
    writer,
    ...(severity === null ? {} : { severity }),
    labels: labelsOf(alert),
    message,
    ...(condition === '' ? {} : { condition }),
    ...(value === null ? {} : { value }),
    at: time(at),
    ...(startsAt === null ? {} : { startsAt: time(startsAt) }),
    ...(endsAt === null ? {} : { endsAt: time(endsAt) }),
    ...(documentId === '' ? {} : { document: documentId }),
    ...(correlationId === '' ? {} : { correlationId }),
    services,
    examples,
    ...(occurrences === null ? {} : { occurrences }),
  };
}

function silenceEntryFields(silence: Silence): Record<string, unknown> {
  return { type: 'silence', ...silenceFields(silence) };
}

function acknowledgementFields(acknowledgement: Acknowledgement): Record<string, unknown> {
  const { fingerprint, rule, author, note, at, startsAt } = acknowledgement;
  return {
    type: 'acknowledgement',
    fingerprint,
    rule,
    author,
    note,
    at: time(at),
    startsAt: time(startsAt),
  };
}
