import { eventTimeOf } from '@logloom/ingest/event-time';

/** The events at a file's beginning that are looked at for a time. */
const probedEvents = 20;

/** Opens a file; `isProbe`: only to look at its beginning. */
export type OpenFile<T> = (isProbe: boolean) => AsyncGenerator<T>;

/**
 * Merges files by the times of their events, so that what happened at one time is sent at one time. Each file keeps its order: an event
 * whose time is earlier than that of one before it, or which has none, goes right behind that. Equal times keep the order of the files.
 * A file without a time in its first events cannot be placed by one: it comes behind those named before it and in front of those named
 * after it, and only the files between two such are merged. Each file is opened once to see when it begins, and again when the merge
 * comes to that time, so that files whose times do not overlap are not open together.
 */
export async function* mergeByTime<T extends { body: string | Buffer }>(
  files: readonly OpenFile<T>[],
): AsyncGenerator<T> {
  let waiting: Waiting<T>[] = [];
  for (const [order, open] of files.entries()) {
    const fromMicros = await beginningOf(open);
    if (fromMicros === 'empty') continue;
    if (fromMicros !== undefined) {
      waiting.push({ open, order, fromMicros });
      continue;
    }
    yield* mergeOpen(waiting.sort(byBeginning));
    waiting = [];
    yield* open(false);
  }
  yield* mergeOpen(waiting.sort(byBeginning));
}

function byBeginning(a: Waiting<unknown>, b: Waiting<unknown>): number {
  return a.fromMicros - b.fromMicros || a.order - b.order;
}

interface Waiting<T> {
  open: OpenFile<T>;
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
        const opened = await advance({ file: start(false), order }, -Infinity);
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

/** The first time in a file's first events; undefined where none has one. */
async function beginningOf<T extends { body: string | Buffer }>(
  open: OpenFile<T>,
): Promise<number | 'empty' | undefined> {
  const file = open(true);
  try {
    for (let i = 0; i < probedEvents; i++) {
      const next = await file.next();
      if (next.done === true) return i === 0 ? 'empty' : undefined;
      const micros = eventTimeOf(next.value.body.toString());
      if (!Number.isNaN(micros)) return micros;
    }
    return undefined;
  } finally {
    await file.return(undefined);
  }
}
