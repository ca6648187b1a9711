import type { Incident, IncidentKind } from '../result.ts';

/** Counts what goes wrong in a process within a second. */
export class IncidentCounter {
  readonly #counts = new Map<string, Incident>();

  add(kind: IncidentKind, reason: string, address: string | null = null, count = 1): void {
    const key = `${kind}\n${reason}\n${address}`;
    const known = this.#counts.get(key);
    if (known === undefined) this.#counts.set(key, { atS: 0, kind, reason, address, count });
    else known.count += count;
  }

  /** What was counted, as of that second; the next begins. */
  take(second: number): Incident[] {
    const counted = [...this.#counts.values()].map((incident) => ({ ...incident, atS: second }));
    this.#counts.clear();
    return counted;
  }
}
