/**
 * What a line of a file is as JSON: its objects' texts, `begins` for the first line of one over several, `list` for what only opens a list,
 * undefined for other texts.
 */
export type JsonLine = readonly string[] | 'begins' | 'list' | undefined;

const next = /\}\s+\{/;

/**
 * Finds the JSON objects of a line: one, several in a row, those of a list, or one that a list's comma follows. A line that begins and ends
 * as one object is not parsed: the server says what is wrong with it.
 */
export function jsonObjectsOf(text: string): JsonLine {
  const first = text.charCodeAt(0);
  if (first !== 0x7b && first !== 0x5b) return undefined;
  if (text === '{' || text === '[{') return 'begins';
  if (text === '[') return 'list';
  const last = text.charCodeAt(text.length - 1);
  if (first === 0x5b) return last === 0x5d ? listOf(text) : undefined;
  if (last === 0x2c) return isObject(text.slice(0, -1)) ? [text.slice(0, -1)] : undefined;
  if (last !== 0x7d) return undefined;
  if (/^\{\s*["}]/.test(text) && !text.includes('}{') && !next.test(text)) return [text];
  if (isObject(text)) return [text];
  return objectsInRow(text);
}

function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

function listOf(text: string): string[] | undefined {
  try {
    const list = JSON.parse(text) as unknown[];
    const isOfObjects =
      list.length > 0 &&
      list.every((each) => typeof each === 'object' && each !== null && !Array.isArray(each));
    return isOfObjects ? list.map((each) => JSON.stringify(each)) : undefined;
  } catch {
    return undefined;
  }
}

/** `{…}{…} {…}`; undefined where anything else stands between. */
function objectsInRow(text: string): string[] | undefined {
  const objects: string[] = [];
  let depth = 0;
  let start = 0;
  let isQuoted = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (isQuoted) {
      if (code === 0x5c) i++;
      else if (code === 0x22) isQuoted = false;
    } else if (code === 0x22) isQuoted = true;
    else if (code === 0x7b) {
      if (depth++ === 0) start = i;
    } else if (code === 0x7d) {
      if (--depth < 0) return undefined;
      if (depth > 0) continue;
      const object = text.slice(start, i + 1);
      if (!isObject(object)) return undefined;
      objects.push(object);
    } else if (depth === 0 && code !== 0x20 && code !== 0x09 && code !== 0x2c) return undefined;
  }
  return depth === 0 && objects.length > 0 ? objects : undefined;
}

const maxLines = 10_000;
const maxLength = 2_000_000;

/** Collects an object that stands over several lines. */
export class PrettyObject {
  readonly #lines: string[] = [];
  #length = 0;
  #indent = 0;

  /** The lines so far: what they are when they turn out to be no object. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** Returns its text when the line completes it; false when it is none. */
  push(line: string): string | false | undefined {
    if (this.#lines.length === 0) {
      this.#indent = line.length - line.trimStart().length;
      this.#lines.push(line.trim().replace(/^\[/, ''));
      return undefined;
    }
    this.#lines.push(line);
    this.#length += line.length;
    const isEnd = /^\s*\}\s*[,\]]?\s*$/.test(line) && line.length - line.trimStart().length <= this.#indent;
    if (isEnd) {
      const text = this.#lines
        .join('\n')
        .trimEnd()
        .replace(/[,\]]$/, '');
      return isObject(text) ? JSON.stringify(JSON.parse(text)) : false;
    }
    return this.#lines.length >= maxLines || this.#length > maxLength ? false : undefined;
  }
}
