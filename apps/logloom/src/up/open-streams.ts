import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import type { ApiPart } from './thread-protocol.ts';

/** A part has at least this many bytes, if there are so many at once. */
const partBytes = 262_144;

interface Open {
  body: Readable;
  response: ServerResponse;
}

/** Responses that another thread reads part by part: nothing is made before it is wanted. */
export class OpenStreams {
  readonly #open = new Map<number, Open>();
  #nextId = 1;

  /** The first part of a body, and the id of the rest if there is more. */
  async begin(body: Readable, response: ServerResponse): Promise<{ bytes: Uint8Array; stream?: number }> {
    const id = this.#nextId++;
    this.#open.set(id, { body, response });
    const { bytes, isLast } = await this.read(id);
    return isLast ? { bytes } : { bytes, stream: id };
  }

  /** The next part. Rejects with what ended the body early. */
  async read(id: number): Promise<ApiPart> {
    const open = this.#open.get(id);
    if (open === undefined) throw new Error('there is no such stream');
    const { body } = open;
    const chunks: Buffer[] = [];
    let length = 0;
    try {
      while (length < partBytes) {
        const chunk = body.read() as Buffer | null;
        if (chunk !== null) {
          chunks.push(chunk);
          length += chunk.length;
          continue;
        }
        if (body.errored) throw body.errored;
        if (body.readableEnded || body.destroyed) break;
        // What there is goes out before more is waited for; the end comes a moment after the last bytes.
        if (length === 0) await nextChange(body);
        else {
          await setImmediate();
          if (body.readableLength === 0) break;
        }
      }
    } catch (error) {
      this.close(id);
      throw error;
    }
    const isLast = body.readableEnded || body.destroyed;
    if (isLast) this.#open.delete(id);
    return { bytes: Buffer.concat(chunks), isLast };
  }

  /** Nobody reads the rest: its work ends. */
  close(id: number): void {
    const open = this.#open.get(id);
    this.#open.delete(id);
    open?.response.destroy();
    open?.body.destroy();
  }
}

async function nextChange(body: Readable): Promise<void> {
  const settled = new AbortController();
  const { signal } = settled;
  try {
    await Promise.race(['readable', 'end', 'close'].map((name) => once(body, name, { signal })));
  } finally {
    settled.abort();
  }
}
