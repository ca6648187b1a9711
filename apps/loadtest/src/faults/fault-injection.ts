import { epochMs } from '../clock.ts';
import type { FaultResult } from '../result.ts';
import type { FaultPlan, Scenario } from '../scenario/scenario.ts';
import { observeFaults, type Readings } from './observe-fault.ts';

interface Injected {
  plan: FaultPlan;
  startedS: number;
  endedS: number;
}

/** Makes the faults of a scenario at their times. */
export class FaultInjection implements Disposable {
  readonly #injected: Injected[] = [];
  readonly #timers: NodeJS.Timeout[];

  /** `cut` ends the connections of a share of the viewers. */
  constructor({ faults }: Scenario, startsAtMs: number, cut: (share: number) => void) {
    const nowS = (): number => (epochMs() - startsAtMs) / 1_000;
    this.#timers = faults.map((plan) =>
      setTimeout(
        () => {
          cut(plan.share);
          this.#injected.push({ plan, startedS: nowS(), endedS: nowS() });
        },
        Math.max(0, (plan.atSeconds - nowS()) * 1_000),
      ),
    );
  }

  /** The faults that were made, with what was seen of them. */
  results(readings: Readings): FaultResult[] {
    const made = this.#injected.toSorted((a, b) => a.startedS - b.startedS);
    const observed = observeFaults(made, readings);
    return made.map(({ plan: { kind, share }, startedS, endedS }, i) => ({
      kind,
      startedS,
      endedS,
      ...observed[i]!,
      detail: `${Math.round(share * 100)} % of the viewers lost their connection`,
      undone: true,
    }));
  }

  [Symbol.dispose](): void {
    this.#timers.forEach(clearTimeout);
  }
}
