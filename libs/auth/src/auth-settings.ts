import type { CanarySettings } from './canary/open-canary-seal.ts';
import type { Settings } from './settings.ts';

/** The settings that say who may watch and search. */
export type AuthSettings = Pick<
  Settings,
  | 'LIVE_AUTH_JWKS'
  | 'LIVE_AUTH_ISSUER'
  | 'LIVE_AUTH_AUDIENCE'
  | 'LIVE_AUTH_FILTER_CLAIM'
  | 'LIVE_AUTH_REQUIRE_FILTER'
> &
  Partial<CanarySettings>;
