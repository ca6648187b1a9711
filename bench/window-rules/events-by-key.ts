import type { FilterSubject } from '../../libs/filter/src/index.ts';
import type { WindowRule } from '../../libs/rules/src/index.ts';

/** The textbook's sliding window: each key keeps the times of its events, and whoever judges counts those that are young enough. */
export class EventsByKey {
  readonly #rules: readonly WindowRule[];
  readonly #windowMs: number;
  readonly #threshold: number;
  readonly #times: Map<string, { times: number[]; firing: boolean }>[];

  constructor(rules: readonly WindowRule[], windowMs: number, threshold: number) {
    this.#rules = rules;
    this.#windowMs = windowMs;
    this.#threshold = threshold;
    this.#times = rules.map(() => new Map<string, { times: number[]; firing: boolean }>());
  }

  get keys(): number {
    return this.#times.reduce((sum, { size }) => sum + size, 0);
  }

  add(subject: FilterSubject, atMs: number): void {
    this.#rules.forEach((rule, i) => {
      if (!rule.when(subject)) return;
      const [key] = rule.by[0]!.values(subject);
      if (key === undefined) return;
      const known = this.#times[i]!.get(key);
      if (known === undefined) this.#times[i]!.set(key, { times: [atMs], firing: false });
      else known.times.push(atMs);
    });
  }

  /** Returns how many keys begin to fire. */
  judge(atMs: number): number {
    let fired = 0;
    for (const byKey of this.#times)
      for (const [key, state] of byKey) {
        state.times = state.times.filter((time) => time >= atMs - this.#windowMs);
        const isOver = state.times.length >= this.#threshold;
        if (isOver && !state.firing) fired++;
        state.firing = isOver;
        if (state.times.length === 0) byKey.delete(key);
      }
    return fired;
  }
}
