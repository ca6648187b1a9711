import { contractText, parseSchema, type LogEvent } from '@logloom/schemas';
import type { Message } from './message.ts';
import type { ReceivedEvent } from './received-event.ts';

const newline = 10;
/** Before each record: its length, its partition and its offset. */
const placeBytes = 16;
/** Before a record's body: 0 and the number of its schema. */
const framingBytes = 5;
const logEvent = parseSchema(contractText('LogEvent'));

interface Head {
  channel: number;
  cursor: string;
  count: number;
}

/** Whether a message of Logloom's is a batch in Avro: one that begins with a line, its head, which counts the records. */
export function isAvroFrame(bytes: Buffer): boolean {
  const end = bytes.indexOf(newline);
  return end > 0 && /"count":\d+\}$/.test(bytes.toString('latin1', Math.max(0, end - 32), end));
}

/**
 * A batch of the subprotocol `logloom.v1.avro` (docs/api/live-protocol.md). Records are read by the schema of this release, whatever its number in
 * the target's registry. Throws SyntaxError for what is no such batch.
 */
export function decodeAvroFrame(bytes: Buffer): Message {
  const end = bytes.indexOf(newline);
  const { channel, cursor, count } = JSON.parse(bytes.toString('utf8', 0, end)) as Head;
  const events: ReceivedEvent[] = [];
  for (let at = end + 1; at < bytes.length;) {
    const length = bytes.readUInt32BE(at);
    const start = at + placeBytes;
    events.push({
      ...eventOf(bytes.subarray(start + framingBytes, start + length)),
      partition: bytes.readUInt32BE(at + 4),
      offset: Number(bytes.readBigUInt64BE(at + 8)),
    });
    at = start + length;
  }
  if (events.length !== count) throw new SyntaxError(`${events.length} records, not ${count}`);
  return { type: 'events', cursor, channel, events, missed: 0, message: null };
}

function eventOf(body: Buffer): ReceivedEvent {
  let event: LogEvent;
  try {
    event = logEvent.fromBuffer(body) as LogEvent;
  } catch (error) {
    throw new SyntaxError('a record that is no event of this release', { cause: error });
  }
  const { service, level, message, correlationId, attributes } = event;
  return {
    service,
    level,
    message,
    ...(correlationId === null ? {} : { correlationId }),
    attributes: JSON.parse(attributes) as NonNullable<ReceivedEvent['attributes']>,
  };
}
