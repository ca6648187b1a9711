import { TextReader, type FileEvent, type TextReaderOptions } from '@logloom/ingest/text-reader';
import { isUtf8 } from 'node:buffer';
import { addDefaults, type EventDefaults } from './event-defaults.ts';
import type { Line } from './line-splitter.ts';

/** A line for `POST /ingest`, and the position after it in its file. */
export interface EventBody {
  body: string | Buffer;
  end: number;
}

export interface FormatOptions extends TextReaderOptions {
  /** What events get that do not say it themselves. */
  defaults?: EventDefaults | undefined;
}

/** Makes events of a file's lines, see TextReader. JSON lines are sent as they are. */
export class EventReader {
  readonly #options: FormatOptions;
  readonly #reader: TextReader;

  constructor(options: FormatOptions) {
    this.#options = options;
    this.#reader = new TextReader(options);
  }

  /** Whether there is an unfinished event that further lines may belong to. */
  get isOpen(): boolean {
    return this.#reader.isOpen;
  }

  /** The events that are complete with this line. */
  push({ bytes, end }: Line): EventBody[] {
    // Bytes that are not UTF-8 are read as ISO 8859-1: each becomes one character.
    const text = bytes.toString(isUtf8(bytes) ? 'utf8' : 'latin1');
    return this.#bodies(this.#reader.push(text, end));
  }

  /** Ends and returns the unfinished events. */
  flush(): EventBody[] {
    return this.#bodies(this.#reader.flush());
  }

  #bodies(events: readonly FileEvent[]): EventBody[] {
    return events.map((event) => ({
      body: addDefaults(event.content, this.#options.defaults ?? {}),
      end: event.end,
    }));
  }
}
