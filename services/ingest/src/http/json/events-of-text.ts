import { isUtf8 } from 'node:buffer';
import type { Normalizer } from '../../event/normalize.ts';
import { TextReader, type FileEvent } from '../../text/text-reader.ts';

const newline = 0x0a;
const carriageReturn = 0x0d;
/** Enough for what stands before the first event. */
const headBytes = 1024;

/** An event of a text, as JSON. `line` is the last of its lines, counted from 1. */
export interface EventOfText {
  line: number;
  json: Buffer;
}

/**
 * Yields the events of a text, read as `logloom send` reads a file: layouts, stack traces, containers' lines, JSON between them. Bytes that
 * are no UTF-8 are read as ISO 8859-1. Yields undefined after each line that completes no event. A line of more than `maxEventBytes` is yielded
 * as it is, unread.
 */
export function* eventsOfText(
  body: Buffer,
  { zone, formats }: Pick<Normalizer, 'zone' | 'formats'>,
  receivedAtMs: number,
  maxEventBytes: number,
): Generator<EventOfText | undefined> {
  const reader = new TextReader({
    zone,
    formats: formats?.table,
    join: { rule: formats?.joinRule },
    now: () => receivedAtMs,
  });
  let line = 0;
  for (let start = 0; start < body.length;) {
    const found = body.indexOf(newline, start);
    const next = found === -1 ? body.length : found;
    const bytes = body.subarray(start, body[next - 1] === carriageReturn ? Math.max(start, next - 1) : next);
    start = next + 1;
    line++;
    if (bytes.length > maxEventBytes) {
      yield* reader.flush().map(asJson);
      yield { line, json: bytes };
      continue;
    }
    yield* reader.push(bytes.toString(isUtf8(bytes) ? 'utf8' : 'latin1'), line).map(asJson);
    yield undefined;
  }
  yield* reader.flush().map(asJson);
}

/** Whether a body that the sender calls a text is one: what begins as an object, or as a list of them, is JSON. */
export function isText(body: Buffer): boolean {
  return !/^(?:\ufeff|\s)*(?:\{|\[\s*[{\]])/.test(body.toString('utf8', 0, headBytes));
}

function asJson({ content, end }: FileEvent): EventOfText {
  return { line: end, json: Buffer.from(typeof content === 'string' ? content : JSON.stringify(content)) };
}
