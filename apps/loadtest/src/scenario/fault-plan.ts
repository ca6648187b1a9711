/** Whose connections go through the proxy and are hit. */
export type FaultSide = 'viewers' | 'sender';

/** What the network does to what passes; each is absent where it does nothing. */
export interface NetworkConditions {
  latencyMs?: number;
  /** Up to so much more, evenly spread. */
  jitterMs?: number;
  /** The share of segments that are lost, and sent again by TCP. */
  loss?: number;
  bytesPerSecond?: number;
}

/** Ends connections of the viewers from their own side, as when a network is cut. */
interface CutFault {
  kind: 'cut';
  share: number;
}

/** Both ends of a connection get a TCP reset. */
interface ResetFault {
  kind: 'reset';
  share: number;
  on: FaultSide;
}

interface NetworkFault extends NetworkConditions {
  kind: 'network';
  share: number;
  on: FaultSide;
}

/** `blackhole`: nothing passes and nothing is closed, until the end. `half-open`: the other end is reset, and the server is not told until then. */
interface SilentFault {
  kind: 'blackhole' | 'half-open';
  share: number;
  on: FaultSide;
}

/** A byte of this share of the chunks is changed. */
interface CorruptFault {
  kind: 'corrupt';
  share: number;
  on: FaultSide;
  towards: 'server' | 'client';
  rate: number;
}

/** The server gets a WebSocket frame that no client may send: with reserved bits, or longer than it accepts. */
interface FrameFault {
  kind: 'broken-frames' | 'oversized-frames';
  share: number;
  /** Of an oversized frame. */
  bytes: number;
}

/** SIGSTOP, and SIGCONT at the end, to a process and its children. */
interface PauseFault {
  kind: 'pause';
  process: string;
}

/** Ends a process, and starts it again at the end of the fault. */
interface KillFault {
  kind: 'kill';
  process: string;
  signal: 'SIGKILL' | 'SIGTERM';
  /** False: something else starts it again. */
  restart: boolean;
}

/** A file takes all the room in the file system of a folder. */
interface DiskFault {
  kind: 'disk-full';
  folder: string;
}

/** The kernel's own emulation of a network, on a device of this machine. */
interface NetemFault extends NetworkConditions {
  kind: 'netem';
  device: string;
}

/** The events' timestamps are wrong by so much, as by a sender whose clock is. */
interface ClockFault {
  kind: 'clock';
  offsetMs: number;
}

/** A command of a shell: `run` is its text, `command` the name of one given on the command line. `undo` is run at the end. */
interface CommandFault {
  kind: 'command';
  run?: string;
  command?: string;
  undo?: string;
}

export type FaultAction =
  | CutFault
  | ResetFault
  | NetworkFault
  | SilentFault
  | CorruptFault
  | FrameFault
  | PauseFault
  | KillFault
  | DiskFault
  | NetemFault
  | ClockFault
  | CommandFault;

/** Something that goes wrong on purpose, from a moment of the scenario on, for some seconds; 0: it is over at once. */
export type FaultPlan = FaultAction & { atSeconds: number; seconds: number };

/** The faults that a proxy in front of the target makes. */
export const proxyFaultKinds = [
  'reset',
  'network',
  'blackhole',
  'half-open',
  'corrupt',
  'broken-frames',
  'oversized-frames',
] as const;

export const faultPlanKinds: readonly FaultPlan['kind'][] = [
  'cut',
  ...proxyFaultKinds,
  'pause',
  'kill',
  'disk-full',
  'netem',
  'clock',
  'command',
];

export type ProxyFault = Extract<FaultPlan, { kind: (typeof proxyFaultKinds)[number] }>;

export function isProxyFault(plan: FaultPlan): plan is ProxyFault {
  return (proxyFaultKinds as readonly string[]).includes(plan.kind);
}

/** The faults of processes and of this machine, which must be undone even when the run is killed. */
export const keptFaultKinds = ['pause', 'kill', 'disk-full', 'netem', 'command'] as const;

export type KeptFault = Extract<FaultPlan, { kind: (typeof keptFaultKinds)[number] }>;

export function isKeptFault(plan: FaultPlan): plan is KeptFault {
  return (keptFaultKinds as readonly string[]).includes(plan.kind);
}

/** One sentence for people: what it does, without its times. */
export function describeFault(fault: FaultAction): string {
  const of = (share: number, on: FaultSide | undefined): string =>
    `${Math.round(share * 100)} % of the ${on === 'sender' ? "sender's connections" : 'viewers'}`;
  switch (fault.kind) {
    case 'cut':
      return `${of(fault.share, undefined)} lost their connection`;
    case 'reset':
      return `${of(fault.share, fault.on)} got a TCP reset, at both ends`;
    case 'network':
      return `${of(fault.share, fault.on)} had a network with ${conditionsText(fault)}`;
    case 'blackhole':
      return `for ${of(fault.share, fault.on)} nothing passed and nothing was closed`;
    case 'half-open':
      return `${of(fault.share, fault.on)} were reset, and the server was not told`;
    case 'corrupt':
      return `a byte was changed in ${fault.rate * 100} % of the chunks to the ${fault.towards === 'server' ? 'server' : 'other end'}, for ${of(fault.share, fault.on)}`;
    case 'broken-frames':
      return `the server got a frame with reserved bits from ${of(fault.share, undefined)}`;
    case 'oversized-frames':
      return `the server got a frame of ${fault.bytes} bytes from ${of(fault.share, undefined)}`;
    case 'pause':
      return `${fault.process} was stopped (SIGSTOP) and continued`;
    case 'kill':
      return `${fault.process} was ended by ${fault.signal}${fault.restart ? ' and started again' : ''}`;
    case 'disk-full':
      return `the file system of ${fault.folder} was full`;
    case 'netem':
      return `the device ${fault.device} had ${conditionsText(fault)}`;
    case 'clock':
      return `the sender's timestamps were ${Math.abs(fault.offsetMs) / 1_000} s ${fault.offsetMs < 0 ? 'behind' : 'ahead'}`;
    case 'command':
      return `the command ${fault.command ?? fault.run} ran`;
  }
}

function conditionsText({ latencyMs, jitterMs, loss, bytesPerSecond }: NetworkConditions): string {
  return [
    ...(latencyMs === undefined ? [] : [`${latencyMs} ms of latency`]),
    ...(jitterMs === undefined ? [] : [`up to ${jitterMs} ms of jitter`]),
    ...(loss === undefined ? [] : [`${loss * 100} % of loss`]),
    ...(bytesPerSecond === undefined ? [] : [`${bytesPerSecond} bytes/s`]),
  ].join(', ');
}
