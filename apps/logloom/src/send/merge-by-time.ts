import { eventTimeOf } from '@logloom/ingest/event-time';

/** Files that are open at once as far as their times allow it. */
export const maxOpenFiles = 256;

/**
 * Merges files by the times of their events, so that what happened at one time is sent at one time. Each file keeps its order: an event
 * whose time is earlier than that of one before it, or which has none, goes right behind that. Equal times keep the order of the files.
 * Each file is opened once to see when it begins, and again when the merge comes to that time, so that many files need not be open at once.
 */
export async function* mergeByTime<T extends { body: string | Buffer }>(
  files: readonly (() => AsyncGenerator<T>)[],
): AsyncGenerator<T> {
  if (files.length <= maxOpenFiles)
    yield* mergeOpen(files.map((open, order) => ({ open, order, fromMicros: -Infinity })));
  else yield* mergeOpen(await byBeginning(files));
}

/** The files that have an event, in the order of their first times. */
async function byBeginning<T extends { body: string | Buffer }>(
  files: readonly (() => AsyncGenerator<T>)[],
): Promise<Waiting<T>[]> {
  const waiting: Waiting<T>[] = [];
  for (const [order, open] of files.entries()) {
    const fromMicros = await beginningOf(open);
    if (fromMicros !== undefined) waiting.push({ open, order, fromMicros });
  }
  return waiting.sort((a, b) => a.fromMicros - b.fromMicros || a.order - b.order);
}

interface Waiting<T> {
  open: () => AsyncGenerator<T>;
  order: number;
  /** The time of its first event. */
  fromMicros: number;
}

interface Opened<T> {
  file: AsyncGenerator<T>;
  order: number;
  event: T;
  /** Its time, or the latest of one before it in its file. */
  atMicros: number;
}

/** `waiting` is in the order of the files' first times. */
async function* mergeOpen<T extends { body: string | Buffer }>(
  waiting: readonly Waiting<T>[],
): AsyncGenerator<T> {
  const open: Opened<T>[] = [];
  let next = 0;
  try {
    for (;;) {
      let first = earliest(open);
      while (next < waiting.length && (first === undefined || waiting[next]!.fromMicros <= first.atMicros)) {
        const { open: start, order } = waiting[next++]!;
        const opened = await advance({ file: start(), order }, -Infinity);
        if (opened !== undefined) open.push(opened);
        first = earliest(open);
      }
      if (first === undefined) return;
      yield first.event;
      const following = await advance(first, first.atMicros);
      if (following === undefined) open.splice(open.indexOf(first), 1);
      else open[open.indexOf(first)] = following;
    }
  } finally {
    for (const { file } of open) await file.return(undefined);
  }
}

function earliest<T>(open: readonly Opened<T>[]): Opened<T> | undefined {
  let first: Opened<T> | undefined;
  for (const each of open)
    if (
      first === undefined ||
      each.atMicros < first.atMicros ||
      (each.atMicros === first.atMicros && each.order < first.order)
    )
      first = each;
  return first;
}

async function advance<T extends { body: string | Buffer }>(
  { file, order }: { file: AsyncGenerator<T>; order: number },
  afterMicros: number,
): Promise<Opened<T> | undefined> {
  const next = await file.next();
  if (next.done === true) return undefined;
  const event = next.value;
  const micros = eventTimeOf(event.body.toString());
  return { file, order, event, atMicros: micros > afterMicros ? micros : afterMicros };
}

/** The time of a file's first event, the beginning of time where it has none; undefined for an empty file. */
async function beginningOf<T extends { body: string | Buffer }>(
  open: () => AsyncGenerator<T>,
): Promise<number | undefined> {
  const file = open();
  try {
    return (await advance({ file, order: 0 }, -Infinity))?.atMicros;
  } finally {
    await file.return(undefined);
  }
}
