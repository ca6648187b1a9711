import { createReadStream } from 'node:fs';
import { CommandError } from '../commands/command-errors.ts';

/** The end of the last whole record of a file, and the place of its event, `timestamp,partition,offset`; undefined: it has none. */
export interface LastRecord {
  end: number;
  place: string | undefined;
}

const newline = 10;
const quote = 34;

/**
 * Finds the last whole record of a file of NDJSON or CSV, by reading it once. Throws CommandError `command-failed` if its records do not
 * say where they stand.
 */
export async function lastRecord(file: string, format: 'ndjson' | 'csv'): Promise<LastRecord> {
  let position = 0;
  let end = 0;
  let start = 0;
  let isQuoted = false;
  let rest: Buffer = Buffer.alloc(0);
  let head: string | undefined;
  let last: string | undefined;
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    const text = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const base = position - rest.length;
    start = 0;
    for (let i = rest.length; i < text.length; i++) {
      const byte = text[i];
      if (byte === quote && format === 'csv') isQuoted = !isQuoted;
      if (byte !== newline || isQuoted) continue;
      const record = text.toString('utf8', start, i);
      if (head === undefined && format === 'csv') head = record;
      else last = record;
      start = i + 1;
      end = base + start;
    }
    rest = text.subarray(start);
    position += chunk.length;
  }
  if (last === undefined) return { end, place: undefined };
  return { end, place: format === 'csv' ? placeInCsv(head!, last) : placeInJson(last) };
}

function placeInJson(line: string): string {
  const { timestamp, partition, offset } = JSON.parse(line) as Record<string, string | number>;
  return [timestamp, partition, offset].join();
}

function placeInCsv(head: string, record: string): string {
  const columns = fieldsOf(head);
  const fields = fieldsOf(record);
  return ['timestamp', 'partition', 'offset']
    .map((column) => {
      const value = fields[columns.indexOf(column)];
      if (value === undefined)
        throw new CommandError(
          'command-failed',
          'a CSV file can be continued if it has the columns timestamp, partition and offset',
        );
      return value;
    })
    .join();
}

/** The fields of a record of RFC 4180. */
function fieldsOf(record: string): string[] {
  const fields: string[] = [];
  for (const [, quoted, plain] of record.replace(/\r$/, '').matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g))
    fields.push(quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'));
  return fields;
}
