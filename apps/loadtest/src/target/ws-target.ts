import { eventsMessage } from './message.ts';
import type { Target, ViewerTarget } from './target.ts';
import { WebSocketConnection, type Conversation } from './web-socket-connection.ts';

/** Whoever is connected watches. */
const conversation: Conversation = {
  onOpen: (line) => line.subscribed(false),
  onFrame: (frame, line) => line.deliver(frame),
};

/** A plain WebSocket on which the server sends JSON: an event, an array of them, or an object with an array `events`. */
export function wsTarget({ url, token }: ViewerTarget): Target {
  return {
    decode: (bytes) => eventsMessage(JSON.parse(bytes.toString())),
    connect: ({ localAddress, compression }, reader, events) =>
      new WebSocketConnection(
        { url: new URL(url), token, localAddress, compression },
        conversation,
        reader,
        events,
      ),
  };
}
