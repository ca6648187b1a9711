import type { BatchFate } from '../sender.ts';
import { nanosecondsOf, readLine, type SentLine } from './sent-line.ts';

/** The first number of each level in OpenTelemetry's log data model. */
const severityNumbers: Readonly<Record<string, number>> = {
  trace: 1,
  debug: 5,
  info: 9,
  warn: 13,
  error: 17,
  fatal: 21,
};

type AnyValue = Record<string, unknown>;

/** An ExportLogsServiceRequest in JSON: a resource for each service and host. */
export function otlpBody(lines: readonly string[]): string {
  const resources = new Map<string, { attributes: AnyValue[]; logRecords: AnyValue[] }>();
  for (const line of lines) {
    const event = readLine(line);
    const { service, host } = event;
    const name = JSON.stringify([service, host]);
    let resource = resources.get(name);
    if (resource === undefined) {
      const attributes = pairsOf({
        'service.name': service,
        ...(host === undefined ? {} : { 'host.name': host }),
      });
      resources.set(name, (resource = { attributes, logRecords: [] }));
    }
    resource.logRecords.push(recordOf(event));
  }
  return JSON.stringify({
    resourceLogs: [...resources.values()].map(({ attributes, logRecords }) => ({
      resource: { attributes },
      scopeLogs: [{ logRecords }],
    })),
  });
}

function recordOf({ timestamp, level, message, correlationId, attributes, loadtest }: SentLine): AnyValue {
  return {
    timeUnixNano: nanosecondsOf(timestamp),
    severityNumber: severityNumbers[level],
    body: { stringValue: message },
    attributes: pairsOf({
      ...attributes,
      ...(correlationId === undefined ? {} : { correlationId }),
      loadtest,
    }),
  };
}

function pairsOf(object: Readonly<Record<string, unknown>>): AnyValue[] {
  return Object.entries(object).map(([key, value]) => ({ key, value: anyValueOf(value) }));
}

function anyValueOf(value: unknown): AnyValue {
  switch (typeof value) {
    case 'string':
      return { stringValue: value };
    case 'boolean':
      return { boolValue: value };
    case 'number':
      return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
    default:
      if (Array.isArray(value)) return { arrayValue: { values: value.map(anyValueOf) } };
      return value === null
        ? {}
        : { kvlistValue: { values: pairsOf(value as Readonly<Record<string, unknown>>) } };
  }
}

/** A partial success says how many records were refused, but not which. */
export function otlpFate({ status, text }: { status: number; text: string }): BatchFate | undefined {
  if (status !== 200) return undefined;
  const { partialSuccess } = JSON.parse(text) as {
    partialSuccess?: { rejectedLogRecords?: number | string };
  };
  return { fate: Number(partialSuccess?.rejectedLogRecords ?? 0) > 0 ? 'unknown' : 'stored', rejected: [] };
}
