interface Timed {
  /** Microseconds since 1970. */
  timestamp: number;
}

/**
 * Merges files into one stream in order of time, as if all had been sent while they were written. A file itself need not be sorted: an
 * event that is late by fewer than `reach` events is put in its place. Equal times keep the order of the files, and that within each.
 */
export async function* inTimeOrder<T extends Timed>(
  files: readonly AsyncIterable<T>[],
  reach = 50_000,
): AsyncGenerator<T> {
  const sources = files.map((file) => sortedWithin(file, reach));
  const heads = await Promise.all(sources.map((source) => source.next()));
  for (;;) {
    let first = -1;
    heads.forEach((head, i) => {
      if (head.done !== true && (first < 0 || head.value.timestamp < timeOf(heads[first]!))) first = i;
    });
    if (first < 0) return;
    yield heads[first]!.value as T;
    heads[first] = await sources[first]!.next();
  }
}

function timeOf(head: IteratorResult<Timed, void>): number {
  return head.done === true ? Infinity : head.value.timestamp;
}

async function* sortedWithin<T extends Timed>(
  file: AsyncIterable<T>,
  reach: number,
): AsyncGenerator<T, void> {
  let held: T[] = [];
  const sort = (): void => void held.sort((a, b) => a.timestamp - b.timestamp);
  for await (const event of file) {
    if (held.push(event) < 2 * reach) continue;
    sort();
    yield* held.slice(0, reach);
    held = held.slice(reach);
  }
  sort();
  yield* held;
}
