import { parseClientMessage } from '../../protocol/client-message.ts';

/** A message of more bytes is counted without being read. */
const maxReadBytes = 1_024;
const maxNamed = 100;
const tellMs = 100;

/** What a client is told of messages that were ignored. */
export interface Dropped {
  /** All of them. */
  count: number;
  /** By type and id, those that a client waits for a response to, or believes to be in force. */
  named: { type: string; id: string }[];
}

/**
 * Gathers what a flooding client's messages were, and tells it at most ten times a second: a lost `ack` or `pause` must not be believed
 * to hold, and an answer to each would be a flood of ours.
 */
export class DroppedMessages {
  readonly #tell: (dropped: Dropped) => void;
  #named = new Map<string, { type: string; id: string }>();
  #count = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(tell: (dropped: Dropped) => void) {
    this.#tell = tell;
  }

  add(data: Buffer, isBinary: boolean): void {
    this.#count++;
    if (!isBinary && data.length <= maxReadBytes && this.#named.size < maxNamed) {
      const parsed = parseClientMessage(data.toString());
      if (parsed.ok && parsed.message.type !== 'ping') {
        const { type, id } = parsed.message;
        this.#named.set(`${type} ${id}`, { type, id });
      }
    }
    this.#timer ??= setTimeout(() => this.#flush(), tellMs);
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #flush(): void {
    const dropped = { count: this.#count, named: [...this.#named.values()] };
    this.#timer = undefined;
    this.#count = 0;
    this.#named = new Map();
    this.#tell(dropped);
  }
}
