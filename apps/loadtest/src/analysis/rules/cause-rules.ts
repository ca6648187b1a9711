import type { CauseRule } from './cause-rule.ts';
import { connectionsCut } from './connections-cut.ts';
import { diskFull } from './disk-full.ts';
import { generatorLimit } from './generator-limit.ts';
import { ingestRefused } from './ingest-refused.ts';
import { machineBusy } from './machine-busy.ts';
import { memoryLeak } from './memory-leak.ts';
import { networkSlow } from './network-slow.ts';
import { serverPaused } from './server-paused.ts';
import { serverSlow } from './server-slow.ts';
import { serverStopped } from './server-stopped.ts';

/** Every rule, in the order in which equal candidates are listed. docs/loadtest-analysis.md explains them. */
export const causeRules: readonly CauseRule[] = [
  serverStopped,
  serverPaused,
  diskFull,
  ingestRefused,
  connectionsCut,
  machineBusy,
  generatorLimit,
  serverSlow,
  networkSlow,
  memoryLeak,
];
