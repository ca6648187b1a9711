import { viewerProcesses } from '../generator/viewer-processes.ts';
import { Ramp } from '../scenario/ramp.ts';
import type { Scenario } from '../scenario/scenario.ts';

export interface Estimate {
  seconds: number;
  viewers: number;
  events: number;
  /** Each event goes to the viewers who watch it. */
  deliveries: number;
  mostDeliveriesPerSecond: number;
  /** Of the generator: viewers, and one that sends. */
  processes: number;
  openFiles: number;
}

/** What a run of the scenario will take. */
export function estimate({ viewers, events }: Scenario, viewersPerProcess: number): Estimate {
  const watching = new Ramp(viewers.stages);
  const sending = new Ramp(events.stages);
  const total = viewers.mix.reduce((sum, { weight }) => sum + weight, 0);
  const shares = { all: 1, service: 1 / events.traffic.services, errors: events.traffic.errorShare };
  const watched = viewers.mix.reduce((sum, { weight, watch }) => sum + (weight / total) * shares[watch], 0);
  const seconds = Math.max(watching.seconds, sending.seconds);
  let deliveries = 0;
  let mostDeliveries = 0;
  // By the viewers of each second's middle.
  for (let at = 0; at < sending.seconds; at++) {
    const events = sending.integral(at + 1) - sending.integral(at);
    const ofSecond = events * watching.valueAt(at + 0.5) * watched;
    deliveries += ofSecond;
    mostDeliveries = Math.max(mostDeliveries, ofSecond);
  }
  const processes = viewerProcesses(watching.peak, mostDeliveries, viewersPerProcess);
  return {
    seconds,
    viewers: Math.ceil(watching.peak),
    events: Math.floor(sending.total),
    deliveries: Math.round(deliveries),
    mostDeliveriesPerSecond: Math.round(mostDeliveries),
    processes: processes + 1,
    openFiles: Math.ceil(watching.peak / processes),
  };
}
