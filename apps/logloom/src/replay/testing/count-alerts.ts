// An independent count of what rules over many events should raise: for each time at which a rule is judged, it looks at all that is in
// the window again. It shares no code with the engine.

/** An event or a request. */
export interface Item {
  /** When it counts, ms. */
  atMs: number;
  /** Its own time in microseconds, and its place among those of the same time. */
  timestamp: number;
  place: number;
  keys: string[];
}

export interface Expected {
  key: string;
  fromMs: number;
  toMs: number | null;
}

export interface Counted<T extends Item> {
  windowMs: number;
  stepMs: number;
  holds: (items: T[]) => boolean;
  until?: (items: T[]) => boolean;
  forMs?: number;
  /** Judges keys that have become silent, once they are known for a window. */
  silent?: boolean;
  /** The key that exists from the beginning, where a rule has no fields. */
  onlyKey?: boolean;
}

/** From one begin of an alert to its end, by judging every key at every step. */
export function countAlerts<T extends Item>(
  items: readonly T[],
  { windowMs, stepMs, holds, until, forMs = 0, silent = false, onlyKey = false }: Counted<T>,
  beginMs: number,
  endMs: number,
): Expected[] {
  const alerts: Expected[] = [];
  const byKey = new Map<string, T[]>(onlyKey ? [['', []]] : []);
  for (const item of items)
    for (const key of item.keys) {
      const all = byKey.get(key);
      if (all === undefined) byKey.set(key, [item]);
      else all.push(item);
    }
  for (const [key, all] of byKey) {
    const first = onlyKey ? Math.ceil(beginMs / stepMs) : Math.floor(all[0]!.atMs / stepMs);
    let sinceMs: number | null = null;
    let open: Expected | null = null;
    let from = 0;
    let to = 0;
    // The step that the end is in counts, unless it is about silence.
    const lastMs = silent ? endMs : (Math.floor(endMs / stepMs) + 1) * stepMs;
    for (let step = Math.floor(beginMs / stepMs); step * stepMs <= lastMs; step++) {
      const atMs = step * stepMs;
      while (from < all.length && all[from]!.atMs < atMs - windowMs) from++;
      while (to < all.length && all[to]!.atMs < atMs) to++;
      const inWindow = all.slice(from, to);
      const isKnown = step * stepMs >= first * stepMs + windowMs;
      const begins: boolean = silent ? isKnown && holds(inWindow) : inWindow.length > 0 && holds(inWindow);
      if (open !== null) {
        const isOver =
          (!silent && inWindow.length === 0) || (until === undefined ? !begins : until(inWindow));
        if (!isOver) continue;
        open.toMs = atMs;
        open = null;
        sinceMs = null;
      } else if (!begins) sinceMs = null;
      else {
        sinceMs ??= atMs;
        if (atMs < sinceMs + forMs) continue;
        open = { key, fromMs: atMs, toMs: null };
        alerts.push(open);
      }
    }
  }
  return alerts;
}

/** Alerts of matches: each fires at the next step, and ends so long after the last one. */
export function alertsOfMatches(
  matches: readonly { key: string; knownMs: number }[],
  resolveMs: number,
  endMs: number,
): Expected[] {
  const alerts: Expected[] = [];
  const open = new Map<string, { alert: Expected; lastMs: number }>();
  for (const { key, knownMs } of matches.toSorted((a, b) => a.knownMs - b.knownMs)) {
    if (knownMs > endMs) continue;
    const current = open.get(key);
    if (current !== undefined && knownMs < current.lastMs + resolveMs) {
      current.lastMs = knownMs;
      continue;
    }
    if (current !== undefined) current.alert.toMs = current.lastMs + resolveMs;
    const alert: Expected = { key, fromMs: knownMs, toMs: null };
    alerts.push(alert);
    open.set(key, { alert, lastMs: knownMs });
  }
  for (const { alert, lastMs } of open.values())
    if (lastMs + resolveMs <= endMs) alert.toMs = lastMs + resolveMs;
  return alerts;
}
