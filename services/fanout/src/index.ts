export { liveErrors, viewerErrors, type LiveErrorCode } from './errors.ts';
export { closeCodes, gapReasons, goodbyeReasons } from './reasons.ts';
export { listenBacklog } from './listen-backlog.ts';
export { liveOptions } from './live-options.ts';
export { createLiveTier, type LiveTier, type LiveTierDeps, type LiveTierOptions } from './live-tier.ts';
export { createFanout, type Fanout } from './run-fanout.ts';
export { Supervisor, type SupervisorOptions } from './supervisor.ts';
export { keepYoungGenerationSmall } from './young-generation.ts';
export { openLiveStores, type LiveStores } from './live-stores.ts';
