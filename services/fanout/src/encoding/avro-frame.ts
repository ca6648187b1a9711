import type { Serde } from '@logloom/schema-registry';
import type { DeliveryBatch } from './delivery-batch.ts';
import { binaryFrame } from './frame.ts';

/** The subprotocol of viewers that receive batches as Avro; all other messages are JSON in text frames. */
export const avroSubprotocol = 'logloom.v1.avro';

const newline = Buffer.from('\n');
const placeBytes = 16;
const frames = new WeakMap<DeliveryBatch, Buffer>();

/**
 * The batch as one binary frame, made once for all viewers: its head as a line of JSON, then each item as the length of its record (4
 * bytes), its partition (4) and offset (8), all big-endian, and the record in the log's format (0, schema id, Avro body).
 */
export function avroFrame(batch: DeliveryBatch, serde: Serde): Buffer {
  let frame = frames.get(batch);
  if (frame === undefined) frames.set(batch, (frame = makeFrame(batch, serde)));
  return frame;
}

function makeFrame({ stream, channel, cursor, items }: DeliveryBatch, serde: Serde): Buffer {
  const head = JSON.stringify({ type: stream, channel, cursor, count: items.length });
  const parts: Buffer[] = [Buffer.from(head), newline];
  for (const item of items) {
    const record = item.encode(serde);
    const place = Buffer.allocUnsafe(placeBytes);
    place.writeUInt32BE(record.length, 0);
    place.writeUInt32BE(item.partition, 4);
    place.writeBigUInt64BE(BigInt(item.offset), 8);
    parts.push(place, record);
  }
  return binaryFrame(Buffer.concat(parts));
}
