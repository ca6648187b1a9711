import { JournalExport, type JournalEntry } from '@logloom/ingest/journal-export';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandError } from '../commands/command-errors.ts';
import { addDefaults, type EventDefaults } from './event-defaults.ts';
import type { EventBody, SentEvent } from './event-body.ts';
import type { FilePlace } from './send-position.ts';

/** The name of the journal among the files of a position. */
export const journalName = '--journal';
const idleMs = 200;

export interface JournalOptions {
  defaults: EventDefaults;
  units: readonly string[];
  since: string | undefined;
  follow: boolean;
  fromEnd: boolean;
  /** The place of an earlier run. */
  from: FilePlace | undefined;
  signal: AbortSignal;
}

/** What journald and its transport only say of themselves, or that is a time and a place which the event has already. */
const dropped = new Set([
  '__CURSOR',
  '__MONOTONIC_TIMESTAMP',
  '__SEQNUM',
  '__SEQNUM_ID',
  '_SOURCE_BOOTTIME_TIMESTAMP',
  '_SOURCE_MONOTONIC_TIMESTAMP',
  '_BOOT_ID',
  '_CAP_EFFECTIVE',
  '_SELINUX_CONTEXT',
  '_STREAM_ID',
  '_RUNTIME_SCOPE',
  '_AUDIT_LOGINUID',
  '_AUDIT_SESSION',
]);

/** The event of an entry, as JSON with journald's names, which ingest knows. */
export function journalBody(
  entry: JournalEntry,
  defaults: EventDefaults,
): Pick<EventBody, 'body' | 'content' | 'layout'> {
  const content: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(entry)) if (!dropped.has(name)) content[name] = value;
  return { body: addDefaults(JSON.stringify(content), defaults), content, layout: 'journal' };
}

/**
 * The entries of this machine's journal, through journalctl; `idle` where none came for a moment. Each place holds the entry's cursor, from
 * which a later run goes on. Throws CommandError where journalctl cannot be run or fails.
 */
export async function* readJournal(options: JournalOptions): AsyncGenerator<SentEvent | 'idle'> {
  const { defaults, signal } = options;
  const child = spawn('journalctl', journalArguments(options), { stdio: ['ignore', 'pipe', 'pipe'], signal });
  const ended = once(child, 'close').catch((error: unknown) => {
    if (!signal.aborted) throw error;
    return [null];
  });
  ended.catch(() => {});
  const problem = text(child.stderr).catch(() => '');
  let isAtEnd = false;
  const reader = new JournalExport();
  const give = ({ entry }: { entry: JournalEntry }): SentEvent => ({
    ...journalBody(entry, defaults),
    end: 0,
    file: journalName,
    place: { dev: 0, ino: 0, offset: 0, head: String(entry['__CURSOR'] ?? '') },
  });
  const chunks = (child.stdout as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  try {
    for (let next = chunks.next(); ;) {
      const chunk = await (options.follow ? Promise.race([next, sleep(idleMs, 'idle' as const)]) : next);
      if (chunk === 'idle') yield 'idle';
      else if (chunk.done === true) break;
      else {
        for (const entry of reader.push(chunk.value)) yield give(entry);
        next = chunks.next();
      }
    }
    isAtEnd = true;
    for (const entry of reader.flush()) yield give(entry);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    if (!isAtEnd) {
      child.kill();
      // What journalctl started itself may hold the pipes open.
      child.stdout.destroy();
      child.stderr.destroy();
    }
  }
  const [code] = (await ended.catch((error: NodeJS.ErrnoException) => {
    const reason = error.code === 'ENOENT' ? 'there is no journalctl on this machine' : error.message;
    throw new CommandError('command-failed', `--journal: ${reason}`);
  })) as [number | null];
  // Without any entry journalctl ends with 1 and says nothing.
  const said = (await problem).trim();
  if (code !== 0 && !signal.aborted && said !== '')
    throw new CommandError('command-failed', `--journal: journalctl: ${said.split('\n', 1)[0]}`);
}

function journalArguments({ units, since, follow, fromEnd, from }: JournalOptions): string[] {
  const cursor = from?.head ?? '';
  const start =
    cursor !== ''
      ? [`--after-cursor=${cursor}`]
      : since !== undefined
        ? [`--since=${since}`]
        : follow && fromEnd
          ? ['--lines=0']
          : [];
  // --follow shows the last ten lines without a number.
  const all = follow && start[0] !== '--lines=0' ? ['--no-tail'] : [];
  return [
    '--output=export',
    '--quiet',
    '--all',
    ...start,
    ...units.map((unit) => `--unit=${unit}`),
    ...(follow ? ['--follow', ...all] : []),
  ];
}
