import type { Silence } from '@logloom/schemas';
import { parseMatcher, type Labels, type Matcher } from './matcher.ts';
import { nextChangeMs, silenceState, type SilenceState } from './silence-schedule.ts';

/** A silence and what it is at present. */
export interface SilenceInForce {
  silence: Silence;
  state: SilenceState;
}

interface Known {
  silence: Silence;
  matchers: readonly Matcher[];
}

/** How long silences stay visible after their end, ms. */
export const keepEndedMs = 5 * 86_400_000;

/** The silences by id, and which of them are in force. */
export class SilenceBook {
  readonly #known = new Map<string, Known>();
  #active: Known[] = [];
  #updatedAtMs = -Infinity;
  #changesAtMs = Infinity;

  /** Takes a silence as it is from now on. */
  set(silence: Silence, nowMs: number): void {
    this.#known.set(silence.id, { silence, matchers: silence.matchers.flatMap(readMatcher) });
    this.#update(nowMs);
  }

  /**
   * If others are in force than before, returns since when at the earliest (ms since 1970), which does not depend on when it is called;
   * `nowMs` itself if the time went back.
   */
  advance(nowMs: number): number | undefined {
    const atMs = nowMs < this.#updatedAtMs ? nowMs : this.#changesAtMs;
    if (nowMs < atMs) return undefined;
    const before = this.#active.map(({ silence }) => silence.id).join();
    this.#update(nowMs);
    return this.#active.map(({ silence }) => silence.id).join() === before ? undefined : atMs;
  }

  /** The ids of the silences in force for these labels, in the order in which they were made. */
  matching(labels: Labels): string[] {
    return this.#active
      .filter(({ matchers }) => matchers.length > 0 && matchers.every((matcher) => matcher.matches(labels)))
      .map(({ silence }) => silence.id);
  }

  list(nowMs: number): SilenceInForce[] {
    return [...this.#known.values()].map(({ silence }) => ({ silence, state: silenceState(silence, nowMs) }));
  }

  /** Forgets those that ended long ago. */
  prune(nowMs: number): void {
    for (const [id, { silence }] of this.#known)
      if (silence.endsAt !== null && silence.endsAt < nowMs - keepEndedMs) this.#known.delete(id);
  }

  #update(nowMs: number): void {
    const known = [...this.#known.values()];
    this.#updatedAtMs = nowMs;
    this.#active = known.filter(({ silence }) => silenceState(silence, nowMs) === 'active');
    this.#changesAtMs = Math.min(Infinity, ...known.map(({ silence }) => nextChangeMs(silence, nowMs)));
  }
}

/** One that this version cannot read must not silence more than it says: without it the silence would match too much. */
function readMatcher(text: string): Matcher[] {
  try {
    return [parseMatcher(text)];
  } catch {
    return [{ label: '', operator: '=', value: text, matches: () => false }];
  }
}
