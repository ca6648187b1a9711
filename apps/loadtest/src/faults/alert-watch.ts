import { LoadtestError } from '../errors.ts';
import type { FaultAlert } from '../result.ts';

interface Source {
  url: string;
  parse: (body: unknown) => { name: string; severity: string | null; key: string }[];
}

const timeoutMs = 5_000;

/** Reads which alerts fire, about once a second, from Prometheus or Alertmanager. */
export class AlertWatch implements Disposable {
  readonly #sources: readonly Source[];
  readonly #nowS: () => number;
  readonly #seen = new Map<string, FaultAlert>();
  readonly #firing = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(
    {
      prometheusUrl,
      alertmanagerUrl,
    }: { prometheusUrl: string | undefined; alertmanagerUrl: string | undefined },
    nowS: () => number,
  ) {
    this.#nowS = nowS;
    this.#sources = [
      ...(prometheusUrl === undefined
        ? []
        : [{ url: under(prometheusUrl, 'api/v1/alerts'), parse: ofPrometheus }]),
      ...(alertmanagerUrl === undefined
        ? []
        : [{ url: under(alertmanagerUrl, 'api/v2/alerts'), parse: ofAlertmanager }]),
    ];
  }

  /** Those that began to fire since begin(); null: nobody was asked. */
  get alerts(): readonly FaultAlert[] | null {
    return this.#sources.length === 0 ? null : [...this.#seen.values()].filter(({ firedS }) => firedS >= 0);
  }

  /** Throws LoadtestError `target-unavailable` where a source does not respond. */
  async begin(): Promise<void> {
    if (this.#sources.length === 0) return;
    await this.#look();
    const again = (): void => {
      this.#timer = setTimeout(() => {
        // One that does not respond for a while, under a fault, is asked again.
        void this.#look()
          .catch(() => {})
          .then(() => this.#isOver || again());
      }, 1_000);
    };
    again();
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  async #look(): Promise<void> {
    const firing = new Map<string, { name: string; severity: string | null }>();
    for (const { url, parse } of this.#sources) {
      try {
        const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
        if (!response.ok) throw new Error(`status ${response.status}`);
        for (const { key, ...alert } of parse(await response.json())) firing.set(key, alert);
      } catch (error) {
        throw new LoadtestError(
          'target-unavailable',
          `${url} does not say which alerts fire (${(error as Error).message})`,
          {
            cause: error,
          },
        );
      }
    }
    const atS = this.#nowS();
    for (const [key, alert] of firing) {
      if (this.#firing.has(key)) continue;
      this.#firing.add(key);
      this.#seen.set(`${key} ${atS}`, { ...alert, firedS: atS, resolvedS: null });
    }
    for (const key of this.#firing) {
      if (firing.has(key)) continue;
      this.#firing.delete(key);
      for (const [seen, alert] of this.#seen)
        if (seen.startsWith(`${key} `) && alert.resolvedS === null) alert.resolvedS = atS;
    }
  }
}

/** The alerts of each fault: those that began to fire while it was in force, or after it and before the next one. */
export function alertsOf(
  faults: readonly { startedS: number; endedS: number }[],
  alerts: readonly FaultAlert[] | null,
): (FaultAlert[] | null)[] {
  return faults.map((fault, i) => {
    if (alerts === null) return null;
    const next = faults.slice(i + 1).find(({ startedS }) => startedS > fault.startedS)?.startedS ?? Infinity;
    return alerts.filter(({ firedS }) => firedS >= fault.startedS && firedS < Math.max(next, fault.endedS));
  });
}

/** Source: prometheus.io/docs/prometheus/latest/querying/api/#alerts. */
function ofPrometheus(body: unknown): ReturnType<Source['parse']> {
  const { data } = body as { data: { alerts: { state: string; labels: Record<string, string> }[] } };
  return data.alerts.filter(({ state }) => state === 'firing').map(({ labels }) => named(labels));
}

/** Source: Alertmanager's api/v2/openapi.yaml. A silenced one is suppressed, and fires nevertheless. */
function ofAlertmanager(body: unknown): ReturnType<Source['parse']> {
  return (body as { labels: Record<string, string> }[]).map(({ labels }) => named(labels));
}

function named(labels: Record<string, string>): { name: string; severity: string | null; key: string } {
  const { alertname: name = 'unnamed', severity = null } = labels;
  return { name, severity, key: JSON.stringify(Object.entries(labels).sort()) };
}

function under(base: string, path: string): string {
  return new URL(path, base.endsWith('/') ? base : `${base}/`).href;
}
