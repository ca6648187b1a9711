import { parseClientMessage } from '../../protocol/client-message.ts';

/** A message of more bytes is counted without being read. */
const maxReadBytes = 1_024;
const maxNamed = 100;
const tellMs = 100;

/** The notices that a client gets about ignored messages. */
export interface Dropped {
  /** All of them. */
  count: number;
  /** By type and id, the messages for which a client expects a response, or which it believes to be in force. */
  named: { type: string; id: string }[];
}

/**
 * Collects the ignored messages of a flooding client and reports them at most ten times a second: the client must know that an `ack` or
 * `pause` was lost, but a response to each would be a flood too.
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
