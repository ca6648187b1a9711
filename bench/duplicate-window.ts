import { DuplicateWindow, duplicateWindowRecords } from '@logloom/event-log';
import { sourceText, type Source } from '@logloom/schemas';

/**
 * What does it cost an event to be told from a copy? The rival keeps the same window as a Map of texts and a ring of them.
 * Processor time in nanoseconds an event; the best of three runs.
 */
const events = 500_000;
const now = (): number => process.cpuUsage().user;

class Texts {
  readonly #offsets = new Map<string, number>();
  readonly #ring = Array.from({ length: duplicateWindowRecords }, () => '');

  admit(source: Source, offset: number): boolean {
    const text = sourceText(source);
    const slot = offset % duplicateWindowRecords;
    const oldest = this.#ring[slot]!;
    const isNew = !this.#offsets.has(text);
    if (this.#offsets.get(oldest) === offset - duplicateWindowRecords) this.#offsets.delete(oldest);
    this.#offsets.set(text, offset);
    this.#ring[slot] = text;
    return isNew;
  }
}

const cases: readonly (readonly [name: string, producers: number, run: number, checksums: boolean])[] = [
  ['one producer', 1, 1, false],
  ['one producer, with checksums', 1, 1, true],
  ['16 producers, 50 events by turns', 16, 50, false],
  ['5,000 producers, one event by turns', 5000, 1, true],
];
for (const [name, producers, run, checksums] of cases) {
  const next = Array.from({ length: producers }, () => 0);
  const sources = Array.from({ length: events }, (_, i): Source => {
    const producer = Math.floor(i / run) % producers;
    const index = checksums ? (Math.random() * 2 ** 32) | 0 : 0;
    // A string of its own, as decoding makes them.
    const topic = Buffer.from(`abcdefghijklmnop${String(producer).padStart(6, '0')}`).toString();
    return { kind: 'producer', topic, partition: 0, offset: next[producer]!++, index };
  });
  const measure = (make: () => { admit: (source: Source, offset: number) => boolean }): number => {
    let best = Infinity;
    for (let repeat = 0; repeat < 3; repeat++) {
      const window = make();
      const began = now();
      for (let i = 0; i < events; i++) window.admit(sources[i]!, i);
      best = Math.min(best, (now() - began) / events);
    }
    return Math.round(best * 1000);
  };
  console.log(
    `${name}: window ${measure(() => new DuplicateWindow())} ns, Map of texts ${measure(() => new Texts())} ns`,
  );
}
