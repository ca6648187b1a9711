import { isJournalExport, JournalExport, JournalFormatError } from '@logloom/ingest/journal-export';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { CommandError } from '../commands/command-errors.ts';
import { decodeUtf16, utf16Of } from './decode-utf16.ts';
import { EventReader, type EventBody, type FormatOptions, type SentEvent } from './event-body.ts';
import { LineSplitter } from './line-splitter.ts';
import { journalBody } from './read-journal.ts';
import type { FilePlace } from './send-position.ts';
import { packingOf, pipes, unpack } from './unpack-file.ts';

/** More than ingest accepts: such a line is rejected there, and kept as a dead letter. */
export const maxLineBytes = 4 * 2 ** 20 + 1;
/** What of a file's beginning is kept with its place. */
const headBytes = 64;
const magicBytes = 4096;

export interface ReadFileOptions {
  format: FormatOptions;
  /** Where an earlier run stopped. */
  from?: FilePlace | undefined;
  /** Called with the (packed) bytes of each read. */
  onRead?: (bytes: number) => void;
  /** Called when a packed file is damaged: what could be read was given. */
  onDamage?: (file: string, reason: string) => void;
}

/**
 * The events of one file, `-` for standard input: lines, or systemd's journal export format. gzip and Zstandard are unpacked, UTF-16 is decoded.
 * Throws CommandError for files that it cannot read.
 */
export async function* readFile(file: string, options: ReadFileOptions): AsyncGenerator<SentEvent> {
  const identity = file === '-' ? undefined : await identify(file);
  const { from, format } = options;
  const packing = identity === undefined ? undefined : packingOf(identity.magic);
  const pipe = packing === undefined ? undefined : pipes[packing];
  if (pipe !== undefined)
    throw new CommandError(
      'command-failed',
      `${file}: unpack it in a pipe, with - as the file: ${pipe} ${file} | logloom …`,
    );
  // Offsets are those of the bytes that lines are made of: such a file has to be read up to there.
  const isPacked = packing !== undefined || (identity !== undefined && utf16Of(identity.magic) !== undefined);
  const skip =
    from !== undefined && identity !== undefined && isSame(from, identity, isPacked) ? from.offset : 0;
  const give = (event: EventBody): SentEvent => ({
    ...event,
    file,
    place: identity === undefined ? undefined : { ...identity.place, offset: event.end },
  });
  const bytes = decodeUtf16(openStream(file, isPacked ? 0 : skip, packing, options), undefined);
  for await (const event of eventsOf(bytes, file, {
    format,
    skip,
    toSkip: isPacked ? skip : 0,
    magic: identity?.magic,
  }))
    yield give(event);
}

interface Start {
  format: FormatOptions;
  /** The offset at which the events begin. */
  skip: number;
  /** The bytes of the stream before it. */
  toSkip: number;
  /** The file's beginning. */
  magic: Buffer | undefined;
}

async function* eventsOf(
  bytes: AsyncIterable<Buffer>,
  file: string,
  { format, skip, toSkip, magic }: Start,
): AsyncGenerator<EventBody> {
  const splitter = new LineSplitter(skip, maxLineBytes);
  const reader = new EventReader(format);
  if (skip > 0 && magic !== undefined) reader.learnColumns(magic);
  let journal: JournalExport | undefined;
  let isFirst = true;
  let left = toSkip;
  const ofJournal = (entries: ReturnType<JournalExport['flush']>): EventBody[] =>
    entries.map(({ entry, end }) => ({ ...journalBody(entry, format.defaults ?? {}), end: skip + end }));
  try {
    for await (const piece of bytes) {
      const chunk = left > 0 ? piece.subarray(Math.min(left, piece.length)) : piece;
      left = Math.max(0, left - piece.length);
      if (chunk.length === 0) continue;
      if (isFirst && isJournalExport(chunk)) journal = new JournalExport();
      isFirst = false;
      if (journal !== undefined) yield* ofJournal(journal.push(chunk));
      else for (const line of splitter.push(chunk)) yield* reader.push(line);
    }
    if (journal !== undefined) yield* ofJournal(journal.flush());
  } catch (error) {
    if (!(error instanceof JournalFormatError)) throw error;
    throw new CommandError('command-failed', `${file}: ${error.message}`);
  }
  for (const line of splitter.flush()) yield* reader.push(line);
  yield* reader.flush();
}

interface Identity {
  place: FilePlace;
  magic: Buffer;
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
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(magicBytes), 0, magicBytes, 0);
    const magic = buffer.subarray(0, bytesRead);
    const head = magic.toString('hex', 0, Math.min(headBytes, bytesRead));
    return { place: { dev, ino, offset: 0, head }, magic, size };
  } catch (error) {
    throw new CommandError('command-failed', `${file}: ${(error as Error).message}`);
  }
}

async function* openStream(
  file: string,
  start: number,
  packing: ReturnType<typeof packingOf>,
  { onRead, onDamage }: ReadFileOptions,
): AsyncGenerator<Buffer> {
  const source: Readable =
    file === '-' ? process.stdin : createReadStream(file, { start, highWaterMark: 2 ** 18 });
  source.on('data', (chunk: Buffer) => onRead?.(chunk.length));
  try {
    if (packing === 'gzip' || packing === 'zstd')
      yield* unpack(source, packing, (reason) => onDamage?.(file, reason));
    else {
      source.pause();
      yield* source as AsyncIterable<Buffer>;
    }
  } catch (error) {
    throw new CommandError('command-failed', `${file}: ${(error as Error).message}`);
  }
}
