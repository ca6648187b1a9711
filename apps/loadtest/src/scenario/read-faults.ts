import type { FaultPlan, FaultSide, NetworkConditions } from './fault-plan.ts';
import type { Problem } from './problem.ts';
import { secondsOf } from './seconds-of.ts';

/** A fault as a scenario's file says it; scenario.schema.json says which members each kind has. */
export interface FaultFile {
  kind: FaultPlan['kind'];
  at: string;
  for?: string;
  share?: number;
  on?: FaultSide;
  towards?: 'server' | 'client';
  rate?: number;
  bytes?: number;
  latency?: string;
  jitter?: string;
  loss?: number;
  bytesPerSecond?: number;
  process?: string;
  signal?: 'SIGKILL' | 'SIGTERM';
  restart?: boolean;
  folder?: string;
  device?: string;
  offset?: string;
  run?: string;
  command?: string;
  undo?: string;
}

const corruptedShare = 0.01;
/** More than any server accepts from a viewer. */
const oversizedBytes = 64 * 2 ** 20;

export function readFault(file: FaultFile): FaultPlan {
  const { kind, share = 1, on = 'viewers' } = file;
  const times = { atSeconds: secondsOf(file.at), seconds: secondsOf(file.for ?? '0s') };
  switch (kind) {
    case 'cut':
      return { ...times, kind, share };
    case 'reset':
    case 'blackhole':
    case 'half-open':
      return { ...times, kind, share, on };
    case 'network':
      return { ...times, kind, share, on, ...conditionsOf(file) };
    case 'corrupt':
      return {
        ...times,
        kind,
        share,
        on,
        towards: file.towards ?? 'server',
        rate: file.rate ?? corruptedShare,
      };
    case 'broken-frames':
    case 'oversized-frames':
      return { ...times, kind, share, bytes: file.bytes ?? oversizedBytes };
    case 'pause':
      return { ...times, kind, process: file.process! };
    case 'kill':
      return {
        ...times,
        kind,
        process: file.process!,
        signal: file.signal ?? 'SIGKILL',
        restart: file.restart ?? true,
      };
    case 'disk-full':
      return { ...times, kind, folder: file.folder! };
    case 'netem':
      return { ...times, kind, device: file.device!, ...conditionsOf(file) };
    case 'clock':
      return { ...times, kind, offsetMs: offsetOf(file.offset!) };
    case 'command':
      return {
        ...times,
        kind,
        ...(file.run === undefined ? {} : { run: file.run }),
        ...(file.command === undefined ? {} : { command: file.command }),
        ...(file.undo === undefined ? {} : { undo: file.undo }),
      };
  }
}

/** What the schema cannot say; each problem with the fault's number. */
export function faultProblems(faults: readonly FaultPlan[], scenarioSeconds: number): Problem[] {
  return faults.flatMap((fault, i) => {
    const end = fault.atSeconds + fault.seconds;
    return end < scenarioSeconds
      ? []
      : [
          {
            at: ['faults', i],
            text: `ends at ${end} s, but the scenario at ${scenarioSeconds} s: it could not recover`,
          },
        ];
  });
}

function conditionsOf({ latency, jitter, loss, bytesPerSecond }: FaultFile): NetworkConditions {
  return {
    ...(latency === undefined ? {} : { latencyMs: secondsOf(latency) * 1_000 }),
    ...(jitter === undefined ? {} : { jitterMs: secondsOf(jitter) * 1_000 }),
    ...(loss === undefined ? {} : { loss }),
    ...(bytesPerSecond === undefined ? {} : { bytesPerSecond }),
  };
}

function offsetOf(offset: string): number {
  const isBehind = offset.startsWith('-');
  return secondsOf(offset.replace(/^[-+]/, '')) * 1_000 * (isBehind ? -1 : 1);
}
