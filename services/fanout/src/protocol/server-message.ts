import type { LiveError } from '../errors.ts';
import type { CountsByLogLevel, DegradationLevel } from './degradation-level.ts';

/** Why events were not sent: the viewer was too slow, the log no longer has them, or the log was recreated. */
export type GapReason = 'slow' | 'retention' | 'epoch';

/** The server's messages as JSON text, except batches (delivery-batch.ts). */
export const serverMessage = {
  /** `maxPayload`: the largest message that a client may send, in bytes. */
  hello: (heartbeatMs: number, maxPayload: number) =>
    JSON.stringify({ type: 'hello', protocol: 1, heartbeatMs, maxPayload }),
  /** `resumed`: the stream continues at the cursor that the client sent. */
  subscribed: (id: string, channel: number, cursor: string, resumed: boolean) =>
    JSON.stringify({ type: 'subscribed', id, channel, cursor, resumed }),
  /**
   * `missed` is exact for 'slow'. For 'retention' it is the number of records that are gone, matching or not; for 'epoch' it is unknown,
   * and 0.
   */
  gap: (channel: number, from: string, to: string, missed: number, reason: GapReason) =>
    JSON.stringify({ type: 'gap', channel, from, to, missed, reason }),
  /** `counts`: what was left out since the last mode message, by log level; the gaps name the same events by cursors. */
  mode: (channel: number, mode: DegradationLevel, counts: CountsByLogLevel) =>
    JSON.stringify({ type: 'mode', channel, mode, counts }),
  /** A durable subscription's cursor is stored. */
  acked: (id: string, cursor: string) => JSON.stringify({ type: 'acked', id, cursor }),
  /** From now on `channel` belongs to this id alone. */
  paused: (id: string, channel: number, cursor: string) =>
    JSON.stringify({ type: 'paused', id, channel, cursor }),
  resumed: (id: string, channel: number, cursor: string) =>
    JSON.stringify({ type: 'resumed', id, channel, cursor }),
  heartbeat: '{"type":"heartbeat"}',
  error: (error: LiveError) => JSON.stringify({ type: 'error', ...error }),
  goodbye: (reason: string, retryAfterMs: number) =>
    JSON.stringify({ type: 'goodbye', reason, retryAfterMs }),
};
