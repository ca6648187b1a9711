import type { DeliveryBatch } from '../encoding/delivery-batch.ts';
import type { ServerMessage } from './live-client.ts';
import type { Viewer } from '../delivery/viewer.ts';

/** For tests: a connection that takes bytes when it is told to, and keeps what its peer has got. */
export class SlowViewer implements Viewer {
  readonly received: ServerMessage[] = [];
  isOpen = true;
  wasEvicted = false;
  readonly #queue: { bytes: number; message: ServerMessage }[] = [];

  get queuedBytes(): number {
    return this.#queue.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  encode({ json }: DeliveryBatch): Buffer {
    return Buffer.from(json);
  }

  write(bytes: Buffer): void {
    if (!this.isOpen) return;
    const message = JSON.parse(bytes.toString()) as ServerMessage;
    this.#queue.push({ bytes: bytes.length, message });
  }

  tell(message: string): void {
    this.write(Buffer.from(message));
  }

  evict(): void {
    this.wasEvicted = true;
    this.isOpen = false;
  }

  terminate(): void {
    this.isOpen = false;
    this.#queue.length = 0;
  }

  /** The peer takes this many messages. */
  take(messages = Infinity): void {
    this.received.push(...this.#queue.splice(0, messages).map(({ message }) => message));
  }

  /** The modes that were told, taken or not. */
  get steps(): (string | undefined)[] {
    const messages = [...this.received, ...this.#queue.map(({ message }) => message)];
    return messages.filter(({ type }) => type === 'mode').map(({ mode }) => mode);
  }

  /** The cursor with which the peer comes back. */
  get cursor(): string | undefined {
    const last = this.received.findLast(({ cursor, type }) => cursor !== undefined || type === 'gap');
    return last?.type === 'gap' ? last.to : last?.cursor;
  }
}
