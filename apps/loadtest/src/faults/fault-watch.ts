import { epochMs } from '../clock.ts';
import type { FaultResult } from '../result.ts';
import { Ramp } from '../scenario/ramp.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { AlertWatch, alertsOf } from './alert-watch.ts';
import type { FaultOptions } from './check-faults.ts';
import type { InjectedFault } from './fault-injection.ts';
import { observeFaults, type Readings } from './observe-fault.ts';
import { ReadinessWatch } from './readiness-watch.ts';
import { lossesIn, type MissingEvents } from './fault-losses.ts';
import { TenthsTotal } from './tenths.ts';

/** Reads what faults change, as a run goes on. */
export class FaultWatch implements Disposable {
  readonly viewers = new TenthsTotal();
  readonly sender = new TenthsTotal();
  readonly #scenario: Scenario;
  readonly #readiness: ReadinessWatch;
  readonly #alerts: AlertWatch;
  #startsAtMs = Infinity;

  constructor(
    scenario: Scenario,
    url: string,
    sources: Pick<FaultOptions, 'prometheusUrl' | 'alertmanagerUrl'>,
  ) {
    this.#scenario = scenario;
    const nowS = (): number => (epochMs() - this.#startsAtMs) / 1_000;
    this.#readiness = new ReadinessWatch(url, nowS);
    this.#alerts = new AlertWatch(sources, nowS);
  }

  /** Throws LoadtestError `target-unavailable` where nobody says which alerts fire. */
  async open(): Promise<void> {
    if (this.#scenario.faults.length === 0) return;
    await this.#alerts.begin();
    await this.#readiness.begin();
  }

  /** Time 0 of the scenario is then, in ms since 1970. */
  begin(startsAtMs: number): void {
    this.#startsAtMs = startsAtMs;
  }

  /** What became of each fault; they are in the order of their starts. `missing`: what is known at the end of the run. */
  results(faults: readonly InjectedFault[], missing?: MissingEvents): FaultResult[] {
    const observed = observeFaults(faults, this.#readings());
    const alerts = alertsOf(faults, this.#alerts.alerts);
    return faults.map(({ plan: { kind }, startedS, endedS, undone, detail }, i) => ({
      kind,
      startedS,
      endedS,
      ...observed[i]!,
      missing: lossesIn(startedS, observed[i]!.recoveredS ?? endedS, missing),
      alerts: alerts[i]!,
      detail,
      undone,
    }));
  }

  [Symbol.dispose](): void {
    this.#readiness[Symbol.dispose]();
    this.#alerts[Symbol.dispose]();
  }

  #readings(): Readings {
    const { viewers, events } = this.#scenario;
    const watching = new Ramp(viewers.stages);
    const sending = new Ramp(events.stages);
    return {
      viewers: this.viewers.all,
      sender: this.sender.all,
      readiness: this.#readiness.answers,
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
