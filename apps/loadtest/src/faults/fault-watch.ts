import { Ramp } from '../scenario/ramp.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { Readings } from './observe-fault.ts';
import { TenthsTotal } from './tenths.ts';

/** Reads what faults change, as a run goes on. */
export class FaultWatch {
  readonly viewers = new TenthsTotal();
  readonly sender = new TenthsTotal();
  readonly #scenario: Scenario;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
  }

  readings(): Readings {
    const { viewers, events } = this.#scenario;
    const watching = new Ramp(viewers.stages);
    const sending = new Ramp(events.stages);
    return {
      viewers: this.viewers.all,
      sender: this.sender.all,
      readiness: [],
      untilS: Math.max(watching.seconds, sending.seconds),
      due: (fromS, toS) => sending.integral(toS) - sending.integral(Math.max(0, fromS)),
      mayBeAbsent: (atS) => {
        const now = watching.valueAt(atS);
        // Those that came within the last second may still be connecting, and those that churn are between two connections.
        const added = Math.max(0, now - watching.valueAt(Math.max(0, atS - 1)));
        return Math.ceil(added + 2 * (viewers.churn?.share ?? 0) * now);
      },
    };
  }
}
