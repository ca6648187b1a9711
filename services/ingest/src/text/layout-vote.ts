import { knownLayouts } from './layouts/all-layouts.ts';
import type { Layout } from './layouts/layout.ts';
import type { TextContext } from './read-text.ts';

const slashed = /^\D{0,3}(\d{1,2})\/(\d{1,2})\/(?:\d{4}|\d{2})\b/;

/** Which layouts a file's lines have. */
export class LayoutVote {
  readonly #votes = new Map<Layout, number>();
  /** Those that a line had, the most frequent first. */
  preferred: readonly Layout[] = [];
  /** Whether dates in slashes have the day first, as far as the lines say. */
  isDayFirst: boolean | undefined;
  /** Whether the file has JSON too. */
  hasJson = false;

  /** Counts the layouts that each of the texts has. */
  count(texts: readonly string[], context: TextContext): void {
    for (const text of texts) {
      const date = slashed.exec(text);
      if (date !== null && Number(date[1]) > 12) this.isDayFirst = true;
      else if (date !== null && Number(date[2]) > 12) this.isDayFirst ??= false;
      const code = text.charCodeAt(0);
      for (const layout of knownLayouts) {
        if (layout.firstCharacters?.has(code) === false) continue;
        if (layout.read(text, context) !== undefined)
          this.#votes.set(layout, (this.#votes.get(layout) ?? 0) + 1);
      }
    }
    const order = new Map(knownLayouts.map((layout, i) => [layout, i]));
    this.preferred = [...this.#votes]
      .sort(([a, votes], [b, others]) => others - votes || order.get(a)! - order.get(b)!)
      .map(([layout]) => layout);
  }
}
