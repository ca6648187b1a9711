/** What a thread of the target holds on its heap, without the young generation, and in buffers. */
export interface HeapReading {
  thread: string;
  /** How often the whole heap was collected so far. */
  collections: number;
  /** When it was last collected, where the target tells that; else now. */
  bytes: number;
}

const heapSpaces = /^(?:old|large_object)$/;

/** The heaps of the threads that serve viewers, or of all threads where none says so, from the text of `/metrics`. */
export function heapReadings(text: string): HeapReading[] {
  const heaps = new Map<string, HeapReading>();
  for (const { labels, value } of samplesOf(text, 'nodejs_gc_duration_seconds_count'))
    if (labels.get('kind') === 'major') {
      const thread = nameOf(labels);
      heaps.set(thread, { thread, collections: value, bytes: 0 });
    }
  for (const { labels, value } of samplesOf(text, 'nodejs_heap_space_size_used_bytes'))
    if (heapSpaces.test(labels.get('space') ?? '')) add(heaps, labels, value);
  for (const { labels, value } of samplesOf(text, 'logloom_thread_memory_bytes'))
    if (labels.get('kind') === 'buffers') add(heaps, labels, value);
  const collected = new Map<string, number>();
  for (const { labels, value } of samplesOf(text, 'logloom_thread_memory_after_collection_bytes'))
    collected.set(nameOf(labels), (collected.get(nameOf(labels)) ?? 0) + value);
  for (const heap of heaps.values()) heap.bytes = collected.get(heap.thread) ?? heap.bytes;
  const serving = new Set([...samplesOf(text, 'logloom_live_viewers')].map(({ labels }) => nameOf(labels)));
  return [...heaps.values()].filter(({ thread }) => serving.size === 0 || serving.has(thread));
}

function add(heaps: Map<string, HeapReading>, labels: ReadonlyMap<string, string>, bytes: number): void {
  const heap = heaps.get(nameOf(labels));
  if (heap !== undefined) heap.bytes += bytes;
}

/** The labels that tell threads apart. */
function nameOf(labels: ReadonlyMap<string, string>): string {
  const own = [...labels].filter(([name]) => !['kind', 'space', 'transport'].includes(name));
  return own.map(([name, value]) => `${name}=${value}`).join(' ');
}

function* samplesOf(text: string, name: string): Generator<{ labels: Map<string, string>; value: number }> {
  for (const [, labels, value] of text.matchAll(new RegExp(`^${name}(?:\\{([^}]*)\\})? (\\S+)`, 'gm')))
    yield {
      labels: new Map([...(labels ?? '').matchAll(/(\w+)="([^"]*)"/g)].map(([, key, text]) => [key!, text!])),
      value: Number(value),
    };
}
