/** Why a search found an event: pieces of its fields with the matched ranges, counted from the piece's start. */
export type Highlights = Record<
  string,
  { at: number; fragment: string; ranges: [start: number, end: number][] }[]
>;

/** Applies `mark` to the matched parts of a text, and `plain` to the rest. */
export function markRanges(
  text: string,
  pieces: Highlights[string],
  mark: (part: string) => string,
  plain: (part: string) => string,
): string {
  let shown = '';
  let from = 0;
  for (const { at, ranges } of pieces) {
    for (const [start, end] of ranges) {
      shown += plain(text.slice(from, at + start)) + mark(text.slice(at + start, at + end));
      from = at + end;
    }
  }
  return shown + plain(text.slice(from));
}
