/**
 * BullMQ refuses ids and names with a colon, and ids that look like numbers; Logloom allows any text. The prefix also keeps them apart from
 * the ids of scheduled jobs, which BullMQ makes (`repeat:…`) and which stay as they are.
 */
const prefix = 'j-';

export function toBullId(id: string): string {
  return id.startsWith('repeat:') ? id : prefix + encode(id);
}

export function fromBullId(bullId: string): string {
  return bullId.startsWith(prefix) ? decodeURIComponent(bullId.slice(prefix.length)) : bullId;
}

/** For the names of queues and schedules. */
export function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}
