import { eventTimeOf } from '@logloom/ingest/event-time';

/** Files that are open at once; more are merged in groups of so many. */
export const maxMergedFiles = 256;

/**
 * Merges files by the times of their events, so that what happened at one time is sent at one time. Each file keeps its order: an event
 * whose time is earlier than that of one before it, or which has none, goes right behind that. Equal times keep the order of the files.
 */
export async function* mergeByTime<T extends { body: string | Buffer }>(
  files: readonly AsyncGenerator<T>[],
): AsyncGenerator<T> {
  try {
    const heads = await Promise.all(files.map((file) => headOf(file, -Infinity)));
    for (let first = earliest(heads); first !== undefined; first = earliest(heads)) {
      const { event, atMicros } = heads[first]!;
      yield event;
      heads[first] = await headOf(files[first]!, atMicros);
    }
  } finally {
    for (const file of files) await file.return(undefined);
  }
}

interface Head<T> {
  event: T;
  /** Its time, or the latest of one before it in its file. */
  atMicros: number;
}

/** The place of the first of the earliest heads; undefined where no file has one any more. */
function earliest(heads: readonly (Head<unknown> | undefined)[]): number | undefined {
  let first: number | undefined;
  let firstMicros = Infinity;
  for (let i = 0; i < heads.length; i++) {
    const head = heads[i];
    if (head === undefined || (first !== undefined && head.atMicros >= firstMicros)) continue;
    first = i;
    firstMicros = head.atMicros;
  }
  return first;
}

async function headOf<T extends { body: string | Buffer }>(
  file: AsyncGenerator<T>,
  afterMicros: number,
): Promise<Head<T> | undefined> {
  const next = await file.next();
  if (next.done === true) return undefined;
  const event = next.value;
  const micros = eventTimeOf(event.body.toString());
  return { event, atMicros: micros > afterMicros ? micros : afterMicros };
}
