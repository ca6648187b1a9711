import { eventsMessage, type Message } from './message.ts';
import type { Target, ViewerTarget } from './target.ts';
import { WebSocketConnection, type Conversation } from './web-socket-connection.ts';

/** Packets of Engine.IO 4, and with their second digit of Socket.IO 5. */
const packets: Record<string, string> = {
  '0': 'open',
  '1': 'close',
  '2': 'ping',
  '40': 'connected',
  '41': 'disconnected',
  '44': 'refused',
};

/** Socket.IO over WebSocket, in its default namespace, whatever the name of the event. Resumes with connection state recovery. */
export function socketIoTarget({ url, token }: ViewerTarget): Target {
  const address = new URL(url);
  if (address.pathname === '/') address.pathname = '/socket.io/';
  address.searchParams.set('EIO', '4');
  address.searchParams.set('transport', 'websocket');
  return {
    decode,
    connect: ({ from, localAddress, compression }, reader, events) =>
      new WebSocketConnection(
        { url: address, token, localAddress, compression },
        conversation(from, token),
        reader,
        events,
      ),
  };
}

/** A cursor is the session that the server has given, and the offset of the last packet in it. */
function conversation(from: string, token: string | undefined): Conversation {
  let [session, offset] = from === 'now' ? [] : from.split(' ');
  return {
    onOpen: () => {},
    onFrame: (frame, line) => {
      switch (frame.type) {
        case 'open':
          return line.send(`40${JSON.stringify({ ...(token && { token }), pid: session, offset })}`);
        case 'ping':
          return line.send('3');
        case 'connected': {
          const { pid } = frame.message as { pid?: string };
          const isRecovered = session !== undefined && pid === session;
          if (!isRecovered) offset = undefined;
          session = pid;
          return line.subscribed(isRecovered);
        }
        case 'refused':
          return line.end('refused by Socket.IO');
        case 'events':
          if (frame.cursor !== null) offset = frame.cursor;
          return line.deliver({
            ...frame,
            cursor: session === undefined || offset === undefined ? null : `${session} ${offset}`,
          });
      }
    },
  };
}

function decode(bytes: Buffer): Message {
  const text = bytes.toString();
  if (text.startsWith('42')) {
    const [, ...args] = JSON.parse(text.slice(text.indexOf('['))) as unknown[];
    // A server with connection state recovery appends the packet's offset.
    const last = args.at(-1);
    return eventsMessage(args, typeof last === 'string' ? last : null);
  }
  const type = packets[text.slice(0, 2)] ?? packets[text.slice(0, 1)] ?? 'other';
  const body = text.indexOf('{');
  const message = body < 0 ? {} : (JSON.parse(text.slice(body)) as Record<string, unknown>);
  return { ...eventsMessage([]), type, message };
}
