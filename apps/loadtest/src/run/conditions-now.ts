import { availableParallelism, cpus, loadavg, platform, release, totalmem } from 'node:os';
import type { Conditions } from '../result.ts';

/** The machine of the generator, as a run begins. */
export function conditionsNow(): Conditions {
  return {
    node: process.version,
    platform: `${platform()} ${release()}`,
    cpuModel: cpus()[0]?.model ?? 'unknown',
    cpuCount: availableParallelism(),
    memoryBytes: totalmem(),
    loadAverage: loadavg()[0]!,
  };
}
