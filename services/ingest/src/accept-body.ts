import type { IngestKey } from '@logloom/auth';
import type { Source } from '@logloom/schemas';
import { isUtf8 } from 'node:buffer';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { IngestError, reject, type ErrorCode, type Rejection } from './errors.ts';
import { inSlices, sliceEvents } from './in-slices.ts';
import type { Intake, IntakeUnit } from './intake.ts';
import { ifAllowed } from './key-guard.ts';
import { readEvent } from './read-event.ts';
import { arrayElements, byteOrderMark, contentStart, lines, type Piece } from './split-body.ts';
import { spans } from './telemetry.ts';

const maxListed = 1000;

/** Numbers a producer's events: the next one's sequence number. */
export interface Producer {
  id: string;
  next: () => number;
}

/** The source of a producer's next event. */
export function nextSource({ id, next }: Producer): Source {
  return { kind: 'http', topic: id, partition: 0, offset: next(), index: 0 };
}

/** What a request is answered with. */
export interface Receipt {
  accepted: number;
  rejected: { line: number; code: ErrorCode; message: string }[];
  /** Only when there are more than are listed. */
  rejectedCount?: number;
  /** Only when nothing was accepted. */
  error?: { code: ErrorCode; message: string };
}

export interface BodyOptions {
  intake: Intake;
  producer: Producer;
  receivedAt: number;
  maxEventBytes: number;
  key: IngestKey | undefined;
  /** The sender says that it is NDJSON: what begins with [ need not be an array. */
  isNdjson: boolean;
}

/**
 * Takes in the events of a body: NDJSON, a JSON array, or one JSON object. Resolves when all is durable. Throws IngestError
 * `empty-body`, `bad-json` (a broken array), `log-unavailable`.
 */
export async function acceptBody(body: Buffer, options: BodyOptions): Promise<Receipt> {
  const unit = options.intake.open('http');
  const receipt = await options.intake.tracing.child(spans.normalize, () => readPieces(body, unit, options));
  await unit.done();
  return receipt;
}

/** Hands every event of the body to the unit; what of it is durable, only the unit knows. */
async function readPieces(body: Buffer, unit: IntakeUnit, options: BodyOptions): Promise<Receipt> {
  const pieces = await split(body, options);
  const receipt: Receipt = { accepted: 0, rejected: [] };
  let rejected = 0;
  const wholeIsUtf8 = isUtf8(body);
  await inSlices(pieces, unit, (piece) => {
    const refused = acceptPiece(body, piece, unit, wholeIsUtf8, options);
    if (refused === undefined) receipt.accepted++;
    else if (++rejected <= maxListed)
      receipt.rejected.push({ line: piece.line, code: refused.code, message: refused.message });
  });
  if (rejected > maxListed) receipt.rejectedCount = rejected;
  return receipt;
}

function acceptPiece(
  body: Buffer,
  { start, end }: Piece,
  unit: IntakeUnit,
  wholeIsUtf8: boolean,
  { producer, receivedAt, maxEventBytes, intake, key }: BodyOptions,
): Rejection | undefined {
  const source = nextSource(producer);
  let result;
  if (end - start > maxEventBytes) result = reject('event-too-large');
  else if (!wholeIsUtf8 && !isUtf8(body.subarray(start, end))) result = reject('invalid-utf8');
  else
    result = ifAllowed(
      readEvent(body.toString('utf8', start, end), source, receivedAt, intake.normalizer),
      key,
    );
  if ('code' in result) {
    unit.refuse(result, source, receivedAt, body.subarray(start, end));
    return result;
  }
  unit.accept(result);
  return undefined;
}

async function split(body: Buffer, { isNdjson, maxEventBytes }: BodyOptions): Promise<Iterable<Piece>> {
  const start = contentStart(body);
  if (start === body.length) throw new IngestError('empty-body');
  if (body[start] === 0x5b) {
    const elements = await readableElements(body, start);
    if (Array.isArray(elements)) return elements;
    if (!isNdjson) throw elements;
  }
  const whole = body.length - start <= maxEventBytes ? wholeObject(body, start) : undefined;
  return whole === undefined ? lines(body, byteOrderMark(body)) : [whole];
}

/** The array's elements, when each of them is JSON: an array is taken in whole or not at all. */
async function readableElements(body: Buffer, start: number): Promise<Piece[] | IngestError> {
  const elements = arrayElements(body, start);
  if (elements === undefined)
    return new IngestError('bad-json', 'the array is not closed or not well-formed');
  for (const [i, element] of elements.entries()) {
    try {
      JSON.parse(body.toString('utf8', element.start, element.end));
    } catch (error) {
      return new IngestError(
        'bad-json',
        `element ${element.line}: ${(error as Error).message.toWellFormed()}`,
      );
    }
    if (i % sliceEvents === sliceEvents - 1) await nextTurn();
  }
  return elements;
}

/** One object that is printed over several lines. */
function wholeObject(body: Buffer, start: number): Piece | undefined {
  const lineEnd = body.indexOf(0x0a, start);
  if (lineEnd === -1 || body[start] !== 0x7b) return undefined;
  if (isJson(body.toString('utf8', start, lineEnd)) || !isJson(body.toString('utf8', start)))
    return undefined;
  return { line: 1, start, end: body.length };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
