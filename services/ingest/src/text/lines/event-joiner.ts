import { continues, kindOfFirstLine, maxLength as maxFrameLength, type TraceKind } from './stack-traces.ts';

/** One event of a file: a line, or several lines that belong together. */
export interface JoinedLines {
  text: string;
  /** The offset in the file after it. */
  end: number;
}

const maxLines = 1000;
const maxLength = 500_000;

export interface JoinOptions {
  /** Matches the first line of an event; false: each line is an event. */
  pattern?: { test: (text: string) => boolean } | false | undefined;
  /** What a user's format says of a line; undefined where none says anything. */
  rule?: ((first: string | undefined, text: string) => 'begins' | 'continues' | undefined) | undefined;
}

/**
 * Joins the lines of stack traces to the event that they belong to, see stack-traces.ts. With a pattern every line that matches it begins an
 * event and all others belong to the one before. Blank lines are kept within a joined event, and dropped elsewhere.
 */
export class EventJoiner {
  readonly #options: JoinOptions;
  #lines: string[] = [];
  /** The beginning of the first line. */
  #first = '';
  #length = 0;
  #blank = 0;
  #end = 0;
  #kind: TraceKind = 'none';

  constructor(options: JoinOptions = {}) {
    this.#options = options;
  }

  get isEmpty(): boolean {
    return this.#lines.length === 0;
  }

  /** Adds a line; returns the event that it completes, if any. */
  push(text: string, end: number): JoinedLines | undefined {
    if (text.trim() === '') {
      this.#blank++;
      return undefined;
    }
    const isMore = this.#lines.length > 0 && !this.#isFull(text) && this.#belongs(text);
    const done = isMore ? undefined : this.flush();
    if (isMore) for (; this.#blank > 0; this.#blank--) this.#lines.push('');
    this.#blank = 0;
    if (!isMore) {
      this.#kind = kindOfFirstLine(text);
      this.#first = text.slice(0, maxFrameLength);
    }
    this.#lines.push(text);
    this.#length += text.length;
    this.#end = end;
    return done;
  }

  /** Ends and returns the unfinished event. */
  flush(): JoinedLines | undefined {
    if (this.#lines.length === 0) return undefined;
    const event = { text: this.#lines.join('\n'), end: this.#end };
    this.#lines = [];
    this.#length = this.#blank = 0;
    this.#kind = 'none';
    return event;
  }

  #isFull(text: string): boolean {
    return this.#lines.length >= maxLines || this.#length + text.length > maxLength;
  }

  #belongs(text: string): boolean {
    const { pattern, rule } = this.#options;
    if (pattern === false) return false;
    if (pattern !== undefined) return !pattern.test(text);
    const said = rule?.(this.#lines[0], text);
    if (said !== undefined) return said === 'continues';
    const kind = continues({
      kind: this.#kind,
      first: this.#first,
      previous: this.#lines.at(-1)!,
      blankLines: this.#blank,
      text,
    });
    if (kind === undefined) return false;
    this.#kind = kind;
    return true;
  }
}
