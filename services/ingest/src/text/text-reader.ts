import type { TextEvent } from './layouts/layout.ts';
import { ColumnReader } from './lines/column-lines.ts';
import { PartJoiner, readContainerLine, type ContainerLine } from './lines/container-lines.ts';
import { EventJoiner, type JoinOptions } from './lines/event-joiner.ts';
import { jsonObjectsOf, PrettyObject } from './lines/json-lines.ts';
import type { LayoutTable } from './layouts/all-layouts.ts';
import { explainText, withoutColors, type TextContext, type TextReading } from './read-text.ts';
import { processZone, type TimeZone } from './time/time-zone.ts';
import { LayoutVote } from './layout-vote.ts';

/** An event of a file. */
export interface FileEvent {
  /** The text of a JSON object, as it stands in the file; or fields with the names that JSON has. */
  content: string | TextEvent;
  /** How the lines were read: `json`, `container`, a layout's name, or undefined for a text without any. */
  layout: string | undefined;
  /** The offset in the file behind everything before which nothing is held back. */
  end: number;
}

export interface TextReaderOptions {
  /** Of times without a zone; without it that of this process. */
  zone?: TimeZone | undefined;
  /** Whether lines come as they are written: then none waits for more of the file. */
  isLive?: boolean | undefined;
  /** Of texts that name none. */
  service?: string | undefined;
  join?: JoinOptions | undefined;
  /** The formats of FORMATS. */
  formats?: LayoutTable | undefined;
  now?: () => number;
}

/** The lines whose layouts are counted before the first is given, so that the file decides and not its first line. */
const windowLines = 200;
const windowLength = 128 * 1024;

interface Stream {
  parts: PartJoiner;
  joiner: EventJoiner;
  /** The offset before the joiner's lines. */
  start: number;
  line: ContainerLine | undefined;
}

interface Held {
  text: string;
  end: number;
  line: ContainerLine | undefined;
}

/**
 * Makes events of a file's lines, whatever their mixture: JSON objects, containers' lines, columns that the file names, and text, in which
 * stack traces are joined. Which layouts the file has is counted over its first lines.
 */
export class TextReader {
  readonly #options: TextReaderOptions;
  readonly #now: () => number;
  readonly #streams = new Map<string, Stream>();
  readonly #columns = new ColumnReader();
  readonly #vote = new LayoutVote();
  #pretty: PrettyObject | undefined;
  #prettyFrom = 0;
  /** The offset of a line that may open a list. */
  #listFrom: number | undefined;
  #held: Held[] = [];
  #heldLength = 0;
  #isDecided = false;
  /** The events whose layouts were counted. */
  #counted = 0;
  #end = 0;

  constructor(options: TextReaderOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** Whether there is an unfinished event that further lines may belong to. */
  get isOpen(): boolean {
    if (this.#held.length > 0 || this.#pretty !== undefined) return true;
    for (const { joiner, parts } of this.#streams.values())
      if (!joiner.isEmpty || parts.heldFrom !== undefined) return true;
    return false;
  }

  /** The events that are complete with this line; `end` is the offset behind it. */
  push(line: string, end: number): FileEvent[] {
    const start = this.#end;
    this.#end = end;
    const text = cleaned(line);
    if (this.#pretty !== undefined) return this.#pushPretty(text, start, end);
    const trimmed = text.trim();
    if (trimmed === '') return this.#text('', text, start, end, undefined);
    const container = readContainerLine(trimmed.startsWith('{') ? trimmed : text);
    if (container !== undefined) return this.#container(container, start, end);
    const objects = jsonObjectsOf(trimmed);
    const listFrom = this.#listFrom;
    this.#listFrom = undefined;
    if (objects === 'list') {
      this.#listFrom = start;
      return [];
    }
    // The line above only opened a list, if an object follows.
    if (listFrom !== undefined && objects === undefined)
      return [
        ...this.#text('', '[', listFrom, start, undefined),
        ...this.#text('', text, start, end, undefined),
      ];
    if (objects === 'begins') {
      this.#pretty = new PrettyObject();
      this.#prettyFrom = start;
      return this.#pushPretty(text, start, end);
    }
    if (objects !== undefined) return this.#objects(objects, end);
    // What closes a list.
    if (trimmed === ']' && this.#vote.hasJson) return [];
    if (this.#columns.isDirective(trimmed)) return this.flush();
    return this.#text('', text, start, end, undefined);
  }

  /** Ends and returns what is unfinished. */
  flush(): FileEvent[] {
    const events: FileEvent[] = [];
    if (this.#pretty !== undefined) {
      const { lines } = this.#pretty;
      this.#pretty = undefined;
      for (const line of lines) events.push(...this.#text('', line, this.#prettyFrom, this.#end, undefined));
    }
    for (const [name, stream] of this.#streams) {
      const whole = stream.parts.flush();
      if (whole !== undefined)
        events.push(...this.#text(name, whole.text, whole.start, this.#end, { ...whole, isPartial: false }));
      events.push(...this.#flushStream(stream));
    }
    return [...events, ...this.#decide()];
  }

  #pushPretty(text: string, start: number, end: number): FileEvent[] {
    const object = this.#pretty!.push(text);
    if (object === undefined) return [];
    const { lines } = this.#pretty!;
    const from = this.#prettyFrom;
    this.#pretty = undefined;
    if (object !== false) return this.#objects([object], end);
    return lines.flatMap((line) => (line === '' ? [] : this.#text('', line, from, end, undefined)));
  }

  #objects(objects: readonly string[], end: number): FileEvent[] {
    this.#vote.hasJson = true;
    return [...this.flush(), ...objects.map((content) => ({ content, layout: 'json', end }))];
  }

  #container(line: ContainerLine, start: number, end: number): FileEvent[] {
    const whole = this.#stream(line.stream).parts.push(line, start);
    if (whole === undefined) return [];
    const trimmed = whole.text.trim();
    const objects = trimmed.startsWith('{') ? jsonObjectsOf(trimmed) : undefined;
    if (objects === undefined || typeof objects === 'string')
      return this.#text(line.stream, whole.text, whole.start, end, { ...whole, isPartial: false });
    const before = [...this.#flushStream(this.#stream(line.stream)), ...this.#decide()];
    const around = {
      stream: whole.stream,
      ...(whole.time !== undefined && { time: whole.time }),
      ...whole.attributes,
    };
    return [
      ...before,
      ...objects.map((log) => ({
        content: JSON.stringify({ log, ...around }),
        layout: 'container',
        end: this.#safeEnd(end),
      })),
    ];
  }

  #stream(name: string): Stream {
    let stream = this.#streams.get(name);
    if (stream === undefined) {
      stream = {
        parts: new PartJoiner(),
        joiner: new EventJoiner(this.#options.join),
        start: 0,
        line: undefined,
      };
      this.#streams.set(name, stream);
    }
    return stream;
  }

  #text(
    name: string,
    text: string,
    start: number,
    end: number,
    line: ContainerLine | undefined,
  ): FileEvent[] {
    const stream = this.#stream(name);
    const wasEmpty = stream.joiner.isEmpty;
    const before = stream.line;
    const done = stream.joiner.push(withoutColors(text), end);
    // Only the first line of an event says where it begins, and when.
    if (done !== undefined || (wasEmpty && !stream.joiner.isEmpty)) {
      stream.line = line;
      stream.start = start;
    }
    return done === undefined ? [] : this.#hold({ ...done, line: before });
  }

  #flushStream(stream: Stream): FileEvent[] {
    const done = stream.joiner.flush();
    const { line } = stream;
    stream.line = undefined;
    stream.start = -1;
    return done === undefined ? [] : this.#hold({ ...done, line });
  }

  /** Holds the first events back until the file's layouts are known. */
  #hold(event: Held): FileEvent[] {
    if (this.#isDecided) return [this.#read(event)];
    this.#held.push(event);
    this.#heldLength += event.text.length;
    const isWaiting =
      this.#options.isLive !== true && this.#held.length < windowLines && this.#heldLength < windowLength;
    return isWaiting ? [] : this.#decide();
  }

  #decide(): FileEvent[] {
    const held = this.#held;
    if (held.length === 0) return [];
    this.#counted += held.length;
    if (this.#counted >= windowLines) this.#isDecided = true;
    this.#held = [];
    this.#heldLength = 0;
    this.#vote.count(
      held.map(({ text }) => text),
      this.#context(),
    );
    return held.map((event) => this.#read(event));
  }

  #context(): TextContext {
    const { zone = processZone, formats } = this.#options;
    const { preferred, isDayFirst } = this.#vote;
    return { receivedAtMs: this.#now(), zone, formats, preferred, isDayFirst };
  }

  #read({ text, end, line }: Held): FileEvent {
    // A clock without a day, or a day without a year, is of when the runtime took the line.
    const taken = line?.time === undefined ? Number.NaN : Date.parse(line.time);
    const context = Number.isNaN(taken) ? this.#context() : { ...this.#context(), receivedAtMs: taken };
    const columns = this.#columns.read(text, context);
    const { event, layout, usualService }: TextReading =
      columns === undefined ? explainText(text, context) : { event: columns, layout: 'columns' };
    const service = this.#options.service ?? usualService;
    if (service !== undefined) event['service'] ??= service;
    if (line !== undefined) {
      if (line.time !== undefined && !('timestamp' in event)) event['timestamp'] = line.time;
      for (const [name, value] of Object.entries({ stream: line.stream, ...line.attributes }))
        if (!(name in event)) event[name] = value;
    }
    return {
      content: event,
      layout: line === undefined ? layout : (layout ?? 'container'),
      end: this.#safeEnd(end),
    };
  }

  /** The offset up to which nothing is held back by another stream. */
  #safeEnd(end: number): number {
    let safe = end;
    for (const { joiner, parts, start } of this.#streams.values()) {
      if (!joiner.isEmpty && start >= 0 && start < safe) safe = start;
      if (parts.heldFrom !== undefined && parts.heldFrom < safe) safe = parts.heldFrom;
    }
    return safe;
  }
}

/** Without the byte order mark, and the zero bytes of a hole that a rotation by truncation leaves. */
function cleaned(line: string): string {
  const first = line.charCodeAt(0);
  return first === 0xfeff || first === 0 ? line.replace(/^[\ufeff\0]+/, '') : line;
}
