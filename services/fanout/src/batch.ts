import type { StreamName } from './client-message.ts';
import { textFrame } from './frame.ts';
import type { LiveItem } from './stream-kind.ts';

/** What one message brings to all viewers of a channel; each encoding is made once, when the first viewer needs it. */
export class Batch {
  readonly stream: StreamName;
  readonly channel: number;
  readonly cursor: string;
  /** None when it only moves the cursor. */
  readonly items: readonly LiveItem[];
  #text: string | undefined;
  #frame: Buffer | undefined;
  #sse: Buffer | undefined;

  constructor(stream: StreamName, channel: number, cursor: string, items: readonly LiveItem[]) {
    this.stream = stream;
    this.channel = channel;
    this.cursor = cursor;
    this.items = items;
  }

  get count(): number {
    return this.items.length;
  }

  /** The message as a WebSocket frame. */
  get frame(): Buffer {
    return (this.#frame ??= textFrame(this.json));
  }

  /** The message as a server-sent event whose id is the cursor. */
  get sse(): Buffer {
    return (this.#sse ??= Buffer.from(sseEvent(this.json, this.cursor)));
  }

  /** The message. */
  get json(): string {
    return (this.#text ??= this.#makeText());
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
