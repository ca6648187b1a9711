import { statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { FileFollower } from './follow-file.ts';
import { addOrigin, type FormatOptions, type SentEvent } from './event-body.ts';
import { mergeByTime } from './merge-by-time.ts';
import { journalName, readJournal } from './read-journal.ts';
import { UnknownFields } from './unknown-fields.ts';
import { postBatch } from './post-batch.ts';
import type { Progress } from './progress-bar.ts';
import { readFile } from './read-file.ts';
import { SendPosition, type FilePlace, type SavedBatch } from './send-position.ts';
import { addAnswer, type SendResult } from './send-result.ts';
import { untilRoom } from './until-room.ts';

export interface SendFilesOptions {
  url: string;
  /** For a Logloom that requires one. */
  key: string | undefined;
  format: FormatOptions;
  /** Continues forever as the files grow. */
  follow: boolean;
  /** Follow: begin at the end of files that were not followed before. */
  fromEnd: boolean;
  /** The file of the position; undefined: none. */
  position: string | undefined;
  /** Whether the events happened earlier, and come file by file: the requests of all files are kept together. */
  isBackfill: boolean;
  /** This machine's journal instead of files. */
  journal?: { units: readonly string[]; since: string | undefined } | undefined;
  /** Of times without a zone in structured events; text has that of its format. */
  timezone?: string | undefined;
  /** Maximum events per second. */
  rate: number;
  onProgress: (progress: Progress) => void;
  note: (line: string) => void;
  signal: AbortSignal;
}

const batchLines = 2000;
const batchBytes = 1 << 20;
const pollMs = 200;
/** The longest pause, so that a slow rate is steady. */
const batchesPerSecond = 4;

/**
 * Sends files to `POST /ingest`, in order, or merged by time if they are a backfill, each event under its own number. With a position,
 * every line is sent once, despite `kill -9` and rotation. Following ends when the signal aborts. Throws CommandError when it cannot
 * continue.
 */
export async function sendFiles(files: readonly string[], options: SendFilesOptions): Promise<SendResult> {
  const { note, signal } = options;
  using position = await untilRoom(() => SendPosition.open(options.position), note, signal);
  const sender = new Sender(position, options);
  await sender.repeat();
  const unknown = new UnknownFields();
  const onDamage = (file: string, reason: string): void => {
    if (sender.result.damaged?.includes(file) === true) return;
    note(`${file} is damaged (${reason}): what could be read of it is sent`);
    (sender.result.damaged ??= []).push(file);
  };
  for await (const event of eventsOf(files, position, options, sender.progress, onDamage)) {
    if (event === 'idle') {
      await sender.flush();
      continue;
    }
    const { content, file, body } = event;
    unknown.count(content, file, typeof content === 'string' ? body.toString() : content);
    await sender.add(event);
  }
  await sender.flush();
  unknown.warnings().forEach(note);
  return sender.result;
}

function eventsOf(
  files: readonly string[],
  position: SendPosition,
  options: SendFilesOptions,
  progress: Progress,
  onDamage: (file: string, reason: string) => void,
): AsyncGenerator<SentEvent | 'idle'> {
  const { journal, format, follow, fromEnd, signal } = options;
  if (journal !== undefined) {
    const from = position.place(journalName);
    return readJournal({ ...journal, defaults: format.defaults ?? {}, follow, fromEnd, from, signal });
  }
  return follow ? followAll(files, position, options) : readAll(files, position, options, progress, onDamage);
}

class Sender {
  readonly result: SendResult = { accepted: 0, rejected: 0, reasons: [] };
  readonly progress: Progress = { accepted: 0, rejected: 0, bytes: 0, totalBytes: undefined };
  readonly #position: SendPosition;
  readonly #options: SendFilesOptions;
  readonly #maxLines: number;
  #lines: Buffer[] = [];
  #bytes = 0;
  #files: Record<string, FilePlace> = {};
  #freeAt = 0;

  constructor(position: SendPosition, options: SendFilesOptions) {
    this.#position = position;
    this.#options = options;
    this.#maxLines = Math.max(1, Math.min(batchLines, Math.ceil(options.rate / batchesPerSecond)));
  }

  /** Resends the batch of which an earlier run does not know whether it was sent: the server recognizes its numbers. */
  async repeat(): Promise<void> {
    const saved = this.#position.unanswered;
    if (saved !== undefined) await this.#deliver(Buffer.from(saved.body, 'base64'), saved.count, saved.files);
  }

  async add({ body, file, place }: SentEvent): Promise<void> {
    const line = typeof body === 'string' ? Buffer.from(body) : body;
    this.#lines.push(line);
    this.#bytes += line.length + 1;
    if (place !== undefined) this.#files[file] = place;
    if (this.#lines.length >= this.#maxLines || this.#bytes >= batchBytes) await this.flush();
  }

  async flush(): Promise<void> {
    const count = this.#lines.length;
    if (count === 0) return;
    const body = joined(this.#lines);
    const files = this.#files;
    this.#lines = [];
    this.#bytes = 0;
    this.#files = {};
    const batch = (): SavedBatch => ({ count, body: body.toString('base64'), files });
    await this.#stored(() => this.#position.begin(batch));
    await this.#deliver(body, count, files);
  }

  async #deliver(body: Buffer, count: number, files: Record<string, FilePlace>): Promise<void> {
    const { url, key, follow, isBackfill, timezone, rate } = this.#options;
    const wait = this.#freeAt - Date.now();
    if (wait > 0) await sleep(wait, undefined, follow ? {} : { signal: this.#options.signal });
    this.#freeAt = Math.max(this.#freeAt, Date.now()) + (count / rate) * 1000;
    const { producer, sequence } = this.#position;
    const options = { url, key, producer, sequence, isBackfill, timezone, signal: this.#patience() };
    const answer = await postBatch(body, options);
    addAnswer(this.result, answer, sequence);
    this.progress.accepted = this.result.accepted;
    this.progress.rejected = this.result.rejected;
    this.#position.done(count, files);
    await this.#stored(() => this.#position.save());
    this.#options.onProgress(this.progress);
  }

  async #stored(write: () => void): Promise<void> {
    await untilRoom(write, this.#options.note, this.#options.signal);
  }

  /** A batch in progress when following is stopped gets a moment; with a position it is repeated next time. */
  #patience(): AbortSignal {
    const { signal, follow } = this.#options;
    return follow && signal.aborted ? AbortSignal.timeout(5000) : signal;
  }
}

function joined(lines: readonly Buffer[]): Buffer {
  const newline = Buffer.from('\n');
  return Buffer.concat(lines.flatMap((line, i) => (i === 0 ? [line] : [newline, line])));
}

async function* readAll(
  files: readonly string[],
  position: SendPosition,
  { format, isBackfill, signal }: SendFilesOptions,
  progress: Progress,
  onDamage: (file: string, reason: string) => void,
): AsyncGenerator<SentEvent> {
  if (!files.includes('-'))
    progress.totalBytes = files.reduce(
      (sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0),
      0,
    );
  const onRead = (bytes: number): void => {
    progress.bytes += bytes;
  };
  const read = (file: string, isProbe = false): AsyncGenerator<SentEvent> =>
    readFile(file, {
      format: file === '-' ? format : addOrigin(format, file),
      from: position.place(file),
      ...(!isProbe && { onRead, onDamage }),
    });
  // What is sent now is in its order already, and files that are open wait for nothing.
  if (isBackfill && files.length > 1)
    yield* mergeByTime(files.map((file) => (isProbe) => read(file, isProbe)));
  else
    for (const file of files) {
      signal.throwIfAborted();
      yield* read(file);
    }
}

async function* followAll(
  files: readonly string[],
  position: SendPosition,
  { format, fromEnd, note, signal }: SendFilesOptions,
): AsyncGenerator<SentEvent | 'idle'> {
  const followers = files.map(
    (file) =>
      new FileFollower(file, { format: addOrigin(format, file), from: position.place(file), fromEnd, note }),
  );
  try {
    while (!signal.aborted) {
      let isIdle = true;
      for (const follower of followers) {
        const events = await follower.poll();
        if (events.length > 0) isIdle = false;
        yield* events;
      }
      if (!isIdle) continue;
      yield 'idle';
      await sleep(pollMs, undefined, { signal }).catch(() => {});
    }
    for (const follower of followers) yield* follower.end();
  } finally {
    for (const follower of followers) await follower.close();
  }
}
