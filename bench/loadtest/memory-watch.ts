import { readdirSync, readFileSync } from 'node:fs';

interface Sample {
  server: number;
  generator: number;
  kernel: number;
  serverProcesses: number;
  generatorProcesses: number;
}

const everyMs = 5_000;
const pageBytes = 4_096;

/** Samples what a Logloom and a load test take of this machine's memory, and what the kernel takes for their sockets. Linux only. */
export class MemoryWatch {
  readonly #serverPid: number;
  #generatorPid: number | undefined;
  #before: Sample | undefined;
  #most: Sample | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(serverPid: number) {
    this.#serverPid = serverPid;
  }

  /** The state at this moment is the one without viewers. */
  begin(generatorPid: number): void {
    this.#before = this.#look();
    this.#generatorPid = generatorPid;
    this.#timer = setInterval(() => this.#sample(), everyMs);
  }

  end(): void {
    clearInterval(this.#timer);
  }

  /** The sample in which both had most. */
  lines(viewers: number): string[] {
    if (this.#before === undefined || this.#most === undefined) return ['memory was not sampled'];
    const { server, generator, kernel, serverProcesses, generatorProcesses } = this.#most;
    const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(0);
    const each = (bytes: number): string => (bytes / viewers / 1_000).toFixed(1);
    return [
      `server: ${serverProcesses} processes, ${mebibytes(server)} MiB; more than without viewers: ${each(server - this.#before.server)} KB a viewer`,
      `generator: ${generatorProcesses} processes, ${mebibytes(generator)} MiB, ${each(generator)} KB a viewer`,
      `kernel, for both ends of each connection: ${mebibytes(kernel - this.#before.kernel)} MiB more, ${each(kernel - this.#before.kernel)} KB a viewer`,
    ];
  }

  #sample(): void {
    const sample = this.#look();
    if (
      this.#most === undefined ||
      sample.server + sample.generator > this.#most.server + this.#most.generator
    )
      this.#most = sample;
  }

  #look(): Sample {
    const parents = new Map<number, number>();
    for (const entry of readdirSync('/proc')) {
      if (!/^\d+$/.test(entry)) continue;
      const parent = read(`/proc/${entry}/stat`)?.split(') ').at(-1)!.split(' ')[1];
      if (parent !== undefined) parents.set(Number(entry), Number(parent));
    }
    const familyOf = (root: number | undefined): number[] =>
      root === undefined ? [] : [...parents.keys()].filter((pid) => isWithin(pid, root, parents));
    const [server, generator] = [familyOf(this.#serverPid), familyOf(this.#generatorPid)];
    return {
      server: sum(server.map(privateBytes)),
      generator: sum(generator.map(privateBytes)),
      kernel: kernelBytes(),
      serverProcesses: server.length,
      generatorProcesses: generator.length,
    };
  }
}

function isWithin(pid: number, root: number, parents: ReadonlyMap<number, number>): boolean {
  for (let at: number | undefined = pid; at !== undefined && at > 1; at = parents.get(at))
    if (at === root) return true;
  return false;
}

/** Its share of what it has in memory: pages of several processes are divided among them. */
function privateBytes(pid: number): number {
  return Number(/^Pss:\s+(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`) ?? '')?.[1] ?? 0) * 1_024;
}

/** What the kernel's objects and the buffers of sockets take. */
function kernelBytes(): number {
  const slab = Number(/^Slab:\s+(\d+)/m.exec(read('/proc/meminfo') ?? '')?.[1] ?? 0) * 1_024;
  const buffers = Number(/^TCP:.* mem (\d+)/m.exec(read('/proc/net/sockstat') ?? '')?.[1] ?? 0) * pageBytes;
  return slab + buffers;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Undefined: there is none, or the process has ended. */
function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
