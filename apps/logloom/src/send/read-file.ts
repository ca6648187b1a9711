import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { createReadStream } from 'node:fs';
import { CommandError } from '../commands/command-errors.ts';
import { decodeUtf16, utf16Of } from './decode-utf16.ts';
import { EventReader, type EventBody, type FormatOptions } from './event-body.ts';
import { LineSplitter } from './line-splitter.ts';
import type { FilePlace } from './send-position.ts';

/** More than ingest accepts: such a line is rejected there, and kept as a dead letter. */
export const maxLineBytes = 4 * 2 ** 20 + 1;
const headBytes = 64;

/** An event, and the position after it in its file; no position for standard input. */
export interface SentEvent extends EventBody {
  file: string;
  place: FilePlace | undefined;
}

export interface ReadFileOptions {
  format: FormatOptions;
  /** Where an earlier run stopped. */
  from?: FilePlace | undefined;
  /** Called with the (packed) bytes of each read. */
  onRead?: (bytes: number) => void;
}

/** The events of one file, `-` for standard input; .gz and .zst are unpacked. Throws CommandError for files that it cannot read. */
export async function* readFile(file: string, options: ReadFileOptions): AsyncGenerator<SentEvent> {
  if (file.endsWith('.xz') || file.endsWith('.bz2'))
    throw new CommandError(
      'command-failed',
      `${file}: unpack it in a pipe, with - as the file: ${file.endsWith('.xz') ? 'xz' : 'bzip2'} -dc ${file} | logloom …`,
    );
  const identity = file === '-' ? undefined : await identify(file);
  const { from, format } = options;
  const isZipped = file.endsWith('.gz') || file.endsWith('.zst');
  const utf16 = isZipped || identity === undefined ? undefined : utf16Of(identity.head);
  // Offsets are those of the bytes that lines are made of.
  const isPacked = isZipped || utf16 !== undefined;
  const skip =
    from !== undefined && identity !== undefined && isSame(from, identity, isPacked) ? from.offset : 0;
  const splitter = new LineSplitter(skip, maxLineBytes);
  const give = (event: EventBody): SentEvent => ({
    ...event,
    file,
    place: identity === undefined ? undefined : { ...identity.place, offset: event.end },
  });
  // A packed file has to be unpacked up to there.
  let toSkip = isPacked ? skip : 0;
  const reader = new EventReader(format);
  const stream = openStream(file, isPacked ? 0 : skip, options.onRead);
  for await (const piece of decodeUtf16(stream, utf16)) {
    const chunk = toSkip > 0 ? piece.subarray(Math.min(toSkip, piece.length)) : piece;
    toSkip = Math.max(0, toSkip - piece.length);
    for (const line of splitter.push(chunk)) for (const event of reader.push(line)) yield give(event);
  }
  for (const line of splitter.flush()) for (const event of reader.push(line)) yield give(event);
  for (const event of reader.flush()) yield give(event);
}

interface Identity {
  place: FilePlace;
  head: Buffer;
  size: number;
}

/** Whether the saved place belongs to this file: the file has the same beginning, as a copy has, and is not shorter. */
function isSame(saved: FilePlace, { place, size }: Identity, isPacked: boolean): boolean {
  return saved.head !== '' && place.head.startsWith(saved.head) && (isPacked || size >= saved.offset);
}

async function identify(file: string): Promise<Identity> {
  try {
    await using handle = await open(file);
    const { dev, ino, size } = await handle.stat();
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(headBytes), 0, headBytes, 0);
    const head = buffer.subarray(0, bytesRead);
    return { place: { dev, ino, offset: 0, head: head.toString('hex') }, head, size };
  } catch (error) {
    throw new CommandError('command-failed', `${file}: ${(error as Error).message}`);
  }
}

async function* openStream(
  file: string,
  start: number,
  onRead: ((bytes: number) => void) | undefined,
): AsyncGenerator<Buffer> {
  const source: Readable =
    file === '-' ? process.stdin : createReadStream(file, { start, highWaterMark: 2 ** 18 });
  source.on('data', (chunk: Buffer) => onRead?.(chunk.length));
  const unpacked = file.endsWith('.gz')
    ? source.pipe(createGunzip())
    : file.endsWith('.zst')
      ? source.pipe(createZstdDecompress())
      : source;
  if (unpacked === source) source.pause();
  source.on('error', (error) => unpacked.destroy(error));
  try {
    yield* unpacked as AsyncIterable<Buffer>;
  } catch (error) {
    throw new CommandError('command-failed', `${file}: ${(error as Error).message}`);
  }
}
