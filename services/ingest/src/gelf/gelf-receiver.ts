import type { LogEvent, Source } from '@logloom/schemas';
import { randomBytes } from 'node:crypto';
import { isUtf8 } from 'node:buffer';
import { reject, type Rejection } from '../errors.ts';
import { readEvent } from '../event/read-event.ts';
import type { Normalizer } from '../event/normalize.ts';
import { openPort } from '../open-port.ts';
import type { Receiver, ReceiverContext } from '../pipeline/receiver.ts';
import { messageConversations } from '../stream/message-conversations.ts';
import { MessageWriter, type ReceivedFrame } from '../stream/message-writer.ts';
import { openStreamServer, type DatagramWriting } from '../stream/open-stream-server.ts';
import type { Datagram } from '../stream/udp-server.ts';
import { spans, type StreamStats } from '../telemetry.ts';
import { GelfChunks } from './gelf-chunks.ts';
import { unpackGelf } from './unpack-gelf.ts';

/** Datagrams are unpacked and written in steps of about this size, so that others get their turns and memory has a bound. */
const maxUnpackedBytes = 4 * 2 ** 20;
const reading = { span: spans.receiveGelf, kind: 'gelf', read: readGelf };

/** GELF over UDP, in chunks and packed, and over TCP, with a NUL or a newline after each message. Off where GELF_PORT is 0. */
export const gelfReceiver: Receiver = async (context) => {
  const { settings, pipeline, telemetry, streams } = context;
  const producer = randomBytes(9).toString('base64url');
  return openPort('GELF_PORT', settings, telemetry.logger, (port) => {
    const stats = streams('gelf');
    return openStreamServer(context, {
      name: 'GELF',
      port,
      maxConnections: settings.GELF_MAX_CONNECTIONS,
      idleMs: settings.GELF_IDLE_MS,
      stats,
      converse: (writing) =>
        messageConversations(
          { ...writing, ...reading, pipeline, receiver: 'gelf-tcp', producer: `t${producer}` },
          settings.INGEST_MAX_EVENT_BYTES,
        ),
      datagrams: (writing) => datagrams(context, writing, stats, `u${producer}`),
    });
  });
};

function datagrams(
  { settings, pipeline, memory }: ReceiverContext,
  writing: DatagramWriting,
  stats: StreamStats,
  producer: string,
): { write: (datagrams: readonly Datagram[]) => Promise<void>; close: () => void } {
  const chunks = new GelfChunks(memory, () => stats.incomplete++);
  const maxBytes = settings.INGEST_MAX_EVENT_BYTES;
  const writer = new MessageWriter({
    ...writing,
    ...reading,
    pipeline,
    receiver: 'gelf-udp',
    producer,
    number: 0,
  });
  return {
    close: () => chunks.close(),
    write: async (received) => {
      let frames: ReceivedFrame[] = [];
      let unpackedBytes = 0;
      for (const datagram of received) {
        if (datagram.problem !== undefined) {
          frames.push(datagram);
          continue;
        }
        const whole = chunks.take(datagram.bytes, datagram.peer);
        if (whole === undefined) continue;
        const bytes = unpackGelf(whole, maxBytes);
        // A few bytes of each datagram may unpack to a thousand times as many, or try to.
        if (bytes !== whole) unpackedBytes += bytes?.length ?? maxBytes;
        frames.push(
          bytes === undefined || bytes.length > maxBytes
            ? { bytes: whole.subarray(0, maxBytes), peer: datagram.peer, problem: 'event-too-large' }
            : { bytes, peer: datagram.peer },
        );
        if (unpackedBytes < maxUnpackedBytes) continue;
        await writer.write(frames);
        frames = [];
        unpackedBytes = 0;
      }
      if (frames.length > 0) await writer.write(frames);
    },
  };
}

/** Reads a message as JSON at /ingest, which knows GELF's names. */
function readGelf(
  bytes: Buffer,
  source: Source,
  receivedAtMs: number,
  normalizer: Normalizer,
): LogEvent | Rejection {
  if (!isUtf8(bytes)) return reject('invalid-utf8');
  return readEvent(bytes.toString('utf8'), source, receivedAtMs, normalizer);
}
