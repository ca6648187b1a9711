import type { UnitCosts } from './unit-costs.ts';
import type { Audience, Workload } from './workload.ts';

/** What a plan needs. Cores are those that are busy all the time. */
export interface Demand {
  nodes: number;
  routers: number;
  routerCores: number;
  /** Of all nodes: taking events in, and writing to viewers. */
  readCores: number;
  writeCores: number;
  /** Of the busiest node. */
  busiestCores: number;
  /** What all nodes receive, of the log or of routers. */
  mibPerSecond: number;
}

/** A process is planned to be busy for so much of a core; the rest is for peaks and for coming back. */
export const plannedShare = 0.6;
/** A viewer gets at most so many frames a second: a busy filter is flushed less often, many events to a frame. */
const framesPerSecond = 4;
/** A viewer is sent at most so many events a second; past it the stream is sampled, with exact counts. */
export const eventsPerSecond = 200;
/** The least viewers for which a node exists: memory and connections, see live-connections.ts. */
const viewersPerNode = 15_000;

/** Every node reads the whole log, as today. Undefined: reading alone takes a node's time, however many nodes there are. */
export function wholeLog(
  workload: Workload,
  audiences: readonly Audience[],
  costs: UnitCosts,
): Demand | undefined {
  const { decodeMicros, matchMicros, encodeMicros, eventBytes } = costs;
  // Viewers are spread evenly: each node has some of every large audience, and encodes for it.
  const readMicros =
    workload.rate * (decodeMicros + matchMicros) + encodedRate(audiences, workload.rate) * encodeMicros;
  const readCores = readMicros / 1e6;
  if (readCores >= plannedShare) return undefined;
  const writeCores = writes(audiences, costs);
  const nodes = Math.max(
    Math.ceil(workload.viewers / viewersPerNode),
    Math.ceil(writeCores / (plannedShare - readCores)),
  );
  return {
    nodes,
    routers: 0,
    routerCores: 0,
    readCores: readCores * nodes,
    writeCores,
    busiestCores: readCores + writeCores / nodes,
    mibPerSecond: (workload.rate * eventBytes * nodes) / 2 ** 20,
  };
}

/**
 * Routers read a share of the partitions each, find the filters that match, encode the event once and send it to the nodes that have
 * viewers for it. `byKey`: an audience stands on as few nodes as hold it, else viewers are spread over all nodes evenly.
 */
export function routed(
  workload: Workload,
  audiences: readonly Audience[],
  costs: UnitCosts,
  byKey: boolean,
): Demand {
  const writeCores = writes(audiences, costs);
  const relay = (events: number): number =>
    (events * costs.eventBytes * costs.relayMicrosPerKib) / 1024 / 1e6;
  let nodes = Math.max(Math.ceil(workload.viewers / viewersPerNode), Math.ceil(writeCores / plannedShare));
  // Taking events in leaves less for writing, so that there are more nodes, which take more in: a few steps settle it.
  for (let step = 0; ; step++) {
    const placed = byKey ? placeByKey(audiences, nodes, costs) : spread(audiences, nodes, costs);
    const busiestCores = Math.max(...placed.map(({ events, cores }) => relay(events) + cores));
    if (busiestCores > plannedShare && step < 50) {
      nodes = Math.ceil(nodes * 1.1);
      continue;
    }
    const sent = placed.reduce((sum, { events }) => sum + events, 0);
    const routerCores =
      (workload.rate * (costs.decodeMicros + costs.matchMicros) +
        encodedRate(audiences, workload.rate) * costs.encodeMicros) /
        1e6 +
      relay(sent);
    return {
      nodes,
      routers: Math.ceil(routerCores / plannedShare),
      routerCores,
      readCores: relay(sent),
      writeCores,
      busiestCores,
      mibPerSecond: (sent * costs.eventBytes) / 2 ** 20,
    };
  }
}

interface NodeLoad {
  /** Events a second that it is sent. */
  events: number;
  /** For writing. */
  cores: number;
}

/** Whoever has at least as many viewers as there are nodes has some on each; the others stand where chance puts them. */
function spread(audiences: readonly Audience[], nodes: number, costs: UnitCosts): NodeLoad[] {
  const loads = Array.from({ length: nodes }, () => ({ events: 0, cores: 0 }));
  audiences.forEach((audience, n) => {
    const on = Math.min(nodes, audience.viewers);
    for (let node = 0; node < on; node++) {
      const load = loads[(n + node) % nodes]!;
      load.events += sentRate(audience);
      load.cores += writes([audience], costs) / on;
    }
  });
  return loads;
}

/** The largest first, each on the node with the least to do; one that is too large for a node is cut. Audiences of a key share what they are sent. */
function placeByKey(audiences: readonly Audience[], nodes: number, costs: UnitCosts): NodeLoad[] {
  const byKey = new Map<string, { cores: number; events: number }>();
  audiences.forEach((audience, n) => {
    const key = audience.key ?? `any ${n}`;
    const group = byKey.get(key) ?? { cores: 0, events: 0 };
    group.cores += writes([audience], costs);
    // Errors of a service are among its events.
    group.events = Math.max(group.events, sentRate(audience));
    byKey.set(key, group);
  });
  const loads = Array.from({ length: nodes }, () => ({ events: 0, cores: 0 }));
  const mostCores = plannedShare / 2;
  const groups = [...byKey.values()].sort((a, b) => b.cores - a.cores);
  let next = 0;
  for (const { cores, events } of groups) {
    const pieces = Math.max(1, Math.ceil(cores / mostCores));
    for (let piece = 0; piece < pieces; piece++) {
      // Of a few nodes by turns the one with the least: a heap would find the same.
      let target = loads[next++ % nodes]!;
      for (let tries = 0; tries < 8; tries++) {
        const candidate = loads[next++ % nodes]!;
        if (candidate.cores < target.cores) target = candidate;
      }
      target.cores += cores / pieces;
      target.events += events;
    }
  }
  return loads;
}

/** What an audience's viewers are sent: a router samples a busy stream once for all of them, and counts the rest. */
function sentRate({ rate }: Audience): number {
  return Math.min(rate, eventsPerSecond);
}

function writes(audiences: readonly Audience[], costs: UnitCosts): number {
  let frames = 0;
  for (const { viewers, rate } of audiences) frames += viewers * Math.min(rate, framesPerSecond);
  return (frames * costs.writeMicros) / 1e6;
}

/** Events a second that somebody is sent: each is written as JSON once. */
function encodedRate(audiences: readonly Audience[], rate: number): number {
  const sent = audiences.reduce((sum, audience) => sum + sentRate(audience), 0);
  return Math.min(rate, sent);
}
