import { IngestError } from '../errors.ts';
import type { RequestCost } from '../admission/request-cost.ts';
import { Turns } from '../pipeline/turns.ts';

/** Others may get their turns after so many bytes. */
const stepBytes = 64 * 1024;

/**
 * Returns the JSON objects of a body one after another, still as text: with anything blank or a comma between them, or nothing, or in one
 * array. Throws IngestError `empty-body`, `bad-json` where something else is between them or the last is not whole, `too-many-events`.
 */
export async function splitObjects(body: Buffer, cost: RequestCost): Promise<Buffer[]> {
  const objects: Buffer[] = [];
  let depth = 0;
  let start = 0;
  const turns = new Turns();
  let next = stepBytes;
  for (let i = 0; i < body.length; i++) {
    if (i >= next) {
      next = i + stepBytes;
      if (turns.isOver) await turns.next();
    }
    const byte = body[i]!;
    if (byte === quote && depth > 0) {
      i = closingQuote(body, i + 1);
      if (i === -1) break;
    } else if (byte === openBrace || (byte === openBracket && depth > 0)) {
      if (depth++ === 0) start = i;
    } else if (byte === closeBrace || (byte === closeBracket && depth > 0)) {
      if (--depth > 0) continue;
      if (depth < 0) throw wrong(objects.length);
      cost.events(1);
      objects.push(body.subarray(start, i + 1));
    } else if (depth === 0 && !isBetween(byte)) throw wrong(objects.length);
  }
  if (depth !== 0) throw wrong(objects.length);
  if (objects.length === 0) throw new IngestError('empty-body');
  return objects;
}

const quote = 0x22;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;

/** White space, commas, the brackets of an array around all of them, and a byte order mark. */
function isBetween(byte: number): boolean {
  return (
    byte <= 0x20 ||
    byte === 0x2c ||
    byte === openBracket ||
    byte === closeBracket ||
    byte === 0xef ||
    byte === 0xbb ||
    byte === 0xbf
  );
}

function closingQuote(body: Buffer, from: number): number {
  for (let at = from; ; at++) {
    at = body.indexOf(quote, at);
    if (at === -1) return -1;
    let backslashes = 0;
    while (at - backslashes > from && body[at - backslashes - 1] === backslash) backslashes++;
    if (backslashes % 2 === 0) return at;
  }
}

function wrong(index: number): IngestError {
  return new IngestError('bad-json', `object ${index + 1} is not a whole JSON object`);
}
