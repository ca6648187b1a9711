import type { StreamName } from './client-message.ts';
import { textFrame } from './frame.ts';

/** What one message brings to all viewers of a channel; each encoding is made once, when the first viewer needs it. */
export class Batch {
  readonly cursor: string;
  /** How many events it holds; 0 when it only moves the cursor. */
  readonly count: number;
  readonly #stream: StreamName;
  readonly #channel: number;
  readonly #items: readonly string[];
  #text: string | undefined;
  #frame: Buffer | undefined;
  #sse: Buffer | undefined;

  /** `items` are the events as JSON. */
  constructor(stream: StreamName, channel: number, cursor: string, items: readonly string[]) {
    this.#stream = stream;
    this.#channel = channel;
    this.cursor = cursor;
    this.count = items.length;
    this.#items = items;
  }

  /** The message as a WebSocket frame. */
  get frame(): Buffer {
    return (this.#frame ??= textFrame(this.#message));
  }

  /** The message as a server-sent event whose id is the cursor. */
  get sse(): Buffer {
    return (this.#sse ??= Buffer.from(sseEvent(this.#message, this.cursor)));
  }

  get #message(): string {
    return (this.#text ??= `{"type":"${this.#stream}","channel":${this.#channel},"cursor":"${this.cursor}","${this.#stream}":[${this.#items.join(',')}]}`);
  }
}

/** A JSON text as a server-sent event; with `id`, a reconnecting client comes back with it. */
export function sseEvent(json: string, id?: string): string {
  // Attributes pass through as the producer wrote them: JSON may hold line breaks between its tokens, an SSE line may not.
  const data = /[\r\n]/.test(json) ? json.replaceAll(/[\r\n]/g, ' ') : json;
  return id === undefined ? `data: ${data}\n\n` : `id: ${id}\ndata: ${data}\n\n`;
}
