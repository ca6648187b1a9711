import type { Analysis } from './analysis/analysis-result.ts';
import type { TargetKind } from './target/target.ts';

/**
 * What a run found, as `result.json` holds it and every report reads it. Times of the run are in seconds since its start, latencies in ms.
 */
export interface RunResult {
  /** Grows when a field changes its meaning; readers refuse a later one. */
  format: 1;
  /** Names the run; its events carry it in `attributes.loadtest.run`. */
  run: string;
  /** `churnShare`: of the viewers, which the scenario itself cuts again and again. */
  scenario: { name: string; description: string; churnShare?: number };
  /** `isHidden`: whether users of the target did not see the run's events; absent where nobody asked. `moreUrls`: viewers were spread over all. */
  target: { kind: TargetKind; url: string; moreUrls?: readonly string[]; isHidden?: boolean };
  /** RFC 3339. */
  startedAt: string;
  durationS: number;
  conditions: Conditions;
  stages: StageResult[];
  /** One entry for each second, in order. */
  timeline: Second[];
  /** What went wrong and when, by second. */
  incidents: Incident[];
  delivery: DeliveryResult;
  ingest: IngestResult;
  search: SearchResult | null;
  connections: ConnectionResult;
  faults: FaultResult[];
  generator: GeneratorResult;
  server: ServerResult | null;
  /** Null: the generator's machine does not tell; results of earlier versions have none. */
  resources?: ResourceResult | null;
  verdict: Verdict;
  /** Results of earlier versions have none. */
  analysis?: Analysis;
}

export interface Conditions {
  node: string;
  platform: string;
  cpuModel: string;
  cpuCount: number;
  memoryBytes: number;
  /** Load average of the last minute when the run began. */
  loadAverage: number;
}

/** Quantiles in ms; null where nothing was measured. */
export interface Latency {
  count: number;
  p50: number | null;
  p95: number | null;
  p99: number | null;
  p999: number | null;
  p9999: number | null;
  max: number | null;
}

/** What happened between two moments of the scenario. */
export interface StageResult {
  name: string;
  fromS: number;
  toS: number;
  viewers: { atStart: number; atEnd: number };
  eventsSent: number;
  deliveries: number;
  deliveryLatency: Latency;
  connectLatency: Latency;
}

export interface Second {
  atS: number;
  /** Connected and subscribed at its end. */
  viewers: number;
  /** Events whose intended time it was. */
  due: number;
  sent: number;
  acknowledged: number;
  deliveries: number;
  /** Bytes that viewers received, without the kernel's own. */
  receivedBytes: number;
  connects: number;
  connectFailures: number;
  disconnects: number;
  /** Of what was delivered in it; null where nothing was. */
  p50Ms: number | null;
  p95Ms: number | null;
  p99Ms: number | null;
  maxMs: number | null;
  /** Of the generator's processes, the highest share of a core; 1 is a whole core. */
  generatorCpu: number;
  /** Of all cores; null when the server's metrics could not be read. */
  serverCpu: number | null;
  serverMemoryBytes: number | null;
  /** Of the server's event loops, the longest delay (p99) and the highest share of the time in which one was busy. */
  serverLoopDelayMs: number | null;
  serverLoopShare: number | null;
}

export type IncidentKind =
  | 'connect-failed'
  | 'connection-lost'
  | 'send-failed'
  | 'announced'
  | 'duplicated'
  | 'disordered'
  | 'corrupted'
  | 'unexpected'
  | 'server-unreadable'
  | 'server-restarted'
  | 'server-disk-short'
  | 'generator-busy'
  | 'generator-late'
  | 'generator-paused'
  | 'machine-busy';

/** So many of a kind in one second. */
export interface Incident {
  atS: number;
  kind: IncidentKind;
  /** Has few values: a code, a status. */
  reason: string;
  /** From which the connection was made; null where it is not known or there was none. */
  address: string | null;
  count: number;
}

/** The first example of a kind of failure, so that it can be looked up. */
export interface Example {
  viewer: number;
  filter: string;
  /** Number of the event in the run, and its place in the log where the target tells it. */
  event: number | null;
  partition: number | null;
  offset: number | null;
  /** A viewer that resumes here sees the same part of the log. */
  cursor: string | null;
  atS: number;
  detail: string;
  /** The event's id at the target, and a command that prints it; null where the target has no search or does not find it. */
  id: string | null;
  lookUp: string | null;
}

/** For all viewers together: expected = received once + announced + lost + underAnnounced. */
export interface DeliveryResult {
  expected: number;
  received: number;
  /** Left out and announced by gaps or modes. */
  announced: number;
  /** At viewers to which nothing was announced. */
  lost: Finding;
  /** Missing beyond what gaps announced. */
  underAnnounced: Finding;
  duplicated: Finding;
  disordered: Finding;
  /** Content other than what was sent. */
  corrupted: Finding;
  /** Events that the viewer's filter does not match. */
  unexpected: Finding;
  /** Announced beyond what was missing. */
  overAnnounced: Finding;
  viewers: { checked: number; exact: number };
  latency: Latency;
}

export interface Finding {
  count: number;
  viewers: number;
  example: Example | null;
}

export interface IngestResult {
  /** By which the events went in; absent: the target is no Logloom, or the result is of an earlier version. */
  receivers?: readonly string[];
  /** False: a protocol tells nothing, and what was written to connections that were read to their end counts as acknowledged. Absent: true. */
  acknowledges?: boolean;
  /** Events that were due by the scenario. */
  intended: number;
  acknowledged: number;
  /** Refused for good; they are not expected anywhere. */
  refused: number;
  /** Neither acknowledged nor refused: they may be stored or not. */
  unknown: number;
  retries: number;
  requestsByStatus: Record<string, number>;
  /** From the intended time to the acknowledgement. */
  latency: Latency;
}

export interface SearchResult {
  acknowledged: number;
  /** Of the acknowledged, each counted once. */
  found: number;
  /** Events that were looked at one by one: all, or the first million. */
  checked: number;
  /** Found more than once, of those. */
  duplicated: number;
  /** How long after the last acknowledgement everything was found; null if it never was. */
  settledS: number | null;
  /** `found`: requests that have a document; `broken`: of those that were looked at, those whose documents do not have each event once. */
  requests: { expected: number; found: number; checked: number; broken: number };
  example: string | null;
}

export interface ConnectionResult {
  attempted: number;
  connected: number;
  failed: number;
  /** Ended by the server or the network, not by the scenario. */
  lost: number;
  /** Came back, and the target let them go on at their cursors. */
  resumed: number;
  /** Viewers that watched at the end, of those that should. */
  watching: number;
  shouldWatch: number;
  failuresByReason: Record<string, number>;
  /** From the start of the TCP connection to `subscribed`. */
  latency: Latency;
}

export interface FaultResult {
  kind: string;
  startedS: number;
  endedS: number;
  /** When a reading first departed from before the fault, and which; null: none did. */
  detectedS: number | null;
  detectedBy: string | null;
  /** Since when viewers or the sender had less than before; null: they never had. */
  degradedS: number | null;
  /** From when everything was as before, for a second; null: not before the end of the scenario. */
  recoveredS: number | null;
  /** Of the events that were due from its start until all was as before; null: not known. */
  missing: FaultLosses | null;
  /** Those that began to fire from its start until the next fault's; null: nobody was asked. */
  alerts: FaultAlert[] | null;
  /** What was done, to whom, and how it went. */
  detail: string;
  undone: boolean;
}

export interface FaultLosses {
  /** Deliveries that did not come: announced as left out, or lost. */
  undelivered: number;
  /** Events that were refused for good, and those whose fate nobody told. */
  refused: number;
  unknown: number;
}

export interface FaultAlert {
  name: string;
  severity: string | null;
  /** When it was first seen firing, and no longer; null: it fired to the end. */
  firedS: number;
  resolvedS: number | null;
}

export interface GeneratorResult {
  processes: number;
  /** Highest share of a core of any process in any second. */
  maxCpu: number;
  /** Delay of the event loop, the worst process. */
  loopDelayP99Ms: number;
  /** How much later than intended events were sent. */
  latenessP99Ms: number;
  /** What its processes were at the limit of, and in how many seconds; empty: of nothing. */
  limits: string[];
  /** The seconds of the run in which one of them was, in order. */
  limitedS: number[];
}

/** What connections leave behind. */
export interface MemoryGrowth {
  /** Made between the first and the last collection. */
  connections: number;
  /** Collections of the whole heap, after each of which memory was read. */
  collections: number;
  perConnectionBytes: number;
  /** Of 95 %. */
  interval: [low: number, high: number];
}

export interface ServerResult {
  cpuShareMean: number | null;
  memoryMaxBytes: number | null;
  /** Of the server's processes, divided by the connections of the fullest second. */
  memoryPerConnectionBytes: number | null;
  /** Null: the run had too few collections for it. */
  memoryGrowth: MemoryGrowth | null;
  version: string | null;
  /** When its processes, or their parts, started, in seconds since 1970. Absent in results from before this was read. */
  startsS?: number[];
}

/** What a machine's processes and kernel have, by stage. */
export interface ResourceResult {
  /** Whether processes of the server were found on the generator's machine. Otherwise only the generator's ends of connections are in. */
  hasServer: boolean;
  /** The first is from before any viewer. */
  looks: ResourceLook[];
}

export interface ResourceLook {
  atS: number;
  /** At whose end it was; null: before the first one. */
  stage: string | null;
  /** Who watched. */
  viewers: number;
  generator: ProcessResources;
  /** Null: its processes were not found on this machine. */
  server: ProcessResources | null;
  kernel: KernelResources;
}

export interface ProcessResources {
  processes: number;
  /** Resident, without the pages of files. */
  memoryBytes: number;
  /** Open files and sockets. */
  descriptors: number;
}

/** Of the whole machine, whoever has them. */
export interface KernelResources {
  tcpSockets: number;
  timeWaitSockets: number;
  /** In the buffers of sockets. */
  bufferBytes: number;
  /** All objects of the kernel (slab), of which sockets and open files are a part. */
  objectBytes: number;
}

export type Outcome = 'met' | 'missed' | 'not-shown';

export interface ObjectiveResult {
  /** As in the scenario: `delivery-p95-ms`. */
  metric: string;
  /** A sentence for the reader of a report. */
  title: string;
  relation: 'at-most' | 'at-least';
  bound: number;
  unit: string;
  value: number | null;
  /** Of 95 %; null where it cannot be said. */
  interval: [low: number, high: number] | null;
  outcome: Outcome;
  /** Why, and for `not-shown` what to run to decide. */
  reason: string;
  /** The smallest change of the value that this run could have seen; null where unknown. */
  smallestChange: number | null;
}

export interface Verdict {
  overall: 'ready' | 'not-ready' | 'not-shown';
  objectives: ObjectiveResult[];
  /** A letter beside the verdict; null when the verdict is not shown. */
  grade: string | null;
}
