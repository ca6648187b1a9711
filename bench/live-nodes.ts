/**
 * What would a million viewers and a million events a second take? A simulation: unit costs are measured in this run with the live
 * tier's own code, and three plans of nodes are computed from them, beside each other: every node reads the whole log (as today); routers
 * read it and send each event to the nodes that have viewers for it, with viewers spread evenly; the same with viewers placed by what their
 * filter demands. docs/adr/0035-partitioned-fan-out.md has the plan. It is no measurement of such a cluster: the model is in nodes/workload.ts and nodes/plans.ts.
 *
 *     node bench/live-nodes.ts
 */
import { printConditions } from './conditions.ts';
import { eventsPerSecond, plannedShare, routed, wholeLog, type Demand } from './nodes/plans.ts';
import { measureUnitCosts } from './nodes/unit-costs.ts';
import { audiencesOf, type Workload } from './nodes/workload.ts';

const workloads: Workload[] = [
  { viewers: 10_000, rate: 1_000, services: 100 },
  { viewers: 100_000, rate: 10_000, services: 300 },
  { viewers: 100_000, rate: 100_000, services: 1_000 },
  { viewers: 1_000_000, rate: 100_000, services: 1_000 },
  { viewers: 1_000_000, rate: 1_000_000, services: 3_000 },
];
const distinctFilters = 2_000;

printConditions(
  `unit costs with ${distinctFilters} filters, kernel included; processes are planned to be busy for ${plannedShare} of a core; at most ${eventsPerSecond} events/s a viewer`,
);
const costs = await measureUnitCosts(distinctFilters);
const { decodeMicros, matchMicros, encodeMicros, writeMicros, relayMicrosPerKib, eventBytes } = costs;
console.log(
  `an event: decode ${decodeMicros.toFixed(2)} µs, match ${matchMicros.toFixed(2)}, encode ${encodeMicros.toFixed(2)} (${eventBytes} bytes); a write ${writeMicros.toFixed(1)} µs; a relayed KiB ${relayMicrosPerKib.toFixed(2)} µs\n`,
);
console.log(
  'viewers   events/s  plan                nodes routers  cores: route    read   write  whole   busiest node: cores  all nodes: MiB/s in',
);
for (const workload of workloads) {
  const audiences = audiencesOf(workload);
  const today = wholeLog(workload, audiences, costs);
  print(workload, 'whole log', today);
  print(workload, 'routed, spread', routed(workload, audiences, costs, false));
  print(workload, 'routed, by filter', routed(workload, audiences, costs, true));
}

function print({ viewers, rate }: Workload, plan: string, demand: Demand | undefined): void {
  const start = `${String(viewers).padEnd(9)} ${String(rate).padEnd(9)} ${plan.padEnd(19)}`;
  if (demand === undefined) {
    console.log(`${start} impossible: reading and matching alone take more than a node has`);
    return;
  }
  const { nodes, routers, routerCores, readCores, writeCores, busiestCores, mibPerSecond } = demand;
  const whole = routerCores + readCores + writeCores;
  const cells = [
    String(nodes).padStart(5),
    String(routers).padStart(7),
    routerCores.toFixed(1).padStart(13),
    readCores.toFixed(1).padStart(7),
    writeCores.toFixed(1).padStart(7),
    whole.toFixed(1).padStart(6),
    busiestCores.toFixed(2).padStart(21),
    mibPerSecond.toFixed(1).padStart(20),
  ];
  console.log(`${start} ${cells.join(' ')}`);
}
