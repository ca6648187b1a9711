import { epochMs } from '../clock.ts';
import {
  describeFault,
  isKeptFault,
  isProxyFault,
  type FaultPlan,
  type FaultSide,
  type ProxyFault,
} from '../scenario/fault-plan.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { processNames, type FaultOptions, type FaultTarget } from './check-faults.ts';
import { KeeperProcess } from './keeper/keeper-process.ts';
import { ProxyProcess, type ProxySecond } from './proxy/proxy-process.ts';

/** A fault that was made, or was to be made. */
export interface InjectedFault {
  plan: FaultPlan;
  startedS: number;
  endedS: number;
  undone: boolean;
  detail: string;
}

/** What the generator itself does for a fault. */
export interface GeneratorFaults {
  cut: (share: number) => void;
  /** From now on timestamps are off by so much. */
  setClock: (offsetMs: number) => void;
  onProxySecond: (figures: ProxySecond) => void;
}

/** Makes the faults of a scenario at their times and undoes them. */
export class FaultInjection implements AsyncDisposable {
  readonly #scenario: Scenario;
  readonly #generator: GeneratorFaults;
  readonly #faults: InjectedFault[] = [];
  readonly #running = new Map<number, { stop: () => void; over: Promise<void> }>();
  #timers: NodeJS.Timeout[] = [];
  #startsAtMs = 0;
  #proxy: ProxyProcess | undefined;
  #keeper: KeeperProcess | undefined;
  #proxyProblem = '';

  constructor(scenario: Scenario, generator: GeneratorFaults) {
    this.#scenario = scenario;
    this.#generator = generator;
  }

  /** Starts what the scenario's faults need; resolves with the addresses at which viewers and sender connect. */
  async open(run: string, target: FaultTarget, options: FaultOptions): Promise<FaultTarget> {
    const { faults } = this.#scenario;
    if (faults.some(isKeptFault)) {
      this.#keeper = new KeeperProcess();
      const names = processNames(options, target);
      await this.#keeper.start({ run, folder: options.journalFolder, names, commands: options.commands });
    }
    const sides = new Set(faults.filter(isProxyFault).map(sideOf));
    if (sides.size === 0) return target;
    this.#proxy = new ProxyProcess({
      onSecond: this.#generator.onProxySecond,
      onEnd: (reason) => (this.#proxyProblem = reason),
    });
    return { ...target, ...(await this.#proxy.start(target, [...sides])) };
  }

  /** What was made so far, in the order of the starts. */
  get injected(): InjectedFault[] {
    return this.#faults.toSorted((a, b) => a.startedS - b.startedS);
  }

  /** Of the processes that it runs. */
  get pids(): number[] {
    return this.#proxy === undefined ? [] : [this.#proxy.pid];
  }

  /** Makes each fault at its time; time 0 is at `startsAtMs` since 1970. */
  begin(startsAtMs: number): void {
    this.#startsAtMs = startsAtMs;
    this.#proxy?.begin(startsAtMs);
    this.#timers = this.#scenario.faults.map((plan, id) =>
      setTimeout(() => this.#inject(id, plan), Math.max(0, (plan.atSeconds - this.#nowS()) * 1_000)),
    );
  }

  /** Undoes what is in force, makes no more, and resolves with what was made, in the order of their starts. */
  async finish(): Promise<InjectedFault[]> {
    this.#timers.forEach(clearTimeout);
    for (const { stop } of this.#running.values()) stop();
    await Promise.all([...this.#running.values()].map(({ over }) => over));
    return this.injected;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.finish();
    await this.#keeper?.close();
    this.#proxy?.[Symbol.dispose]();
  }

  #inject(id: number, plan: FaultPlan): void {
    const stopping = Promise.withResolvers<void>();
    const over = this.#make(id, plan, stopping.promise);
    this.#running.set(id, { stop: stopping.resolve, over });
    void over.then(() => this.#running.delete(id));
  }

  async #make(id: number, plan: FaultPlan, stopped: Promise<void>): Promise<void> {
    const startedS = this.#nowS();
    const { undone, detail } = await this.#perform(id, plan, stopped).catch((error: Error) => ({
      undone: true,
      detail: `not made: ${error.message}`,
    }));
    this.#faults.push({ plan, startedS, endedS: this.#nowS(), undone, detail });
  }

  async #perform(
    id: number,
    plan: FaultPlan,
    stopped: Promise<void>,
  ): Promise<{ undone: boolean; detail: string }> {
    const what = describeFault(plan);
    if (isProxyFault(plan)) return this.#disturb(id, plan, stopped);
    if (isKeptFault(plan)) {
      const keeper = this.#keeper!;
      const lasts = this.#lasts(plan, stopped);
      const problem = await keeper.begin(id, plan);
      if (problem !== null) throw new Error(problem);
      // A command without a duration is over when it ends.
      if (plan.kind === 'command' && plan.seconds === 0) await Promise.race([keeper.ended(id), stopped]);
      else await lasts;
      const { undone, detail } = await keeper.end(id);
      return { undone, detail: detail === '' ? what : `${what}; ${detail}` };
    }
    if (plan.kind === 'cut') {
      this.#generator.cut(plan.share);
      return { undone: true, detail: what };
    }
    this.#generator.setClock(plan.offsetMs);
    await this.#lasts(plan, stopped);
    this.#generator.setClock(0);
    return { undone: true, detail: what };
  }

  async #disturb(
    id: number,
    plan: ProxyFault,
    stopped: Promise<void>,
  ): Promise<{ undone: boolean; detail: string }> {
    const proxy = this.#proxy!;
    const side = sideOf(plan);
    if (this.#proxyProblem !== '') throw new Error(this.#proxyProblem);
    const connections = await proxy.disturb(id, side, plan);
    await this.#lasts(plan, stopped);
    proxy.restore(id, side);
    const detail = `${describeFault(plan)}: ${connections} connections at its start`;
    // Its end is that of all connections through it.
    return { undone: true, detail: [detail, this.#proxyProblem].filter(Boolean).join('; ') };
  }

  #lasts({ seconds }: FaultPlan, stopped: Promise<void>): Promise<void> {
    const lasted = Promise.withResolvers<void>();
    const timer = setTimeout(lasted.resolve, seconds * 1_000);
    return Promise.race([lasted.promise, stopped]).finally(() => clearTimeout(timer));
  }

  #nowS(): number {
    return (epochMs() - this.#startsAtMs) / 1_000;
  }
}

function sideOf(fault: ProxyFault): FaultSide {
  return 'on' in fault ? fault.on : 'viewers';
}
