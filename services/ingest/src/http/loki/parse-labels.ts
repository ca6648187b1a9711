import { RejectedError } from '../../errors.ts';
import type { Labels } from './loki-push.ts';

const pair = /\s*([A-Za-z_][\w.:]*|"(?:[^"\\]|\\.)*")\s*=\s*"((?:[^"\\]|\\[^])*)"\s*(?:,|(?=\}$))/y;
const escape = /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|([^]))/g;
const named: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/** Parses the labels of a stream as Prometheus writes them: `{app="web", job="a\"b"}`, with values quoted as in Go. Throws RejectedError. */
export function parseLabels(text: string): Labels {
  const trimmed = text.trim();
  const labels = Object.create(null) as Labels;
  if (!trimmed.startsWith('{') || !trimmed.endsWith('}')) throw bad(text);
  pair.lastIndex = 1;
  while (trimmed.slice(pair.lastIndex, -1).trim() !== '') {
    const match = pair.exec(trimmed);
    if (match === null) throw bad(text);
    const name = match[1]!.startsWith('"') ? unquote(match[1]!.slice(1, -1)) : match[1]!;
    labels[name] = unquote(match[2]!);
  }
  return labels;
}

function unquote(text: string): string {
  return text.includes('\\') ? text.replace(escape, unescape).toWellFormed() : text;
}

function unescape(
  _whole: string,
  hex: string | undefined,
  short: string | undefined,
  long: string | undefined,
  octal: string | undefined,
  other: string | undefined,
): string {
  if (other !== undefined) return named[other] ?? other;
  if (octal !== undefined) return byte(Number.parseInt(octal, 8));
  if (hex !== undefined) return byte(Number.parseInt(hex, 16));
  const point = Number.parseInt(short ?? long!, 16);
  return point <= 0x10ffff ? String.fromCodePoint(point) : '\ufffd';
}

/** Go's escape for bytes that are not UTF-8. */
function byte(value: number): string {
  return value < 0x80 ? String.fromCharCode(value) : '\ufffd';
}

function bad(text: string): RejectedError {
  return new RejectedError('wrong-shape', `the labels cannot be read: ${text.slice(0, 200)}`);
}
