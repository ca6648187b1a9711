import { attributeValues } from '../attribute-values.ts';
import { parseNumber } from '../numeric.ts';

/** What an event's attributes become in Elasticsearch. Each of the first three fields needs one mapping entry, whatever the events contain. */
export interface ElasticsearchAttributes {
  /** For the field `labels` (flattened): for people and dashboards; filters do not use it. */
  labels: Record<string, string[]>;
  /** For the field `logloom.attributes` (keyword): attributePair of each value. */
  attributes: string[];
  /** For the field `logloom.numbers` (keyword): attributeNumber of each value that is a number or writes one. */
  numbers: string[];
  /** For the object `logloom.number` (double): the different numbers of each path, for aggregations. */
  doubles: Record<string, number[]>;
}

// Lucene takes no longer term.
const maxTermBytes = 32_766;

/**
 * The fields of an event's attributes, for the indexer. `flattened` cannot do it alone: it knows no wildcards, no open ranges and no
 * numbers. A value whose pair is longer than 32,766 bytes of UTF-8 is left out: Lucene has no room for it.
 */
export function elasticsearchAttributes(attributesJson: string): ElasticsearchAttributes {
  const labels: [path: string, texts: string[]][] = [];
  const attributes: string[] = [];
  const numbers: string[] = [];
  const doubles: [name: string, numbers: number[]][] = [];
  for (const [path, values] of attributeValues(attributesJson)) {
    // No filter can name such a path (U+0000 is refused), and its pair would look like that of another path.
    if (path.includes('\0')) continue;
    const texts: string[] = [];
    let found: number[] | undefined;
    // Most paths have one value, and nothing to compare it with.
    const known = values.length > 1 ? new Set<string>() : undefined;
    const add = (list: string[], item: string): void => {
      if (known?.has(item) === true) return;
      known?.add(item);
      list.push(item);
    };
    for (const value of values) {
      const text = String(value);
      const pair = attributePair(path, text);
      if (!isTerm(pair)) continue;
      texts.push(text);
      add(attributes, pair);
      const number = typeof value === 'string' ? parseNumber(value) : value;
      if (typeof number !== 'number') continue;
      add(numbers, attributeNumber(path, number, typeof value === 'number'));
      if (found === undefined) found = [number];
      else if (!found.includes(number)) found.push(number);
    }
    const name = found && elasticsearchNumberName(path);
    if (name !== undefined) doubles.push([name, found!]);
    if (texts.length > 0) labels.push([path, texts]);
  }
  return { labels: Object.fromEntries(labels), attributes, numbers, doubles: Object.fromEntries(doubles) };
}

const maxNameLength = 200;

/**
 * The name of a path's numbers in the object `logloom.number`: Elasticsearch refuses documents with some names, and takes dots for objects.
 * Undefined for a path that has none.
 */
export function elasticsearchNumberName(path: string): string | undefined {
  if (plainName.test(path)) return path;
  const name = path.replaceAll(
    /[^A-Za-z0-9_-]/g,
    (character) => `%${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return name === '' || name.length > maxNameLength ? undefined : name;
}

const plainName = /^[A-Za-z0-9_-]{1,200}$/;

function isTerm(text: string): boolean {
  return text.length * 3 <= maxTermBytes || Buffer.byteLength(text) <= maxTermBytes;
}

/** A path and a value as one keyword: term, prefix, wildcard and range queries on it stay within the path. */
export function attributePair(path: string, value: string): string {
  return `${path}\0${value}`;
}

/**
 * A path and a number as one keyword. Keywords of one path sort as their numbers do, so a range of them is a range of doubles, exact to the
 * last bit; a `double` field for each attribute would blow up the mapping. The last letter distinguishes a JSON number from a string that
 * contains one: only the former equals `5` where the filter says `5.0`.
 */
export function attributeNumber(path: string, number: number, isNumber: boolean): string {
  return attributePair(path, sortableNumber(number) + (isNumber ? 'n' : 's'));
}

const scratch = Buffer.alloc(8);

/** 16 hexadecimal digits that sort as the numbers do: IEEE 754 with the sign bit turned, all bits of a negative number turned. */
export function sortableNumber(number: number): string {
  scratch.writeDoubleBE(number + 0);
  if (scratch[0]! < 0x80) scratch[0]! |= 0x80;
  else for (let i = 0; i < 8; i++) scratch[i] = ~scratch[i]!;
  return scratch.toString('hex');
}
