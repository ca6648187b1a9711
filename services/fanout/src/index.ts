export { liveErrors, type LiveErrorCode } from './errors.ts';
export { createLiveTier, type LiveTier, type LiveTierDeps, type LiveTierOptions } from './live-tier.ts';
export { runFanout } from './run-fanout.ts';
