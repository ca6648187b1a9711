import { attributeValues } from '../attribute-values.ts';
import { parseNumber } from '../numeric.ts';
import { tokenize } from '../tokenize.ts';

/** What a document in MongoDB needs beside the event's own fields, so that compileMongo's filters can be answered. */
export interface MongoFields {
  /** The message's words, a space before, between and after them. */
  words: string;
  values: MongoAttribute[];
}

/** One value of an attribute. The names are short because every document repeats them for each value. */
export interface MongoAttribute {
  /** The path. */
  k: string;
  /** The value as text. */
  s: string;
  /** The number that the value is, or that its text represents. */
  n?: number;
  /** 1: it is a number; only such a one equals `5` where the filter says `5.0`. */
  t?: 1;
}

/** The fields of an event, for the archive. */
export function mongoFields(event: { message: string; attributes: string }): MongoFields {
  const values: MongoAttribute[] = [];
  for (const [path, found] of attributeValues(event.attributes))
    for (const value of found) {
      const number = typeof value === 'string' ? parseNumber(value) : value;
      values.push({
        k: path,
        s: String(value),
        // `+ 0` turns -0 into 0: some servers do not treat them as equal.
        ...(typeof number === 'number' && { n: number + 0 }),
        ...(typeof value === 'number' && { t: 1 }),
      });
    }
  return { words: ` ${tokenize(event.message).join(' ')} `, values };
}
