import type { StreamName } from '../protocol/client-message.ts';
import { deliveryTime, type DeliveryTime } from '../delivery/viewer-meter.ts';
import { deflateMessage } from './deflate.ts';
import { deflatedTextFrame, payloadOf, textFrame } from './frame.ts';
import type { LiveItem } from '../stream/stream-kind.ts';

/** Compression of smaller messages is not worth its cost. */
export const minDeflatedBytes = 1024;

/** The content of one message to all viewers of a channel; each encoding is made once, when the first viewer needs it. */
export class DeliveryBatch {
  readonly stream: StreamName;
  readonly channel: number;
  readonly cursor: string;
  /** Empty if it only moves the cursor. */
  readonly items: readonly LiveItem[];
  /** Whether it goes to all viewers of a channel, and not to one of them alone. */
  readonly isShared: boolean;
  #time: DeliveryTime | undefined;
  #text: string | undefined;
  #frame: Buffer | undefined;
  #deflatedFrame: Buffer | undefined;
  #sse: Buffer | undefined;

  constructor(
    stream: StreamName,
    channel: number,
    cursor: string,
    items: readonly LiveItem[],
    isShared = false,
  ) {
    this.stream = stream;
    this.channel = channel;
    this.cursor = cursor;
    this.items = items;
    this.isShared = isShared;
  }

  /** When it was first delivered live, and how old its oldest item was then. */
  get time(): DeliveryTime {
    return (this.#time ??= deliveryTime(Date.now(), this.items[0]?.timestampMs));
  }

  get count(): number {
    return this.items.length;
  }

  /** The message as a WebSocket frame. */
  get frame(): Buffer {
    return (this.#frame ??= textFrame(this.json));
  }

  /** The same for viewers that negotiated compression; it is compressed if it is large and goes to many. */
  get deflatedFrame(): Buffer {
    return (this.#deflatedFrame ??= this.#makeDeflated());
  }

  /** The message as a server-sent event whose id is the cursor. */
  get sse(): Buffer {
    return (this.#sse ??= Buffer.from(sseEvent(this.json, this.cursor)));
  }

  /** The message. */
  get json(): string {
    return (this.#text ??= this.#makeText());
  }

  #makeDeflated(): Buffer {
    const { frame } = this;
    if (!this.isShared || frame.length < minDeflatedBytes) return frame;
    const deflated = deflatedTextFrame(deflateMessage(payloadOf(frame)));
    return deflated.length < frame.length ? deflated : frame;
  }

  #makeText(): string {
    const { stream, channel, cursor, items } = this;
    let text = `{"type":"${stream}","channel":${channel},"cursor":"${cursor}","${stream}":[`;
    for (let i = 0; i < items.length; i++) text += i === 0 ? items[i]!.json() : `,${items[i]!.json()}`;
    return `${text}]}`;
  }
}

/** A JSON text as a server-sent event; with `id`, a reconnecting client comes back with it. */
export function sseEvent(json: string, id?: string): string {
  // Attributes pass through as the producer wrote them: JSON may hold line breaks between its tokens, an SSE line may not.
  const data = /[\r\n]/.test(json) ? json.replaceAll(/[\r\n]/g, ' ') : json;
  return id === undefined ? `data: ${data}\n\n` : `id: ${id}\ndata: ${data}\n\n`;
}
