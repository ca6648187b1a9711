import { queueCount } from '../generator/queue-count.ts';
import { viewerProcesses } from '../generator/viewer-processes.ts';
import { openTraffic } from '../traffic/open-traffic.ts';
import type { Traffic } from '../traffic/traffic.ts';
import { isProxyFault } from '../scenario/fault-plan.ts';
import { Ramp } from '../scenario/ramp.ts';
import type { EventsPlan, Scenario, ViewerKind } from '../scenario/scenario.ts';
import { generatorCosts } from './generator-costs.ts';

export interface Estimate {
  seconds: number;
  viewers: number;
  events: number;
  /** Each event goes to the viewers who watch it. */
  deliveries: number;
  mostDeliveriesPerSecond: number;
  /** Of the generator: viewers, and one that sends. */
  processes: number;
  /** Connections of one process of viewers. */
  openFiles: number;
  /** Of the proxy that faults of connections need; 0: there is none. */
  proxyFiles: number;
  /** Sockets of the generator: of viewers, and of the sender. */
  sockets: number;
  /** Resident in its processes, and of the kernel for its ends of connections; by measured coefficients. */
  memoryBytes: number;
  kernelBytes: number;
  /** That its viewers keep busy at the peak of deliveries or of connections. */
  cores: number;
}

/** What a run of the scenario will take. */
export function estimate(scenario: Scenario, viewersPerProcess: number): Estimate {
  const { viewers, events } = scenario;
  const watching = new Ramp(viewers.stages);
  const sending = new Ramp(events.stages);
  const total = viewers.mix.reduce((sum, { weight }) => sum + weight, 0);
  const traffic = openTraffic(sampledRun, events);
  const watched = viewers.mix.reduce(
    (sum, kind) => sum + (kind.weight / total) * shareOf(kind, events, traffic),
    0,
  );
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
  const most = Math.ceil(watching.peak);
  const proxyFiles = proxyFilesOf(scenario, most);
  const { processBytes, viewerBytes, proxiedBytes, deliveryMicros, connectMicros } = generatorCosts;
  const proxyBytes = proxyFiles === 0 ? 0 : processBytes + most * proxiedBytes;
  return {
    seconds,
    viewers: most,
    events: Math.floor(sending.total),
    deliveries: Math.round(deliveries),
    mostDeliveriesPerSecond: Math.round(mostDeliveries),
    processes: processes + 1,
    openFiles: Math.ceil(watching.peak / processes),
    proxyFiles,
    sockets: most + proxyFiles + queueCount,
    memoryBytes: (processes + 1) * processBytes + most * viewerBytes + proxyBytes,
    kernelBytes: (most + proxyFiles) * generatorCosts.kernelBytes,
    cores: Math.max(mostDeliveries * deliveryMicros, mostConnects(watching) * connectMicros) / 1e6,
  };
}

/** Open files of the proxy: both ends of each connection through it. */
function proxyFilesOf({ faults }: Scenario, viewers: number): number {
  const isProxied = faults.some((fault) => isProxyFault(fault) && !('on' in fault && fault.on === 'sender'));
  return isProxied ? 2 * viewers : 0;
}

/** Of any second of a ramp: those that it adds. */
function mostConnects(watching: Ramp): number {
  let most = 0;
  for (let at = 0; at < watching.seconds; at++)
    most = Math.max(most, watching.valueAt(at + 1) - watching.valueAt(at));
  return most;
}

const sampledRun = '000000000000';
const sampledEvents = 2_000;
const sampledViewers = 20;

/** Which share of the events such a viewer gets on average; where nobody says it, by a sample of both. */
function shareOf(kind: ViewerKind, { traffic: profile, replay }: EventsPlan, traffic: Traffic): number {
  if (kind.watch === 'service' && replay === undefined) return 1 / profile.services;
  if (kind.watch === 'errors' && replay === undefined) return profile.errorShare;
  let matching = 0;
  for (let viewer = 0; viewer < sampledViewers; viewer++) {
    const watch = traffic.watchOf(kind, viewer);
    if (watch.kind === 'all') return 1;
    for (let n = viewer; n < sampledEvents; n += sampledViewers) if (traffic.matches(watch, n)) matching++;
  }
  return matching / sampledEvents;
}
