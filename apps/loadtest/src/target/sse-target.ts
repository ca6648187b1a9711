import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Frame, FrameReader } from './frame-reader.ts';
import { decodeLiveMessage } from './logloom-target.ts';
import { eventsMessage, type Message } from './message.ts';
import type { Target, ViewerConnection, ViewerEvents, ViewerTarget, Viewing } from './target.ts';

const connectTimeoutMs = 30_000;

/** Server-sent events, whose data is JSON: an event, an array of them, an object with an array `events`, or a message of Logloom's. */
export function sseTarget(target: ViewerTarget): Target {
  return {
    decode,
    connect: (viewing, reader, events) => new EventStream(target, viewing, reader, events),
  };
}

class EventStream implements ViewerConnection {
  readonly #request: ReturnType<typeof httpRequest>;
  #response: { pause(): unknown; resume(): unknown } | undefined;
  #isEnded = false;

  constructor(
    { url, token }: ViewerTarget,
    { from, localAddress }: Viewing,
    reader: FrameReader,
    { onSubscribed, onFrame, onEnd }: ViewerEvents,
  ) {
    const begun = performance.now();
    const request = url.startsWith('https:') ? httpsRequest : httpRequest;
    const end = (reason: string): void => {
      if (this.#isEnded) return;
      this.#isEnded = true;
      this.#request.destroy();
      onEnd(reason);
    };
    this.#request = request(
      url,
      {
        // Each viewer is a connection of its own.
        agent: false,
        ...(localAddress === undefined ? {} : { localAddress }),
        headers: {
          accept: 'text/event-stream',
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(from === 'now' ? {} : { 'last-event-id': from }),
        },
      },
      (response) => {
        this.#request.setTimeout(0);
        if (response.statusCode !== 200) return end(`status ${response.statusCode}`);
        this.#response = response;
        // The protocol says nothing about whether it goes on at the event.
        onSubscribed(performance.now() - begun, from !== 'now');
        const splitter = new BlockSplitter();
        response.on('data', (bytes: Buffer) => {
          for (const block of splitter.push(bytes)) {
            if (this.#isEnded) return;
            let frame: Frame;
            try {
              frame = reader.read(block);
            } catch {
              return end('a message that is not understood');
            }
            onFrame(frame, block.length);
          }
        });
        response.on('error', (error: Error & { code?: string }) => end(error.code ?? 'connection failed'));
        response.on('close', () => end('stream ended'));
      },
    );
    this.#request.setTimeout(connectTimeoutMs, () => end('no response'));
    this.#request.on('error', (error: Error & { code?: string }) => end(error.code ?? 'connection failed'));
    this.#request.end();
  }

  cut(): void {
    this.#isEnded = true;
    this.#request.destroy();
  }

  pause(): void {
    this.#response?.pause();
  }

  resume(): void {
    this.#response?.resume();
  }
}

const newline = 10;
const carriageReturn = 13;

/** Cuts a stream at its blank lines. */
class BlockSplitter {
  #rest: Buffer = Buffer.alloc(0);

  /** The blocks that are complete with these bytes, without their blank lines. */
  push(bytes: Buffer): Buffer[] {
    const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    const blocks: Buffer[] = [];
    let start = 0;
    let lineStart = 0;
    for (let at = all.indexOf(newline); at >= 0; at = all.indexOf(newline, at + 1)) {
      const isBlank = at === lineStart || (at === lineStart + 1 && all[lineStart] === carriageReturn);
      if (isBlank && lineStart > start) blocks.push(all.subarray(start, lineStart));
      if (isBlank) start = at + 1;
      lineStart = at + 1;
    }
    this.#rest = all.subarray(start);
    return blocks;
  }
}

function decode(block: Buffer): Message {
  let id: string | null = null;
  const data: string[] = [];
  for (const line of block.toString().split(/\r?\n/)) {
    const [, field, value = ''] = /^([^:]+):? ?(.*)$/s.exec(line) ?? [];
    if (field === 'id') id = value;
    else if (field === 'data') data.push(value);
  }
  if (data.length === 0) return { ...eventsMessage([], id), type: 'comment', message: {} };
  const payload = JSON.parse(data.join('\n')) as unknown;
  const isLogloom =
    typeof payload === 'object' && payload !== null && 'type' in payload && 'channel' in payload;
  return isLogloom ? { ...decodeLiveMessage(data.join('\n')), cursor: id } : eventsMessage(payload, id);
}
