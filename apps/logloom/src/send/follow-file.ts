import type { Stats } from 'node:fs';
import { open, readdir, stat, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CommandError } from '../commands/command-errors.ts';
import { utf16Of } from './decode-utf16.ts';
import { EventReader, type EventBody, type FormatOptions, type SentEvent } from './event-body.ts';
import { LineSplitter } from './line-splitter.ts';
import { maxLineBytes } from './read-file.ts';
import type { FilePlace } from './send-position.ts';

const readBytes = 256 * 1024;
const headBytes = 64;
/** Lines of a stack trace are written at once; a line after this pause begins another event, ms. */
const joinMs = 1000;
/** A program that renames a file away may still write to it, ms. */
const rotatedMs = 1000;

export interface FollowOptions {
  format: FormatOptions;
  from?: FilePlace | undefined;
  /** Without a place: begin at the present end. */
  fromEnd: boolean;
  /** Reports something that the user should know. */
  note: (line: string) => void;
}

/**
 * Follows a file by name like `tail -F`: across rotation by renaming (the old file, and others that were rotated away meanwhile, are read
 * to their ends), truncation, and a new file of the same name. Only whole lines are read; the last one of a file that is gone counts as
 * whole.
 */
export class FileFollower {
  readonly #path: string;
  readonly #options: FollowOptions;
  #file: FileHandle | undefined;
  #place: FilePlace;
  #read = 0;
  #splitter = new LineSplitter(0, maxLineBytes);
  #reader: EventReader;
  #isResumed = false;
  #wasAtEnd = false;
  #rotatedAt = 0;
  #lastLineAt = 0;
  /** Inodes of files that were read to their end. */
  readonly #finished = new Set<string>();

  constructor(path: string, options: FollowOptions) {
    this.#path = path;
    this.#options = options;
    this.#place = options.from ?? { dev: 0, ino: 0, offset: 0, head: '' };
    this.#reader = new EventReader(options.format);
  }

  /** The new events, in order; none if there is nothing new. Throws read errors, except for a missing file. */
  async poll(): Promise<SentEvent[]> {
    if (this.#file === undefined && !(await this.#open())) return [];
    // The file may have other content by now, whose lines do not begin where the last read ended.
    if (this.#wasAtEnd && !(await this.#beginsAsBefore())) return this.#startOver('was overwritten');
    // A new buffer each time: the lines are views of it.
    const buffer = Buffer.allocUnsafe(readBytes);
    const { bytesRead } = await this.#file!.read(buffer, 0, readBytes, this.#read);
    this.#wasAtEnd = bytesRead < readBytes;
    if (bytesRead > 0) {
      this.#read += bytesRead;
      if (this.#place.head.length < 2 * headBytes) await this.#learnHead();
      this.#lastLineAt = Date.now();
      this.#rotatedAt &&= Date.now();
      const lines = this.#splitter.push(buffer.subarray(0, bytesRead));
      return this.#give(lines.flatMap((line) => this.#reader.push(line)));
    }
    return this.#atEnd();
  }

  /** Returns the unfinished event when following ends: whole lines only. */
  end(): SentEvent[] {
    return this.#give(this.#reader.flush());
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }

  async #atEnd(): Promise<SentEvent[]> {
    const now = await statOf(this.#path);
    const isRotated = now === undefined || now.ino !== this.#place.ino || now.dev !== this.#place.dev;
    if (!isRotated) {
      this.#rotatedAt = 0;
      if (now.size < this.#read) return this.#startOver('was truncated');
    } else if (this.#rotatedAt === 0) this.#rotatedAt = Date.now();
    else if (Date.now() - this.#rotatedAt > rotatedMs) return this.#leave();
    const isLate = this.#reader.isOpen && Date.now() - this.#lastLineAt > joinMs;
    return isLate ? this.#give(this.#reader.flush()) : [];
  }

  /** The file no longer has its name, and was read to its end. */
  async #leave(): Promise<SentEvent[]> {
    const next = await this.#successor();
    if (next === undefined && (await statOf(this.#path)) === undefined) return this.#giveRest();
    const rest = this.#giveRest();
    this.#finished.add(keyOf(this.#place));
    await this.close();
    this.#rotatedAt = 0;
    await this.#use(next ?? this.#path, 0);
    return rest;
  }

  async #startOver(what: string): Promise<SentEvent[]> {
    this.#options.note(`${this.#path} ${what}: reading it from its beginning`);
    const rest = this.#giveRest();
    await this.close();
    await this.#use(this.#path, 0);
    return rest;
  }

  #giveRest(): SentEvent[] {
    const last = this.#splitter.flush().flatMap((line) => this.#reader.push(line));
    return this.#give([...last, ...this.#reader.flush()]);
  }

  #give(events: EventBody[]): SentEvent[] {
    return events.map((event) => ({
      ...event,
      file: this.#path,
      place: { ...this.#place, offset: event.end },
    }));
  }

  async #open(): Promise<boolean> {
    const saved = this.#options.from;
    if (saved === undefined || this.#isResumed) {
      const size = this.#options.fromEnd && !this.#isResumed ? (await statOf(this.#path))?.size : 0;
      const isOpen = await this.#use(this.#path, size ?? 0);
      // A file that appears later is new from its beginning.
      this.#isResumed = true;
      return isOpen;
    }
    this.#isResumed = true;
    return this.#resume(saved);
  }

  /** Continues where an earlier run stopped, whatever the file's present name. */
  async #resume(saved: FilePlace): Promise<boolean> {
    const candidates = [this.#path, ...(await this.#rotated()).map(({ path }) => path)];
    for (const path of candidates) {
      const now = await statOf(path);
      if (now?.ino !== saved.ino || now.dev !== saved.dev || now.size < saved.offset) continue;
      if (!(await this.#use(path, saved.offset))) continue;
      if (this.#place.head.startsWith(saved.head)) return true;
      await this.close();
    }
    if (saved.ino !== 0)
      this.#options.note(
        `${this.#path}: the file that was read up to byte ${saved.offset} is gone; reading the file with its name from its beginning`,
      );
    return this.#use(this.#path, 0);
  }

  async #use(path: string, offset: number): Promise<boolean> {
    try {
      this.#file = await open(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw error;
    }
    const { dev, ino } = await this.#file.stat();
    this.#place = { dev, ino, offset, head: '' };
    this.#read = offset;
    this.#wasAtEnd = false;
    this.#splitter = new LineSplitter(offset, maxLineBytes);
    await this.#learnHead();
    if (utf16Of(Buffer.from(this.#place.head, 'hex')) !== undefined)
      throw new CommandError(
        'command-failed',
        `${this.#path}: is UTF-16, which can be sent, and not followed`,
      );
    this.#reader = new EventReader(this.#options.format);
    return true;
  }

  async #learnHead(): Promise<void> {
    this.#place = { ...this.#place, head: await this.#head() };
  }

  async #beginsAsBefore(): Promise<boolean> {
    return (await this.#head()).startsWith(this.#place.head);
  }

  async #head(): Promise<string> {
    const { bytesRead, buffer } = await this.#file!.read(Buffer.alloc(headBytes), 0, headBytes, 0);
    return buffer.toString('hex', 0, bytesRead);
  }

  /** The file after the one that was read: one that was rotated away too, or undefined if it is the one with the name. */
  async #successor(): Promise<string | undefined> {
    const { mtimeMs } = await this.#file!.stat();
    const later = (await this.#rotated()).filter(
      ({ stats }) =>
        stats.mtimeMs >= mtimeMs && keyOf(stats) !== keyOf(this.#place) && !this.#finished.has(keyOf(stats)),
    );
    return later.sort((a, b) => a.stats.mtimeMs - b.stats.mtimeMs)[0]?.path;
  }

  /** The files beside it with its name and a number or date from rotation: app.log.1, app.log-20260101. */
  async #rotated(): Promise<{ path: string; stats: Stats }[]> {
    const folder = dirname(this.#path);
    const name = basename(this.#path);
    const found: { path: string; stats: Stats }[] = [];
    for (const entry of await readdir(folder).catch(() => [])) {
      if (!entry.startsWith(name) || !/^[.-]\d[\d_T:.-]*$/.test(entry.slice(name.length))) continue;
      const path = join(folder, entry);
      const stats = await statOf(path);
      if (stats?.isFile() === true) found.push({ path, stats });
    }
    return found;
  }
}

function keyOf({ dev, ino }: { dev: number; ino: number }): string {
  return `${dev}/${ino}`;
}

async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
