/** The place of one event in a body: bytes from `start` to before `end`. `line` is the line or array element, counted from 1. */
export interface Piece {
  line: number;
  start: number;
  end: number;
}

const newline = 0x0a;
const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;

/** Yields the lines that are not blank, without white space around them. */
export function* lines(body: Buffer, from = 0): Generator<Piece> {
  let line = 1;
  for (let start = from; ;) {
    // Millions of blank lines must not take long.
    for (; start < body.length && isSpace(body[start]!); start++) if (body[start] === newline) line++;
    if (start >= body.length) return;
    const found = body.indexOf(newline, start);
    const end = found === -1 ? body.length : found;
    yield trim(body, { line, start, end });
    start = end;
  }
}

/** Yields all lines, also blank ones, without white space around them. */
export function* allLines(body: Buffer, from = 0): Generator<Piece> {
  let line = 0;
  for (let start = from; start < body.length;) {
    const found = body.indexOf(newline, start);
    const next = found === -1 ? body.length : found;
    line++;
    yield trim(body, { line, start, end: next });
    start = next + 1;
  }
}

/**
 * Yields the elements of a JSON array without parsing them: each may turn out not to be JSON. Returns false when brackets, strings and
 * commas do not form one array.
 */
export function* arrayElements(body: Buffer, from = 0): Generator<Piece, boolean> {
  const { start, end } = trim(body, { line: 0, start: from, end: body.length });
  if (body[start] !== 0x5b || end - start < 2) return false;
  let count = 0;
  let elementStart = start + 1;
  let depth = 1;
  for (let i = start + 1; i < end; i++) {
    const byte = body[i];
    if (byte === quote) {
      i = closingQuote(body, i + 1, end);
      if (i === -1) return false;
    } else if (byte === 0x7b || byte === 0x5b) depth++;
    else if (byte === 0x7d || byte === 0x5d) depth--;
    if ((byte === comma && depth === 1) || depth === 0) {
      const piece = trim(body, { line: count + 1, start: elementStart, end: i });
      const isEmptyArray = depth === 0 && count === 0 && piece.start === piece.end;
      if (piece.start === piece.end && !isEmptyArray) return false;
      if (!isEmptyArray) {
        count++;
        yield piece;
      }
      elementStart = i + 1;
    }
    if (depth === 0) return i === end - 1 && byte === 0x5d;
  }
  return false;
}

/**
 * Returns the objects of a body that stand one behind another, with nothing, white space or a comma between them, over any number of lines;
 * undefined where something else is between them, or the last is not whole.
 */
export function objectsIn(body: Buffer, from: number): Piece[] | undefined {
  const objects: Piece[] = [];
  let depth = 0;
  let start = from;
  for (let i = from; i < body.length; i++) {
    const byte = body[i]!;
    if (depth === 0) {
      if (byte === 0x7b) {
        start = i;
        depth = 1;
      } else if (byte !== comma && !isSpace(byte)) return undefined;
    } else if (byte === quote) {
      i = closingQuote(body, i + 1, body.length);
      if (i === -1) return undefined;
    } else if (byte === 0x7b || byte === 0x5b) depth++;
    else if ((byte === 0x7d || byte === 0x5d) && --depth === 0)
      objects.push({ line: objects.length + 1, start, end: i + 1 });
  }
  return depth === 0 ? objects : undefined;
}

/** Returns the index of the first byte that is not white space, after a byte order mark; the body's length when there is none. */
export function contentStart(body: Buffer): number {
  return trim(body, { line: 0, start: byteOrderMark(body), end: body.length }).start;
}

/** Returns the length of the byte order mark at the start; 0 without one. */
export function byteOrderMark(body: Buffer): number {
  return body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? 3 : 0;
}

function closingQuote(body: Buffer, from: number, end: number): number {
  for (let i = from; i < end; i++) {
    const byte = body[i];
    if (byte === quote) return i;
    if (byte === backslash) i++;
  }
  return -1;
}

function trim(body: Buffer, piece: Piece): Piece {
  while (piece.start < piece.end && isSpace(body[piece.start]!)) piece.start++;
  while (piece.start < piece.end && isSpace(body[piece.end - 1]!)) piece.end--;
  return piece;
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === newline || byte === 0x0d || byte === 0x09;
}
