import { totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';

/** How many threads of one process hold data at once, each with its own heap, within one cgroup or machine. */
const threadsThatShare = 4;

/** V8 counts the space of new objects (three times 64 MiB) toward a heap's limit; long-lived objects are elsewhere. */
const youngBytes = 192 * 2 ** 20;

/** The space for long-lived objects of this thread. */
function oldSpaceLimit(): number {
  const limit = getHeapStatistics().heap_size_limit;
  return Math.max(limit - youngBytes, limit / 4);
}

/**
 * The memory (bytes) that this thread may count on: the limit of its heap (`--max-old-space-size`, the worker's resourceLimits) or a
 * quarter of the memory of the cgroup or else the machine, whichever is less. It includes buffers, which are outside the heap.
 */
export function memoryLimit(): number {
  const constrained = process.constrainedMemory();
  const machine = totalmem();
  // Without a cgroup limit it is 0, or larger than any memory.
  const whole = constrained > 0 ? Math.min(constrained, machine) : machine;
  return Math.min(oldSpaceLimit(), whole / threadsThatShare);
}

/**
 * A budget in bytes that follows the available memory: `share` (0 to 1) of memoryLimit(), never more than `most`. Count what objects really
 * cost: about 100 bytes for an object with a few members, 100 bytes and its content for a Buffer. The shares of all budgets of one thread
 * together should stay below 0.6, because code and work in progress need memory too.
 */
export function memoryBudget(share: number, most = Infinity): number {
  return Math.floor(Math.min(most, memoryLimit() * share));
}
