import type { LogEvent } from '@logloom/schemas';
import { isUtf8 } from 'node:buffer';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import type { Received } from '../receive-request.ts';
import { IngestError, reject, type ErrorCode, type Rejection } from '../../errors.ts';
import { inSlices, sliceEvents } from '../../pipeline/in-slices.ts';
import type { IngestBatch } from '../../pipeline/ingest-batch.ts';
import { ifAllowed } from '../../admission/key-guard.ts';
import { readEvent } from '../../event/read-event.ts';
import { eventsOfText, isText } from './events-of-text.ts';
import { arrayElements, byteOrderMark, contentStart, lines, objectsIn, type Piece } from '../split-body.ts';
import { tooManyEvents } from '../../admission/request-cost.ts';
import { spans } from '../../telemetry.ts';

const maxListed = 1000;
/** They are parsed at once, which must not take long. */
const maxConcatenatedBytes = 4 * 2 ** 20;

/** The response to a request. */
export interface Receipt {
  accepted: number;
  /** The number of events that are durable since an earlier request; missing when there are none. */
  duplicates?: number;
  rejected: { line: number; code: ErrorCode; message: string }[];
  /** Set when there are more than are listed. */
  rejectedCount?: number;
  /** Set when nothing was accepted. */
  error?: { code: ErrorCode; message: string };
}

export interface BodyOptions extends Omit<Received, 'body' | 'claim'> {
  /** Whether the content type is NDJSON: then a body that begins with [ may be something else than an array. */
  isNdjson: boolean;
  /** Whether the content type is that of plain text: then a body that is no JSON is read line by line. */
  isPlain?: boolean;
}

/**
 * Accepts the events of a body: NDJSON, a JSON array, one JSON object, or plain text. Resolves when all is durable. Throws IngestError
 * `empty-body`, `bad-json` (a broken array), `too-many-events`, `log-unavailable`.
 */
export async function acceptBody(body: Buffer, options: BodyOptions): Promise<Receipt> {
  const { limits, producer, sender } = options;
  const batch = options.pipeline.open('http', { limits, producer, sender });
  const receipt = await options.pipeline.tracing.child(spans.normalize, () =>
    options.isPlain === true && isText(body)
      ? readPlain(body, batch, options)
      : readPieces(body, batch, options),
  );
  await batch.done();
  return receipt;
}

/** Adds every event of a text to the batch, as readPieces() does for JSON. */
async function readPlain(body: Buffer, batch: IngestBatch, options: BodyOptions): Promise<Receipt> {
  const { pipeline, receivedAtMs, maxEventBytes, cost } = options;
  if (contentStart(body) === body.length) throw new IngestError('empty-body');
  refuseTooManyLines(body, cost.maxEvents);
  const receipt = new ReceiptWriter();
  await inSlices(eventsOfText(body, pipeline.normalizer, receivedAtMs, maxEventBytes), batch, (event) => {
    if (event === undefined) return;
    const { line, json } = event;
    const piece = { line, start: 0, end: json.length };
    receipt.add(line, acceptPiece(json, piece, batch, true, options));
  });
  return receipt.done();
}

/** Blank lines count too: they take time. */
function refuseTooManyLines(body: Buffer, max: number): void {
  for (let at = body.indexOf(0x0a), count = 0; at !== -1; at = body.indexOf(0x0a, at + 1))
    if (++count > max) throw tooManyEvents(max);
}

/** Adds every event of the body to the batch. The receipt counts them; they are durable once the batch is done. */
async function readPieces(body: Buffer, batch: IngestBatch, options: BodyOptions): Promise<Receipt> {
  const pieces = await split(body, options);
  const receipt = new ReceiptWriter();
  const wholeIsUtf8 = isUtf8(body);
  await inSlices(pieces, batch, (piece) =>
    receipt.add(piece.line, acceptPiece(body, piece, batch, wholeIsUtf8, options)),
  );
  return receipt.done();
}

/** Counts what became of a request's events. */
class ReceiptWriter {
  readonly #receipt: Receipt = { accepted: 0, rejected: [] };
  #rejected = 0;

  add(line: number, refused: Rejection | 'duplicate' | undefined): void {
    const { rejected, duplicates = 0 } = this.#receipt;
    if (refused === undefined) this.#receipt.accepted++;
    else if (refused === 'duplicate') this.#receipt.duplicates = duplicates + 1;
    else if (++this.#rejected <= maxListed)
      rejected.push({ line, code: refused.code, message: refused.message });
  }

  done(): Receipt {
    if (this.#rejected > maxListed) this.#receipt.rejectedCount = this.#rejected;
    return this.#receipt;
  }
}

function acceptPiece(
  body: Buffer,
  { start, end }: Piece,
  batch: IngestBatch,
  wholeIsUtf8: boolean,
  { producer, receivedAtMs, maxEventBytes, pipeline, key }: BodyOptions,
): Rejection | 'duplicate' | undefined {
  const source = producer.next();
  if (producer.isNumbered) source.index = crc32(body.subarray(start, end)) | 0;
  let result: LogEvent | Rejection;
  const unread = batch.tooManyRejected;
  if (unread !== undefined) result = unread;
  else if (end - start > maxEventBytes) result = reject('event-too-large');
  else if (!wholeIsUtf8 && !isUtf8(body.subarray(start, end))) result = reject('invalid-utf8');
  else
    result = ifAllowed(
      readEvent(body.toString('utf8', start, end), source, receivedAtMs, pipeline.normalizer),
      key,
    );
  if ('code' in result) {
    batch.refuseText(result, source, receivedAtMs, body.subarray(start, end));
    return result;
  }
  return batch.accept(result) ? undefined : 'duplicate';
}

/** Returns the pieces one at a time: a body may hold millions. */
async function split(body: Buffer, { isNdjson, maxEventBytes, cost }: BodyOptions): Promise<Iterable<Piece>> {
  const start = contentStart(body);
  if (start === body.length) throw new IngestError('empty-body');
  if (body[start] === 0x5b) {
    const problem = await problemInArray(body, start, maxEventBytes, cost.maxEvents);
    if (problem === undefined) return arrayElements(body, start);
    if (!isNdjson) throw problem;
  }
  const whole = body.length - start <= maxEventBytes ? wholeObject(body, start) : undefined;
  if (whole !== undefined) return [whole];
  const objects = concatenated(body, start);
  if (objects !== undefined && objects.length > cost.maxEvents) throw tooManyEvents(cost.maxEvents);
  if (objects !== undefined) return objects;
  if (countLines(body, cost.maxEvents) > cost.maxEvents) throw tooManyEvents(cost.maxEvents);
  return lines(body, byteOrderMark(body));
}

/** Counts the lines that are not blank; stops beyond `max`. */
function countLines(body: Buffer, max: number): number {
  const each = lines(body, byteOrderMark(body));
  let count = 0;
  while (count <= max && each.next().done !== true) count++;
  return count;
}

/** Returns why the body is not a JSON array: an array is accepted whole or not at all. Elements too large for an event are skipped. */
async function problemInArray(
  body: Buffer,
  start: number,
  maxEventBytes: number,
  maxEvents: number,
): Promise<IngestError | undefined> {
  const elements = arrayElements(body, start);
  let next;
  while ((next = elements.next()).done !== true) {
    const element = next.value;
    if (element.line > maxEvents) throw tooManyEvents(maxEvents);
    try {
      if (element.end - element.start <= maxEventBytes)
        JSON.parse(body.toString('utf8', element.start, element.end));
    } catch (error) {
      return new IngestError(
        'bad-json',
        `element ${element.line}: ${(error as Error).message.toWellFormed()}`,
      );
    }
    if (element.line % sliceEvents === 0) await nextTurn();
  }
  return next.value ? undefined : new IngestError('bad-json', 'the array is not closed or not well-formed');
}

/** Returns the body as one piece when it is one object over several lines. */
function wholeObject(body: Buffer, start: number): Piece | undefined {
  const lineEnd = body.indexOf(0x0a, start);
  if (lineEnd === -1 || body[start] !== 0x7b) return undefined;
  if (isJson(body.toString('utf8', start, lineEnd)) || !isJson(body.toString('utf8', start)))
    return undefined;
  return { line: 1, start, end: body.length };
}

/** Returns the objects of a body that is neither NDJSON nor one object, but several, one behind another. */
function concatenated(body: Buffer, start: number): Piece[] | undefined {
  if (body[start] !== 0x7b || body.length - start > maxConcatenatedBytes) return undefined;
  const found = body.indexOf(0x0a, start);
  const lineEnd = found === -1 ? body.length : found;
  if (isJson(body.toString('utf8', start, lineEnd))) return undefined;
  const objects = objectsIn(body, start);
  if (objects === undefined || objects.length < 2) return undefined;
  // A broken line must not take its neighbours with it.
  return objects.every(({ start: from, end }) => isJson(body.toString('utf8', from, end)))
    ? objects
    : undefined;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
