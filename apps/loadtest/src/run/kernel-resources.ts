import { readFileSync } from 'node:fs';
import type { KernelResources } from '../result.ts';

/** TCP counts the memory of its buffers in pages: tcp(7), tcp_mem. */
const pageBytes = 4_096;

/** What the kernel of this machine has for its sockets; undefined where it does not tell. Everything on the machine is in it. */
export function kernelResources(): KernelResources | undefined {
  try {
    const memory = readFileSync('/proc/meminfo', 'utf8');
    const sockets = readFileSync('/proc/net/sockstat', 'utf8');
    const [, inUse, timeWait, pages] = /^TCP: inuse (\d+) orphan \d+ tw (\d+) alloc \d+ mem (\d+)/m.exec(
      sockets,
    )!;
    return {
      tcpSockets: Number(inUse),
      timeWaitSockets: Number(timeWait),
      bufferBytes: Number(pages) * pageBytes,
      objectBytes: Number(/^Slab:\s+(\d+) kB/m.exec(memory)![1]) * 1_024,
    };
  } catch {
    return undefined;
  }
}
