import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { isLoopback, sourceAddresses } from '../generator/source-address.ts';
import { openFileLimit } from '../generator/viewer-processes.ts';
import type { Estimate } from './estimate.ts';

/** What this machine has for a generator. */
export interface Machine {
  /** For processes to come; of a cgroup, where there is one. */
  freeMemoryBytes: number;
  /** Of one process. */
  openFiles: number;
  /** From one address to one port. */
  ports: number;
  cores: number;
}

export function thisMachine(): Machine {
  return {
    freeMemoryBytes: process.availableMemory(),
    openFiles: openFileLimit(),
    ports: portRange(),
    cores: availableParallelism(),
  };
}

/** So many files of a process are none of connections. */
const otherFiles = 500;

/**
 * What the machine has too little of for a run: a sentence each; none: nothing is known to be. `routes`: from how many addresses of this machine
 * viewers connect, times to how many of the target.
 */
export function tooSmall(
  { memoryBytes, kernelBytes, viewers, proxyFiles, cores }: Estimate,
  routes: number,
  machine: Machine,
): string[] {
  const limits: string[] = [];
  const gibibytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  const needed = memoryBytes + kernelBytes;
  if (needed > machine.freeMemoryBytes)
    limits.push(
      `the generator takes about ${gibibytes(needed)} of memory with the kernel's part, and ${gibibytes(machine.freeMemoryBytes)} is free`,
    );
  if (viewers > routes * machine.ports)
    limits.push(
      `${viewers} viewers need a port each, and there are ${routes * machine.ports} (net.ipv4.ip_local_port_range, for each pair of addresses)`,
    );
  if (proxyFiles + otherFiles > machine.openFiles)
    limits.push(
      `the proxy of faults has up to ${proxyFiles} open files, and a process may have ${machine.openFiles} (ulimit -n)`,
    );
  if (cores > machine.cores)
    limits.push(
      `the generator takes about ${cores.toFixed(1)} cores at its peak, and this machine has ${machine.cores}`,
    );
  return limits;
}

/** Pairs of an address of this machine and one of the target, between which viewers connect. */
export function routesTo(viewerUrls: readonly string[]): number {
  return viewerUrls.length * (viewerUrls.every(isLoopback) ? sourceAddresses : 1);
}

/** Source: ip(7), ip_local_port_range. */
function portRange(): number {
  try {
    const [low, high] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8')
      .trim()
      .split(/\s+/)
      .map(Number);
    return high! - low! + 1;
  } catch {
    // IANA's range of dynamic ports, which other systems use.
    return 16_384;
  }
}
