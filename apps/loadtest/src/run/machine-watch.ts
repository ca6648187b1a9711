import { lookup } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';

interface Ticks {
  total: number;
  busy: number;
  own: number;
}

/** Shares of the CPU of all cores of this machine, since the look before. */
export interface MachineLook {
  busy: number;
  /** Taken by others than the load test and its target: programs, and other virtual machines of the host. */
  others: number;
}

/** Watches whether this machine has CPU left, and who takes it: what waits for a core is late, whoever is to blame. */
export class MachineWatch {
  readonly #pids: readonly number[];
  readonly #hasTarget: boolean;
  #before: Ticks | undefined;

  /** `pids` of the load test; `hasTarget`: whether the target runs on this machine. */
  constructor(pids: readonly number[], hasTarget: boolean) {
    this.#pids = pids;
    this.#hasTarget = hasTarget;
  }

  /** `serverCpu`: the target's share, null where it is not known. Undefined: this machine does not tell, or the target does not. */
  look(serverCpu: number | null): MachineLook | undefined {
    const [before, now] = [this.#before, ticksOf(this.#pids)];
    this.#before = now;
    if (before === undefined || now === undefined || (this.#hasTarget && serverCpu === null))
      return undefined;
    const total = now.total - before.total;
    if (total <= 0) return undefined;
    const busy = (now.busy - before.busy) / total;
    const own = (now.own - before.own) / total;
    return { busy, others: Math.max(0, busy - own - (this.#hasTarget ? serverCpu! : 0)) };
  }
}

/** Source: proc(5), /proc/stat and /proc/PID/stat. Other virtual machines' time is that which they stole. */
function ticksOf(pids: readonly number[]): Ticks | undefined {
  try {
    const [, ...fields] = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0]!.trim().split(/\s+/);
    const [user, nice, system, idle, wait, ...more] = fields.map(Number) as [
      number,
      number,
      number,
      number,
      number,
    ];
    const [irq, softIrq, steal] = more as number[];
    const busy = user + nice + system + irq! + softIrq! + steal!;
    return { total: busy + idle + wait, busy, own: pids.reduce((sum, pid) => sum + ticksOfProcess(pid), 0) };
  } catch {
    return undefined;
  }
}

function ticksOfProcess(pid: number): number {
  // The name in parentheses may hold spaces.
  const [, rest] = /\) (.*)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))!;
  const fields = rest!.split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

/** Whether one of the addresses is this machine's. */
export async function isHere(urls: readonly string[]): Promise<boolean> {
  const own = new Set(
    Object.values(networkInterfaces()).flatMap((each) => (each ?? []).map(({ address }) => address)),
  );
  const found = await Promise.all(
    urls.map(async (url) => {
      try {
        return await lookup(new URL(url).hostname.replace(/^\[|\]$/g, ''), { all: true });
      } catch {
        return [];
      }
    }),
  );
  return found.flat().some(({ address }) => own.has(address) || /^127\./.test(address));
}
