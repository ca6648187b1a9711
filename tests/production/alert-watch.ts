import assert from 'node:assert/strict';
import type { PrometheusServer } from '../../infra/monitoring/testing/prometheus-server.ts';

/** Which alerts a Prometheus has fired, phase by phase. */
export class AlertWatch {
  readonly #prometheus: PrometheusServer;
  #since = performance.now();

  constructor(prometheus: PrometheusServer) {
    this.#prometheus = prometheus;
  }

  /** Ends a phase, in which `must` have fired, and none but these and those that `may`; returns them. */
  async assertFired(
    phase: string,
    must: readonly string[],
    may: readonly string[] = [],
  ): Promise<readonly string[]> {
    const now = performance.now();
    const fired = await this.#prometheus.firedWithin((now - this.#since) / 1000);
    this.#since = now;
    assert.deepEqual(
      [...fired].filter((name) => !must.includes(name) && !may.includes(name)),
      [],
      `alerts that must not fire ${phase}`,
    );
    assert.deepEqual(
      must.filter((name) => !fired.has(name)),
      [],
      `alerts that must fire ${phase}`,
    );
    return [...fired].sort();
  }
}
