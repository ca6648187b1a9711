export { liveErrors, viewerErrors, type LiveErrorCode } from './errors.ts';
export { closeCodes, gapReasons, goodbyeReasons } from './protocol/reasons.ts';
export { listenBacklog } from './workers/listen-backlog.ts';
export { liveOptions } from './server/live-options.ts';
export {
  createLiveTier,
  type LiveTier,
  type LiveTierDeps,
  type LiveTierOptions,
} from './server/live-tier.ts';
export { createFanout, type Fanout } from './run-fanout.ts';
export { Supervisor, type SupervisorOptions } from './workers/supervisor.ts';
export { keepYoungGenerationSmall } from './workers/young-generation.ts';
export { openLiveStores, type LiveStores } from './server/live-stores.ts';
