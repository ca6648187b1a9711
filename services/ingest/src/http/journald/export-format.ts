import { isUtf8 } from 'node:buffer';
import { Turns } from '../../pipeline/turns.ts';
import type { RequestCost } from '../../admission/request-cost.ts';
import { RejectedError, IngestError } from '../../errors.ts';
import { journalFieldAt } from '../../text/lines/journal-export.ts';
import { addAttribute, noAttributes, type Attributes } from '../otlp/otlp-record.ts';

const newline = 0x0a;
/** Others may get their turns after so many fields. */
const fieldsOfStep = 1000;

/**
 * Returns the entries of systemd's journal export format, still as bytes: fields in lines, binary ones with their length, and a blank line
 * after each entry. Throws IngestError `empty-body`, `wrong-shape`, `too-many-events`.
 */
export async function splitEntries(body: Buffer, cost: RequestCost): Promise<Buffer[]> {
  const entries: Buffer[] = [];
  let start = 0;
  const end = (at: number): void => {
    if (at > start) {
      cost.events(1);
      entries.push(body.subarray(start, at));
    }
  };
  const turns = new Turns();
  let fields = 0;
  for (let at = 0; at < body.length;) {
    if (++fields % fieldsOfStep === 0 && turns.isOver) await turns.next();
    if (body[at] === newline) {
      end(at);
      start = ++at;
      continue;
    }
    const next = fieldAt(body, at);
    if (next === undefined) throw new IngestError('wrong-shape', `entry ${entries.length + 1} is not whole`);
    at = next.next;
  }
  end(body.length);
  if (entries.length === 0) throw new IngestError('empty-body');
  return entries;
}

/** Returns the fields of an entry. A name that comes twice has a list. Throws RejectedError `wrong-shape`. */
export function readEntry(entry: Buffer): Attributes {
  const object = noAttributes();
  for (let at = 0; at < entry.length;) {
    const field = fieldAt(entry, at);
    if (field === undefined) throw new RejectedError('wrong-shape', 'the entry is not whole');
    const { name, value } = field;
    addAttribute(object, name, value.toString(isUtf8(value) ? 'utf8' : 'base64'));
    at = field.next;
  }
  return object;
}

function fieldAt(bytes: Buffer, at: number): { name: string; value: Buffer; next: number } | undefined {
  const found = bytes.indexOf(newline, at);
  const lineEnd = found === -1 ? bytes.length : found;
  const { name, start, end } = journalFieldAt(bytes, at, lineEnd);
  return end > bytes.length ? undefined : { name, value: bytes.subarray(start, end), next: end + 1 };
}
