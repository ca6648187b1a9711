import { totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';

/** Up to so many threads of one process hold data at once, each with a heap of its own, within one cgroup or machine. */
const threadsThatShare = 4;

/** V8 counts the space of new objects (three times 64 MiB) into a heap's limit; what is kept does not live there. */
const youngBytes = 192 * 2 ** 20;

/** What the objects of this thread that live on may take. */
function oldSpaceLimit(): number {
  const limit = getHeapStatistics().heap_size_limit;
  return Math.max(limit - youngBytes, limit / 4);
}

/**
 * The memory (bytes) that this thread may count on: the limit of its heap (`--max-old-space-size`, the worker's resourceLimits) or a
 * quarter of what the cgroup, or else the machine, has, whichever is less. For buffers too, which lie outside the heap.
 */
export function memoryLimit(): number {
  const constrained = process.constrainedMemory();
  const machine = totalmem();
  // Without a cgroup's limit it is 0, or larger than any memory.
  const whole = constrained > 0 ? Math.min(constrained, machine) : machine;
  return Math.min(oldSpaceLimit(), whole / threadsThatShare);
}

/**
 * A budget in bytes that follows the memory there is: `share` (0 to 1) of memoryLimit(), never more than `most`. What is held at
 * once counts with what it really costs: an object of a few members some 100 bytes, a Buffer 100 bytes and its content. The shares
 * of all budgets of one thread should stay below 0.6 together, since the code and what is being worked on need room too.
 */
export function memoryBudget(share: number, most = Infinity): number {
  return Math.floor(Math.min(most, memoryLimit() * share));
}
