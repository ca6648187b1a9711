import type { RuleSet } from '../parse-rules.ts';
import { keyOfChange, type OrderedChange } from './window-evaluator.ts';

/** An alert that would have fired, from one time to another (RFC 3339); without an end it still fires. */
export interface FiredAlert {
  key: Record<string, string>;
  from: string;
  to?: string;
  value?: number;
  /** Correlation ids, or the ids of events that have none. */
  examples: string[];
}

export interface WindowTrial {
  name: string;
  /** Such as `count >= 20 in 5m`. */
  condition: string;
  alerts: FiredAlert[];
}

/** Collects the alerts that fire. */
export class FiredAlerts {
  readonly #byRule = new Map<string, FiredAlert[]>();
  readonly #open = new Map<string, FiredAlert>();

  take(changes: Iterable<OrderedChange>): void {
    for (const change of changes) this.#take(change);
  }

  byRule({ windows }: RuleSet): WindowTrial[] {
    return windows.map(({ name, conditionText }) => ({
      name,
      condition: conditionText,
      alerts: this.#byRule.get(name) ?? [],
    }));
  }

  #take(change: OrderedChange): void {
    const { rule, state, atMs, value, examples } = change;
    const key = keyOfChange(change);
    const id = JSON.stringify([rule.name, key]);
    if (state === 'resolved') {
      const alert = this.#open.get(id);
      if (alert !== undefined) alert.to = new Date(atMs).toISOString();
      this.#open.delete(id);
    } else if (state === 'firing') {
      const alert: FiredAlert = {
        key,
        from: new Date(atMs).toISOString(),
        ...(value === null ? {} : { value }),
        examples: [...examples],
      };
      this.#open.set(id, alert);
      const alerts = this.#byRule.get(rule.name);
      if (alerts === undefined) this.#byRule.set(rule.name, [alert]);
      else alerts.push(alert);
    }
  }
}
