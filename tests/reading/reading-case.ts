import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One value, or several of which any is right; null: there must be none. */
type Expected<T> = T | null | readonly (T | null)[];

export interface ExpectedEvent {
  /**
   * RFC 3339 in UTC, to the microsecond. `YYYY` stands for the latest year that puts it no more than a day ahead of the clock; `received` for
   * the time of receipt.
   */
  timestamp?: Expected<string>;
  level?: Expected<string>;
  service?: Expected<string>;
  host?: Expected<string>;
  message?: Expected<string>;
  /** Parts of the message. */
  messageIncludes?: string | readonly string[];
  traceId?: Expected<string>;
  spanId?: Expected<string>;
  correlationId?: Expected<string>;
  correlationKind?: Expected<string>;
  /** The place in the list of an event that must have the same correlation id. */
  sameCorrelationAs?: number;
  /** A part of the attributes; nested and dotted names are the same. */
  attributes?: Readonly<Record<string, unknown>>;
}

/** An input as the field writes it, and what must become of it. */
export interface ReadingCase {
  kind: string;
  id: string;
  /** Where the form is documented or reported. */
  source: string;
  note?: string;
  /** How it comes in; `file`: by `logloom send`. */
  door: 'ingest' | 'bulk' | 'otlp-json' | 'loki' | 'syslog-tcp' | 'syslog-udp' | 'file';
  /** The name of the file; default `case.log`. */
  fileName?: string;
  contentType?: string;
  input?: string;
  inputBase64?: string;
  /** In order; what an entry does not name may be anything. */
  expect: readonly ExpectedEvent[];
  /** How many inputs are refused; default 0. */
  rejected?: number | readonly number[];
  /** Events whose message matches do not count. */
  ignore?: string;
}

const folder = join(import.meta.dirname, 'cases');

/** The cases of all files in `cases/`, by kind. */
export function readCases(): ReadingCase[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .flatMap((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as ReadingCase[]);
}

export function inputOf({ input, inputBase64 }: ReadingCase): Buffer {
  return inputBase64 === undefined ? Buffer.from(input ?? '') : Buffer.from(inputBase64, 'base64');
}
