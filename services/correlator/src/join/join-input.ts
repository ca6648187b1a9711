import type { Decoded, Serde } from '@logloom/schema-registry';
import type { Forward } from '@logloom/schemas';
import type { InputRecord } from '../correlate.ts';
import { tryDecode } from '../try-decode.ts';
import type { CauseOrder } from './cause-order.ts';

type JoinInput = Pick<InputRecord, 'event' | 'forwarded' | 'link'>;

const nothing: JoinInput = { event: null };

/** Loads the schemas of the events that these records stand for. */
export async function loadForwarded(serde: Serde, values: readonly Buffer[]): Promise<void> {
  const inner = values.filter((value) => serde.nameOf(value) === 'Forward');
  if (inner.length === 0) return;
  const forwards = inner.map((value) => tryDecode(serde, value)?.value as Forward | undefined);
  await serde.load(forwards.flatMap((forward) => (forward === undefined ? [] : [forward.event])));
}

/** What a Link or Forward record, or any other without an event of its own, is for the core. */
export function joinInput(decoded: Decoded | undefined, order: CauseOrder, serde: Serde): JoinInput {
  if (decoded?.name === 'Link') {
    const { id, into, kind, rank, cause } = decoded.value;
    if (cause !== null && !order.admit(cause)) return nothing;
    return { event: null, link: { type: 'link', id, into, kind, rank } };
  }
  if (decoded?.name !== 'Forward') return nothing;
  const { into, kind, partition, offset, hops, cause, event } = decoded.value;
  if (!order.admit(cause)) return nothing;
  const inner = tryDecode(serde, event);
  if (inner?.name !== 'LogEvent') return nothing;
  return { event: inner.value, forwarded: { into, kind, partition, offset, hops } };
}
