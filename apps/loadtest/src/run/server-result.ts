import type { RunResult, Second } from '../result.ts';
import type { MemoryGrowthWatch } from './memory-growth.ts';
import type { ServerWatch } from './server-watch.ts';

/** What the run says of the server as a whole; null where its metrics could not be read. `fullest`: viewers of the fullest second. */
export function serverResult(
  rows: readonly Second[],
  fullest: number,
  { version, startsS }: Pick<ServerWatch, 'version' | 'startsS'>,
  growth: MemoryGrowthWatch,
): RunResult['server'] {
  const shares = rows.map(({ serverCpu }) => serverCpu).filter((share) => share !== null);
  const memory = rows.map(({ serverMemoryBytes }) => serverMemoryBytes).filter((bytes) => bytes !== null);
  if (shares.length === 0 && memory.length === 0) return null;
  const memoryMaxBytes = memory.length === 0 ? null : Math.max(...memory);
  return {
    cpuShareMean: shares.length === 0 ? null : shares.reduce((a, b) => a + b, 0) / shares.length,
    memoryMaxBytes,
    memoryPerConnectionBytes: memoryMaxBytes === null ? null : memoryMaxBytes / fullest,
    memoryGrowth: growth.result(rows),
    version,
    startsS,
  };
}
