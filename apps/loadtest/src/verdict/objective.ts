import { metrics, type Metric } from './metrics.ts';

/** What a run should keep. One of `atMost` and `atLeast`, in the metric's unit. */
export interface Objective {
  metric: string;
  atMost?: number;
  atLeast?: number;
  /** The metric's own where it is left out; another one is refused. */
  unit?: string;
}

/** What a scenario asks for, so that objectives are only set where the run can show them. */
export interface Asked {
  search: boolean;
  faults: boolean;
  /** Whether the target says of each event what became of it; default: it does. */
  acknowledges?: boolean;
  /** Viewers that stop reading, so that the target has to leave something out. */
  slowReaders?: boolean;
  /** Highest rates that the scenario reaches; left out where it does not ask for a rate. */
  connectsPerSecond?: number;
  deliveriesPerSecond?: number;
}

/** The objectives of a scenario that states none. */
export function defaultObjectives(asked: Asked): Objective[] {
  const zero = (metric: string): Objective => ({ metric, atMost: 0 });
  return [
    ...['lost', 'duplicated', 'disordered', 'corrupted', 'unexpected'].map(zero),
    ...(asked.acknowledges === false ? [] : [zero('ingest-unknown')]),
    ...(asked.slowReaders ? [zero('under-announced')] : []),
    ...(asked.search ? ['search-lost', 'search-duplicated', 'requests-broken'].map(zero) : []),
    zero('not-watching'),
    { metric: 'errors-percent', atMost: 0.1 },
    { metric: 'delivery-p95-ms', atMost: 100 },
    { metric: 'delivery-p99-ms', atMost: 200 },
    ...((asked.connectsPerSecond ?? 0) >= 500 ? [{ metric: 'connects-per-second', atLeast: 500 }] : []),
    ...((asked.deliveriesPerSecond ?? 0) >= 8000 ? [{ metric: 'deliveries-per-second', atLeast: 8000 }] : []),
    { metric: 'server-cpu-percent', atMost: 80 },
    ...(asked.faults ? [{ metric: 'recovery-s', atMost: 30 }] : []),
  ];
}

/** Everything that is wrong with objectives, a sentence each; none: they can be judged. */
export function objectiveProblems(objectives: readonly Objective[]): string[] {
  return objectives.flatMap(({ metric, atMost, atLeast, unit }) => {
    const known = metrics.find(({ name }) => name === metric);
    if (!known) return [`no metric ${metric}; there are ${metrics.map(({ name }) => name).join(', ')}`];
    const bounds = [atMost, atLeast].filter((bound) => bound !== undefined);
    return [
      ...(bounds.length === 1 && bounds.every(Number.isFinite)
        ? []
        : [`${metric} needs one of atMost and atLeast, a number`]),
      ...(unit === undefined || unit === known.unit ? [] : [`${metric} is in ${known.unit}, not ${unit}`]),
    ];
  });
}

export function metricNamed(name: string): Metric {
  const metric = metrics.find((each) => each.name === name);
  if (!metric) throw new RangeError(`no metric ${name}`);
  return metric;
}
