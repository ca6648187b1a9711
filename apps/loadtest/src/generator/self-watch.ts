import { monitorEventLoopDelay } from 'node:perf_hooks';

/** Watches what this process itself takes, since the previous look: a generator at its limit measures itself. */
export class SelfWatch {
  readonly #delay = monitorEventLoopDelay({ resolution: 10 });
  #cpu = process.cpuUsage();
  #at = performance.now();

  constructor() {
    this.#delay.enable();
  }

  /** `cpu`: share of a core, 1 is a whole one. */
  look(): { cpu: number; loopDelayP99Ms: number } {
    const cpu = process.cpuUsage(this.#cpu);
    const now = performance.now();
    const share = (cpu.user + cpu.system) / 1000 / Math.max(1, now - this.#at);
    // The sampling interval is part of what it measures.
    const p99 = Math.max(0, this.#delay.percentile(99) / 1e6 - 10);
    this.#cpu = process.cpuUsage();
    this.#at = now;
    this.#delay.reset();
    return { cpu: share, loopDelayP99Ms: p99 };
  }
}
