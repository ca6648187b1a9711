import { textEvent } from '@logloom/ingest/text-event';
import { isUtf8 } from 'node:buffer';
import { EventJoiner, type FileEvent } from './event-joiner.ts';
import type { Line } from './line-splitter.ts';

/** A line for `POST /ingest`, and the position after it in its file. */
export interface EventBody {
  body: string | Buffer;
  end: number;
}

export interface FormatOptions {
  /** The service of plain text without one. */
  service: string;
  /** See EventJoiner. */
  multiline?: RegExp | false | undefined;
}

/**
 * Makes events of a file's lines. A file whose first line begins with a brace is NDJSON; its lines are sent unchanged, so that a broken one
 * is rejected with its number. Other files are plain text, see textEvent(); a line that is a JSON object is an event.
 */
export class EventReader {
  readonly #options: FormatOptions;
  readonly #joiner: EventJoiner;
  #isJson: boolean | undefined;

  /** `isJson`: whether the file's first line begins with a brace, if that is known before its lines are read. */
  constructor(options: FormatOptions, isJson?: boolean) {
    this.#isJson = isJson;
    this.#options = options;
    this.#joiner = new EventJoiner(options.multiline);
  }

  /** Whether there is an unfinished event that further lines may belong to. */
  get isOpen(): boolean {
    return !this.#joiner.isEmpty;
  }

  /** The events that are complete with this line. */
  push({ bytes, end }: Line): EventBody[] {
    // Bytes that are not UTF-8 are read as ISO 8859-1: each becomes one character.
    const text = bytes.toString(isUtf8(bytes) ? 'utf8' : 'latin1').replace(/^\ufeff/, '');
    const trimmed = text.trim();
    if (trimmed === '') return this.#joiner.isEmpty ? [] : this.#text(this.#joiner.push(text, end));
    this.#isJson ??= trimmed.startsWith('{');
    if (this.#isJson) return [{ body: isUtf8(bytes) ? trimmed : bytes, end }];
    if (!isObject(trimmed)) return this.#text(this.#joiner.push(text, end));
    return [...this.flush(), { body: trimmed, end }];
  }

  /** Ends and returns the unfinished event. */
  flush(): EventBody[] {
    return this.#text(this.#joiner.flush());
  }

  #text(event: FileEvent | undefined): EventBody[] {
    if (event === undefined) return [];
    const fields = textEvent(event.text, Date.now());
    const body = 'service' in fields ? fields : { ...fields, service: this.#options.service };
    return [{ body: JSON.stringify(body), end: event.end }];
  }
}

/** Whether a file that begins with these bytes is NDJSON; undefined if they do not show it. */
export function beginsLikeJson(head: Buffer): boolean | undefined {
  const text = head
    .toString('latin1')
    .replace(/^\xef\xbb\xbf/, '')
    .trimStart();
  return text === '' ? undefined : text.startsWith('{');
}

function isObject(text: string): boolean {
  if (!text.startsWith('{') || !text.endsWith('}')) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
