import type { DeliveryBatch } from '../encoding/delivery-batch.ts';

/** One connection, as the live tier sees it. Everything that it receives goes through write() or tell(), so that it stays in order. */
export interface Viewer {
  readonly isOpen: boolean;
  /** Bytes that were written and not yet taken by the kernel; 0 if the connection is gone. */
  readonly queuedBytes: number;
  /** Writes the batch in this connection's encoding, which is shared. */
  encode(batch: DeliveryBatch): Buffer;
  write(bytes: Buffer): void;
  /** Sends one message, JSON; `cursor` is where a client may resume if it receives nothing after it. */
  tell(message: string, cursor?: string): void;
  /** Says goodbye to a viewer that is too slow and closes; it may resume at its last cursor. */
  evict(retryAfterMs: number): void;
  /** Cuts the connection and frees what waits for it. */
  terminate(): void;
}
