import { transports } from '../transports/transports.ts';
import { LiveTier, type LiveTierDeps } from './live-tier.ts';

/** Makes a live tier with every transport; attach() it to the viewers' server, then run() it. */
export function createLiveTier(deps: LiveTierDeps): LiveTier {
  return new LiveTier(deps, transports);
}
