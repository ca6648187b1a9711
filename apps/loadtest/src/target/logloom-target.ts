import { decodeAvroFrame, isAvroFrame } from './avro-frame.ts';
import type { Message } from './message.ts';
import type { ReceivedEvent } from './received-event.ts';
import type { Target, ViewerTarget, Viewing } from './target.ts';
import { WebSocketConnection, type Conversation } from './web-socket-connection.ts';

/** Logloom's own protocol: docs/api/live-protocol.md. */
export function logloomTarget({ url, token }: ViewerTarget): Target {
  return {
    decode: (bytes) => (isAvroFrame(bytes) ? decodeAvroFrame(bytes) : decodeLiveMessage(bytes)),
    connect: (viewing, reader, events) =>
      new WebSocketConnection(
        {
          url: new URL('/live', url),
          subprotocol: viewing.encoding === 'avro' ? 'logloom.v1.avro' : 'logloom.v1',
          token,
          localAddress: viewing.localAddress,
          compression: viewing.compression,
        },
        conversation(viewing),
        reader,
        events,
      ),
  };
}

function conversation({ filter, from, history, priority }: Viewing): Conversation {
  return {
    onOpen: (line) =>
      line.send(
        JSON.stringify({
          type: 'subscribe',
          id: 'a',
          filter,
          from: from === 'now' ? (history ?? from) : { cursor: from },
          ...(priority === undefined ? {} : { priority }),
        }),
      ),
    onFrame: (frame, line) => {
      if (frame.type === 'subscribed') line.subscribed(frame.message?.resumed === true);
      else if (frame.type === 'error') return line.end(`error ${String(frame.message?.code)}`);
      else if (frame.type === 'goodbye') line.because(`goodbye ${String(frame.message?.reason)}`);
      line.deliver(frame);
    },
  };
}

/** A message of the live protocol, as WebSocket and server-sent events carry it. Throws SyntaxError. */
export function decodeLiveMessage(bytes: Buffer | string): Message {
  const message = JSON.parse(bytes.toString()) as Record<string, unknown> & {
    type: string;
    cursor?: string;
    to?: string;
    channel?: number;
    missed?: number;
    reason?: string;
    events?: ReceivedEvent[];
  };
  const isEvents = message.type === 'events';
  const isGap = message.type === 'gap';
  return {
    type: message.type,
    cursor: message.cursor ?? (isGap ? (message.to ?? null) : null),
    channel: message.channel ?? -1,
    events: isEvents ? (message.events ?? []) : [],
    missed: isGap && message.reason === 'slow' ? (message.missed ?? 0) : 0,
    message: isEvents ? null : message,
  };
}
