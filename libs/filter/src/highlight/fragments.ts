/** From and to (not included), in UTF-16 code units, as JavaScript counts. */
export type Range = [start: number, end: number];

/** A piece of a value around what was matched in it. */
export interface Fragment {
  /** Where the piece begins in the value. */
  at: number;
  fragment: string;
  /** The matches, ascending and without overlap, counted from the fragment's start. */
  ranges: Range[];
}

/** How much of the value is shown before and after a match. */
const context = 40;
/**
 * The limits of a fragment's length and of the fragments per field, so that a message of a megabyte does not make a response of a megabyte.
 */
const longestFragment = 500;
const mostFragments = 5;

/** The pieces of a field's values that hold their ranges. */
export function cutFragments(values: readonly { text: string; ranges: readonly Range[] }[]): Fragment[] {
  const fragments: Fragment[] = [];
  for (const { text, ranges } of values) {
    for (const group of groupRanges(joinRanges(ranges))) {
      if (fragments.length === mostFragments) return fragments;
      fragments.push(cut(text, group));
    }
  }
  return fragments;
}

/** Sorts the ranges and merges those that overlap. */
function joinRanges(ranges: readonly Range[]): Range[] {
  const joined: Range[] = [];
  for (const [start, end] of ranges.toSorted((a, b) => a[0] - b[0] || a[1] - b[1])) {
    const last = joined.at(-1);
    if (last !== undefined && start <= last[1]) last[1] = Math.max(last[1], end);
    else joined.push([start, end]);
  }
  return joined;
}

/** Ranges whose surroundings touch go into one fragment, as far as it has room. */
function groupRanges(ranges: readonly Range[]): Range[][] {
  const groups: Range[][] = [];
  for (const range of ranges) {
    const group = groups.at(-1);
    const fits =
      group !== undefined &&
      range[0] - group.at(-1)![1] <= 2 * context &&
      range[1] - group[0]![0] <= longestFragment - 2 * context;
    if (fits) group.push(range);
    else groups.push([range]);
  }
  return groups;
}

function cut(text: string, ranges: readonly Range[]): Fragment {
  const at = boundary(text, Math.max(0, ranges[0]![0] - context));
  const wanted = Math.min(text.length, ranges.at(-1)![1] + context);
  const end = boundary(text, Math.min(wanted, at + longestFragment));
  return {
    at,
    fragment: text.slice(at, end),
    ranges: ranges.map(([from, to]) => [from - at, Math.min(to, end) - at]),
  };
}

/** The position itself, or the one before if it would split a character. */
function boundary(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return at > 0 && code >= 0xdc00 && code <= 0xdfff ? at - 1 : at;
}
