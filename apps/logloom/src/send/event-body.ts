import type { UserFormats } from '@logloom/ingest/formats';
import { TextReader, type FileEvent, type TextReaderOptions } from '@logloom/ingest/text-reader';
import { isUtf8 } from 'node:buffer';
import { addDefaults, type EventDefaults } from './event-defaults.ts';
import { originOf } from './file-origin.ts';
import type { FilePlace } from './send-position.ts';
import type { Line } from './line-splitter.ts';

/** A line for `POST /ingest`, and the position after it in its file. */
export interface EventBody {
  body: string | Buffer;
  end: number;
  /** What the body was made of, and how it was read. */
  content: FileEvent['content'];
  layout: string | undefined;
}

/** An event, and the position after it in its file; no position for standard input. */
export interface SentEvent extends EventBody {
  file: string;
  place: FilePlace | undefined;
}

export interface FormatOptions extends Omit<TextReaderOptions, 'formats'> {
  formats?: UserFormats | undefined;
  /** Whether `end` is the number of an event's last line. */
  countsLines?: boolean;
  /** What events get that do not say it themselves. */
  defaults?: EventDefaults | undefined;
}

/** Adds what a file's place says of its events; what the user said goes before it. */
export function addOrigin(format: FormatOptions, path: string): FormatOptions {
  const { service, host, attributes } = originOf(path);
  const { defaults } = format;
  return {
    ...format,
    service: format.service ?? service,
    defaults: {
      service: defaults?.service ?? service,
      host: defaults?.host ?? host,
      attributes: { ...attributes, ...defaults?.attributes },
    },
  };
}

/** Makes events of a file's lines, see TextReader. JSON lines are sent as they are. */
export class EventReader {
  readonly #options: FormatOptions;
  readonly #reader: TextReader;
  #lines = 0;

  constructor(options: FormatOptions) {
    this.#options = options;
    const { formats, join, ...others } = options;
    this.#reader = new TextReader({
      ...others,
      formats: formats?.table,
      join: { rule: formats?.joinRule, ...join },
    });
  }

  /** Whether there is an unfinished event that further lines may belong to. */
  get isOpen(): boolean {
    return this.#reader.isOpen;
  }

  /** Reads what a file says of its columns in its first lines, when it is read from further on. `head`: its beginning. */
  learnColumns(head: Buffer): void {
    const lines = head.toString('latin1').split(/\r?\n/).slice(0, -1);
    for (const line of lines) if (/^#(?:fields|time format)\b/i.test(line)) this.#reader.push(line, 0);
  }

  /** The events that are complete with this line. */
  push({ bytes, end }: Line): EventBody[] {
    // Bytes that are not UTF-8 are read as ISO 8859-1: each becomes one character.
    const text = bytes.toString(isUtf8(bytes) ? 'utf8' : 'latin1');
    this.#lines++;
    return this.#bodies(this.#reader.push(text, this.#options.countsLines === true ? this.#lines : end));
  }

  /** Ends and returns the unfinished events. */
  flush(): EventBody[] {
    return this.#bodies(this.#reader.flush());
  }

  #bodies(events: readonly FileEvent[]): EventBody[] {
    return events.map((event) => ({
      body: addDefaults(event.content, this.#options.defaults ?? {}),
      ...event,
    }));
  }
}
