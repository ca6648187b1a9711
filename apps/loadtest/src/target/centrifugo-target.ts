import { eventsMessage, type Message } from './message.ts';
import type { Target, ViewerTarget } from './target.ts';
import { WebSocketConnection, type Conversation } from './web-socket-connection.ts';

export const defaultChannel = 'logs';

interface Publication {
  data: unknown;
  offset?: number;
}

interface Subscribed {
  recoverable?: boolean;
  recovered?: boolean;
  epoch?: string;
  offset?: number;
  publications?: Publication[];
}

/** A command's reply, or a push. An empty one is a ping. */
interface Reply {
  id?: number;
  error?: { code: number; message: string };
  subscribe?: Subscribed;
  push?: { pub?: Publication };
  disconnect?: { code: number };
}

/** Centrifugo's client protocol in JSON (version 2), on one channel. Resumes where the channel keeps a history to recover from. */
export function centrifugoTarget({ url, token, channel = defaultChannel }: ViewerTarget): Target {
  const address = new URL(url);
  if (address.pathname === '/') address.pathname = '/connection/websocket';
  return {
    decode,
    connect: ({ from, localAddress, compression }, reader, events) =>
      new WebSocketConnection(
        { url: address, localAddress, compression },
        conversation(from, channel, token),
        reader,
        events,
      ),
  };
}

/** A cursor is the channel's epoch, and the offset of the last publication in it. */
function conversation(from: string, channel: string, token: string | undefined): Conversation {
  let [epoch, offset] = from === 'now' ? [] : from.split(' ');
  return {
    onOpen: (line) => {
      const place = epoch === undefined ? {} : { recover: true, epoch, offset: Number(offset) };
      line.send(
        [
          { id: 1, connect: { ...(token && { token }) } },
          { id: 2, subscribe: { channel, ...place } },
        ]
          .map((command) => JSON.stringify(command))
          .join('\n'),
      );
    },
    onFrame: (frame, line) => {
      const { isPing, refusal, subscribed } = (frame.message ?? {}) as Partial<Told>;
      if (isPing === true) line.send('{}');
      if (refusal !== undefined) return line.end(refusal);
      if (subscribed !== undefined) {
        const { recoverable = false, recovered = false } = subscribed;
        ({ epoch } = recoverable ? subscribed : {});
        if (epoch !== undefined) offset = String(subscribed.offset ?? 0);
        line.subscribed(recovered);
      }
      if (frame.cursor !== null) offset = frame.cursor;
      line.deliver({ ...frame, cursor: epoch === undefined ? null : `${epoch} ${offset}` });
    },
  };
}

/** What the replies in a message say beside publications. */
interface Told {
  isPing: boolean;
  refusal: string | undefined;
  subscribed: Subscribed | undefined;
}

function decode(bytes: Buffer): Message {
  const replies = bytes
    .toString()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Reply);
  const publications = replies.flatMap(({ subscribe, push }) => [
    ...(subscribe?.publications ?? []),
    ...(push?.pub === undefined ? [] : [push.pub]),
  ]);
  const offset = publications.at(-1)?.offset;
  const error = replies.find((reply) => reply.error !== undefined)?.error;
  const disconnect = replies.find((reply) => reply.disconnect !== undefined)?.disconnect;
  const told: Told = {
    isPing: replies.some((reply) => Object.keys(reply).length === 0),
    refusal: error === undefined ? disconnect && `disconnect ${disconnect.code}` : `error ${error.code}`,
    subscribed: replies.find(({ subscribe }) => subscribe !== undefined)?.subscribe,
  };
  const events = eventsMessage(
    publications.map(({ data }) => data),
    offset === undefined ? null : String(offset),
  );
  const isEventsAlone = !told.isPing && told.refusal === undefined && told.subscribed === undefined;
  return { ...events, message: isEventsAlone ? null : { ...told } };
}
