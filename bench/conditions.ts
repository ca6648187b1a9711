import { availableParallelism, cpus, loadavg } from 'node:os';

/** Prints what the numbers below depend on. Absolute figures of a shared machine mean little; ratios within one run do. */
export function printConditions(details: string): void {
  const model = cpus()[0]?.model.trim() ?? 'unknown CPU';
  console.log(
    `node ${process.version}, ${availableParallelism()} cores (${model}), load ${loadavg()[0]!.toFixed(1)}`,
  );
  console.log(details);
}
