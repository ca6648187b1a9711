import { SyslogFramer } from '../syslog/syslog-framing.ts';
import { MessageWriter, type MessageWriterOptions, type StreamFrame } from './message-writer.ts';
import type { Converse } from './tcp-server.ts';

/**
 * Returns the conversations of a protocol whose messages end with a newline or a NUL, or have their length before them. Each connection's
 * writer goes on where the one before it with its number stopped. Of a message at most `maxEventBytes` are kept.
 */
export function messageConversations(
  options: Omit<MessageWriterOptions, 'number' | 'onOverQuota'>,
  maxEventBytes: number,
): Converse<StreamFrame> {
  const writers: (MessageWriter | undefined)[] = [];
  return (number, _socket, peer) => {
    const writer = (writers[number] ??= new MessageWriter({ ...options, number }));
    return {
      framer: new SyslogFramer(maxEventBytes),
      write: (frames) => writer.write(frames.map((frame) => ({ ...frame, peer }))),
    };
  };
}
