import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { openPort } from '../open-port.ts';
import type { Receiver, ReceiverContext } from '../pipeline/receiver.ts';
import { openStreamServer, type StreamWriting } from '../stream/open-stream-server.ts';
import type { Conversation, Converse } from '../stream/tcp-server.ts';
import { openHeartbeats } from './forward-heartbeats.ts';
import { ForwardFramer, type ForwardFrame } from './forward-framer.ts';
import { ForwardHandshake } from './forward-handshake.ts';
import { ForwardWriter } from './forward-writer.ts';
import { packValue } from './pack-value.ts';

/** What a sender may send before it has shown that it knows the shared key. */
const maxPingBytes = 16 * 1024;

/**
 * Fluent Forward, v1: Fluentd, Fluent Bit, Docker's driver and the fluent loggers. Off where FORWARD_PORT is 0. A chunk is acknowledged when
 * it is durable.
 */
export const forwardReceiver: Receiver = async (context) => {
  const { settings, telemetry, streams } = context;
  return openPort('FORWARD_PORT', settings, telemetry.logger, async (port) => {
    const run = await openStreamServer(context, {
      name: 'Fluent Forward',
      port,
      maxConnections: settings.FORWARD_MAX_CONNECTIONS,
      idleMs: settings.FORWARD_IDLE_MS,
      stats: streams('forward'),
      converse: (writing) => conversations(context, writing),
    });
    const heartbeats = await openHeartbeats(settings.HOST, port, telemetry.logger);
    return (signal) => run(signal).finally(() => heartbeats?.close());
  });
};

function conversations(
  { settings, pipeline, memory, http }: ReceiverContext,
  writing: StreamWriting,
): Converse<ForwardFrame> {
  const producer = randomBytes(9).toString('base64url');
  const maxMessageBytes = http.settings.INGEST_MAX_BODY_BYTES;
  const writers: (ForwardWriter | undefined)[] = [];
  const sharedKey = settings.FORWARD_SHARED_KEY?.text;
  return (number, socket, peer) => {
    const writer = (writers[number] ??= new ForwardWriter({
      ...writing,
      pipeline,
      memory,
      maxEventBytes: settings.INGEST_MAX_EVENT_BYTES,
      maxMessageBytes,
      producer,
      number,
    }));
    const framer = new ForwardFramer(maxMessageBytes);
    const write = async (frames: readonly ForwardFrame[]): Promise<void> => {
      const chunks = await writer.write(frames, peer);
      for (const chunk of chunks) send(socket, packValue({ ack: chunk }));
      if (frames.some(({ problem }) => problem !== undefined)) socket.end();
    };
    const conversation: Conversation<ForwardFrame> = { framer, write };
    return sharedKey === undefined ? conversation : withHandshake(conversation, framer, sharedKey, socket);
  };
}

/** Takes nothing but a PING until the sender has shown that it knows the shared key. */
function withHandshake(
  conversation: Conversation<ForwardFrame>,
  framer: ForwardFramer,
  sharedKey: string,
  socket: Socket,
): Conversation<ForwardFrame> {
  const handshake = new ForwardHandshake(sharedKey);
  const maxBytes = framer.maxBytes;
  framer.maxBytes = maxPingBytes;
  let state: 'waiting' | 'allowed' | 'refused' = 'waiting';
  send(socket, handshake.helo);
  return {
    ...conversation,
    write: async (frames) => {
      let rest = frames;
      if (state === 'waiting') {
        const [ping, ...others] = frames;
        const { isAllowed, pong } =
          ping!.problem === undefined
            ? handshake.answer(ping!.bytes)
            : { isAllowed: false, pong: Buffer.alloc(0) };
        send(socket, pong);
        state = isAllowed ? 'allowed' : 'refused';
        if (isAllowed) framer.maxBytes = maxBytes;
        else socket.end();
        rest = others;
      }
      if (state === 'allowed' && rest.length > 0) await conversation.write(rest);
    },
  };
}

function send(socket: Socket, bytes: Buffer): void {
  if (socket.writable && bytes.length > 0) socket.write(bytes);
}
