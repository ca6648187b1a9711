import { textEvent } from '@logloom/ingest/text-event';
import { isUtf8 } from 'node:buffer';
import { EventJoiner, type FileEvent } from './event-joiner.ts';
import type { Line } from './line-splitter.ts';

/** A line for `POST /ingest`, and where its file goes on behind it. */
export interface EventBody {
  body: string | Buffer;
  end: number;
}

export interface FormatOptions {
  /** Of plain text that names none itself. */
  service: string;
  /** See EventJoiner. */
  multiline?: RegExp | false | undefined;
}

/**
 * Makes events of a file's lines. One whose first line begins with a brace is NDJSON, and its lines go out as they are, so that a
 * broken one is refused by name. Others are plain text: see textEvent(); a line of theirs that is a JSON object is one.
 */
export class EventReader {
  readonly #options: FormatOptions;
  readonly #joiner: EventJoiner;
  #isJson: boolean | undefined;

  /** `isJson`: whether the file's first line begins with a brace, where that is known before its lines are read. */
  constructor(options: FormatOptions, isJson?: boolean) {
    this.#isJson = isJson;
    this.#options = options;
    this.#joiner = new EventJoiner(options.multiline);
  }

  /** Whether an event was begun that further lines may belong to. */
  get isOpen(): boolean {
    return !this.#joiner.isEmpty;
  }

  /** The events that are complete with this line. */
  push({ bytes, end }: Line): EventBody[] {
    // Bytes that are no UTF-8 are ISO 8859-1 or a relative: each keeps a character of its own.
    const text = bytes.toString(isUtf8(bytes) ? 'utf8' : 'latin1').replace(/^\ufeff/, '');
    const trimmed = text.trim();
    if (trimmed === '') return this.#joiner.isEmpty ? [] : this.#text(this.#joiner.push(text, end));
    this.#isJson ??= trimmed.startsWith('{');
    if (this.#isJson) return [{ body: isUtf8(bytes) ? trimmed : bytes, end }];
    if (!isObject(trimmed)) return this.#text(this.#joiner.push(text, end));
    return [...this.flush(), { body: trimmed, end }];
  }

  /** The event that was begun: nothing more belongs to it. */
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

/** Whether a file that begins with these bytes is NDJSON; undefined when they do not say. */
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
