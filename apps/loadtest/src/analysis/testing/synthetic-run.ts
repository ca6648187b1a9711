import type { Incident, Second, StageResult } from '../../result.ts';
import type { Measured } from '../../verdict/measured.ts';
import { sampleRun, second } from '../../verdict/testing/sample-run.ts';

/** A calm run of which some seconds are otherwise. */
export function syntheticRun(
  seconds: number,
  change: (atS: number) => Partial<Second> = () => ({}),
  incidents: readonly Omit<Incident, 'address'>[] = [],
): Measured {
  const timeline = Array.from({ length: seconds }, (_, atS) => second(atS, 20, change(atS)));
  const stage: StageResult = {
    name: 'steady',
    fromS: 0,
    toS: seconds,
    viewers: { atStart: 1000, atEnd: 1000 },
    eventsSent: 0,
    deliveries: 0,
    deliveryLatency: sampleRun([]).delivery.latency,
    connectLatency: sampleRun([]).delivery.latency,
  };
  const run = sampleRun([]);
  return {
    ...run,
    timeline,
    durationS: seconds,
    stages: [stage],
    incidents: incidents.map((incident) => ({ ...incident, address: null })),
    delivery: {
      ...run.delivery,
      expected: timeline.reduce((sum, { due, viewers }) => sum + due * viewers, 0),
    },
  };
}

export function during<T>(fromS: number, toS: number, change: T): (atS: number) => T | Record<string, never> {
  return (atS) => (atS >= fromS && atS < toS ? change : {});
}
