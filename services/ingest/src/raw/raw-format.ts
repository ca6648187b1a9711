import type { LogRecord } from '@logloom/event-log';
import { isUtf8 } from 'node:buffer';

/** The format of a record of logs.raw. */
export type RawFormat = 'json' | 'avro' | 'otlp' | 'text' | 'syslog';

const byType: Readonly<Record<string, RawFormat>> = {
  'application/json': 'json',
  'application/x-ndjson': 'json',
  'application/x-protobuf': 'otlp',
  'application/protobuf': 'otlp',
  'application/avro': 'avro',
  'application/x-avro': 'avro',
  'application/vnd.confluent.avro': 'avro',
  'avro/binary': 'avro',
  'text/plain': 'text',
  'text/syslog': 'syslog',
  'application/syslog': 'syslog',
};

/** The framing of a schema registry begins with a zero byte. */
const framed = 0x00;
/** Field 1 of an ExportLogsServiceRequest, which holds everything. */
const otlpField = 0x0a;
const syslogPriority = /^<\d{1,3}>/;

/**
 * Returns the format that the header `content-type` names, else the one that the content looks like. What begins like JSON is JSON: a
 * broken object is rejected, not read as text.
 */
export function rawFormat({ headers, value }: Pick<LogRecord, 'headers' | 'value'>): RawFormat {
  const type = contentType(headers);
  if (type !== undefined && Object.hasOwn(byType, type)) return byType[type]!;
  if (type?.endsWith('+json') === true) return 'json';
  if (value[0] === framed) return 'avro';
  if (!isUtf8(value)) return value[0] === otlpField ? 'otlp' : 'json';
  const begin = value.toString('utf8', 0, 64).replace(/^\ufeff/, '');
  // A text may begin with a newline, which is the same byte as the tag: what follows decides.
  if (value[0] === otlpField && !/^[\s]*[{["<\w]/.test(begin)) return 'otlp';
  if (value[0] === otlpField && hasControls(begin)) return 'otlp';
  if (syslogPriority.test(begin)) return 'syslog';
  const first = begin.trimStart()[0];
  return first === undefined || first === '{' || first === '[' || first === '"' ? 'json' : 'text';
}

function contentType(headers: LogRecord['headers']): string | undefined {
  for (const [name, value] of Object.entries(headers))
    if (name.toLowerCase() === 'content-type') return value.split(';', 1)[0]!.trim().toLowerCase();
  return undefined;
}

/** Whether there are control characters that no text has: tags and lengths of protobuf. */
function hasControls(text: string): boolean {
  return /[\0-\x08\x0b\x0e-\x1a\x1c-\x1f]/.test(text);
}
